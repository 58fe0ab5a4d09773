"""The lab `network_policy` in French."""

from __future__ import annotations

from ..._french import typeset
from ...analysis.attempts import AttemptWords, succeeded
from ...measure.recording import Attempt, Recording
from .codes import Calls, Outcome, What, Who, calls


def _verdict(recording: Recording) -> str:
    if not succeeded(recording, Who.NO_POLICY, What.CALL):
        return "Le serveur ne répondait pas même sans politique : la mesure ne dit rien d’elle."
    if not succeeded(recording, Who.DENY_ALL, What.CREATE):
        return "L’API n’accepte pas la politique."
    after = calls(recording.runs[0], Who.DENY_ALL)
    if after.answered == 0:
        return "Le réseau de ce cluster applique la politique : le trafic ne passe plus."
    if after.answered < after.made:
        return (
            "La politique n’arrête qu’une partie des appels : elle est en train d’être appliquée."
        )
    return "L’API accepte la politique et rien ne l’applique ici : il faut un plugin réseau qui le fasse."


def _detail(attempt: Attempt) -> str:
    if attempt.what != What.CALL:
        return attempt.detail
    made = Calls.read(attempt.detail)
    why = "délai dépassé" if "timed out" in made.last else made.last
    return f"{made.answered} appels sur {made.made} ont eu leur réponse ({why})"


def _alarming(attempt: Attempt) -> bool:
    """Return whether a policy lets calls pass, or something else fails: that it stops them is what it is for."""
    if attempt.who == Who.DENY_ALL and attempt.what == What.CALL:
        return attempt.ok
    return not attempt.ok


WORDS = AttemptWords(
    title="Qui applique une NetworkPolicy ?",
    verdict=lambda recording: typeset(_verdict(recording)),
    who={Who.NO_POLICY: "Sans politique", Who.DENY_ALL: "Politique « tout refuser »"},
    what={What.CREATE: "l’API prend l’objet", What.CALL: "un pod appelle le serveur"},
    answer={Outcome.CREATED: "acceptée", Outcome.ANSWERED: "répond", Outcome.BLOCKED: "bloqué"},
    detail=_detail,
    alarming=_alarming,
)
