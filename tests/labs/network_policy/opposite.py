"""The lab `network_policy`, had nobody been answered once the policy was there."""

from dataclasses import replace

from k8s_helpers.labs.network_policy.codes import Calls
from k8s_helpers.measure.recording import Attempt, Recording

CLAIMS = (
    "rien ne l’applique ici",
    "il faut un plugin réseau qui le fasse",
    "Politique « tout refuser », l’API prend l’objet : acceptée ; "
    "Politique « tout refuser », un pod appelle le serveur : répond",
)


def opposite(recording: Recording) -> Recording:
    """Return the same attempts with the opposite outcome."""

    def turn(attempt: Attempt) -> Attempt:
        if (attempt.who, attempt.what) != ("deny-all", "call-server"):
            return attempt
        calls = replace(Calls.read(attempt.detail), answered=0, last="timed out")
        return replace(attempt, ok=False, answer="blocked", detail=str(calls))

    (run,) = recording.runs
    return replace(recording, runs=(replace(run, attempts=tuple(map(turn, run.attempts))),))
