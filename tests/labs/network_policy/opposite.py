"""The lab `network_policy`, had the calls under the policy had the other fate."""

from dataclasses import replace

from k8s_helpers.labs.network_policy.codes import Calls
from k8s_helpers.measure.recording import Attempt, Recording

CLAIMS = (
    "rien ne l’applique ici",
    "il faut un plugin réseau qui le fasse",
    "Politique « tout refuser », l’API prend l’objet : acceptée ; "
    "Politique « tout refuser », un pod appelle le serveur : répond",
    "applique la politique : le trafic ne passe plus",
    "Politique « tout refuser », un pod appelle le serveur : bloqué",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""

    def turn(attempt: Attempt) -> Attempt:
        if (attempt.who, attempt.what) != ("deny-all", "call-server"):
            return attempt
        before = Calls.read(attempt.detail)
        if before.answered:
            calls = replace(before, answered=0, last="timed out")
            return replace(attempt, ok=False, answer="blocked", detail=str(calls))
        calls = replace(before, answered=before.made, last="serveur-1")
        return replace(attempt, ok=True, answer="answered", detail=str(calls))

    (run,) = recording.runs
    return replace(recording, runs=(replace(run, attempts=tuple(map(turn, run.attempts))),))
