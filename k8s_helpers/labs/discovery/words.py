"""The lab `discovery` in French."""

from __future__ import annotations

from ..._french import typeset
from ...analysis.attempts import AttemptWords, by_code, succeeded
from ...measure.recording import Recording
from .codes import Outcome, What, Who


def _verdict(recording: Recording) -> str:
    tried = by_code(recording).values()
    names = [attempt.ok for attempt in tried if attempt.what == What.NAME]
    variables = [attempt.ok for attempt in tried if attempt.what == What.VARIABLE]
    if all(names):
        name = "Le nom répond dans tous les pods"
    else:
        name = f"Le nom ne répond que dans {sum(names)} des {len(names)} pods"
    variable = f"la variable manque dans {variables.count(False)} sur {len(variables)}"
    at_start = succeeded(recording, Who.AFTER, What.VARIABLE) and not succeeded(
        recording, Who.BEFORE, What.VARIABLE
    )
    why = " : elle est écrite au démarrage" if at_start else ""
    return typeset(f"{name} ; {variable}{why}.")


WORDS = AttemptWords(
    title="Comment un pod trouve un Service",
    verdict=_verdict,
    who={
        Who.BEFORE: "Pod créé avant le Service",
        Who.AFTER: "Pod créé après le Service",
        Who.NO_LINKS: "Pod créé après, enableServiceLinks: false",
    },
    what={
        What.VARIABLE: "variable VITRINE_SERVICE_HOST",
        What.NAME: "par le nom (http://vitrine)",
        What.FULL_NAME: "par le nom complet (….svc.cluster.local)",
    },
    answer={Outcome.PRESENT: "présente", Outcome.ABSENT: "absente", Outcome.NONE: "rien"},
)
