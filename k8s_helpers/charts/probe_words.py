"""What probes did, in French words: verdicts beside forecasts, predictions, the text alternative."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from .._french import NO_BREAK, count, number, seconds
from ..forecasts.span import Span
from ..recording import Recording, Run
from ..timeline.probes import ProbesSummary, probes_summary
from . import words

TITLES: Mapping[str, str] = {
    "no-probe": "Sans sonde",
    "readiness": "Readiness seule",
    "slide": "Les deux sondes de la diapositive",
    "impatient": "Liveness trop impatiente",
    "startup": "La même liveness, avec une sonde startup",
}


def title(variant: str) -> str:
    """Return a variant's name as the course writes it."""
    return TITLES.get(variant, variant)


def ready(found: ProbesSummary) -> str:
    """Tell when it became Ready, and what was foreseen."""
    if found.ready_s is None:
        return ("pas encore Ready" if found.going_on else "jamais Ready") + (
            "" if found.predicted_ready is None else _against(found.predicted_ready)
        )
    told = f"Ready à {_instant(found.ready_s)}"
    return told + (
        ", non prévu" if found.predicted_ready is None else _against(found.predicted_ready)
    )


def kill(found: ProbesSummary) -> str:
    """Tell when it was first killed, and what was foreseen; empty where neither."""
    if found.kill_s is None:
        when = "pas encore" if found.going_on else "jamais"
        return "" if found.predicted_kill is None else f"{when} tué{_against(found.predicted_kill)}"
    told = f"tué à {_instant(found.kill_s)}"
    told += ", non prévu" if found.predicted_kill is None else _against(found.predicted_kill)
    return f"{told} ; {count(found.restarts, 'relance')}"


def clients(found: ProbesSummary) -> str:
    """Tell what clients lost, and why that was or was not a broken promise."""
    lost = f"{count(found.failed, 'requête')} {'perdue' if found.failed < 2 else 'perdues'}"
    if found.going_on and found.ready_s is None and not found.failed:
        waiting = count(found.waiting, "requête")
        return f"encore personne derrière le Service ({waiting} sans réponse)"
    if found.ready_s is None:
        return f"{lost}{NO_BREAK}: jamais personne derrière le Service"
    if not found.failed:
        return f"aucune requête perdue une fois Ready ({number(found.waiting)} avant)"
    last_s = found.last_failed_s or 0.0
    return f"{lost} alors que le pod passait pour prêt, jusqu’à {_instant(last_s)}"


def why(run: Run) -> str:
    """Tell what the probes of a variant that is never Ready complain of, most often first; empty where it is."""
    if any(one.kind == "ready" for one in run.pods):
        return ""
    told = Counter(
        (one.probe, one.detail.rpartition(": ")[2]) for one in run.probes if not one.ok
    ).most_common(1)
    if not told:
        return ""
    (probe, reason), times = told[0]
    return f"la sonde {probe} a échoué {times} fois ({_reason(reason)})"


def _reason(detail: str) -> str:
    if detail == "connection refused":
        return "connexion refusée : personne n’écoute sur ce port"
    return f"réponse {detail}" if detail.isdigit() else detail


def _against(span: Span) -> str:
    return f" (prévu {span.words()})"


def _instant(at_s: float) -> str:
    return f"{number(max(0.0, round(at_s, 1)))}{NO_BREAK}s"


def sentence(run: Run, predictions: Mapping[str, object] | None = None) -> str:
    """Tell all about one variant."""
    found = probes_summary(run)
    parts = [ready(found), kill(found), why(run), clients(found)]
    if (reminder := words.predicted(predictions, run.name)) is not None:
        parts.append(f"{reminder}{NO_BREAK}s")
    return f"{title(run.name)}{NO_BREAK}: {' ; '.join(part for part in parts if part)}."


def alternative(recording: Recording, predictions: Mapping[str, object] | None = None) -> str:
    """Return the text alternative of the chart of probes."""
    runs = recording.runs
    longest_s = max((run.ended_s for run in runs), default=0.0)
    head = (
        f"{count(len(runs), 'variante')} du même programme lent démarrées au même instant, "
        f"{recording.where}, de 0 à {seconds(longest_s)}{NO_BREAK}: ce que voient les clients, la vie du "
        "conteneur et chaque résultat de ses sondes, avec ce que le manifeste laissait prévoir."
    )
    stand_in = next(
        (str(run.parameters["stand_in"]) for run in runs if run.parameters.get("stand_in")), ""
    )
    return " ".join(
        [head, *(sentence(run, predictions) for run in runs), *([stand_in] if stand_in else [])]
    )
