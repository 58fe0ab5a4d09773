"""What probes did, in French words: verdicts beside forecasts, predictions, the text alternative."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from ..._french import NO_BREAK, count, number, seconds
from ...draw import words
from ...forecasts.span import Span
from ...measure.recording import Recording, Run
from .codes import Loss
from .summary import ProbeFacts, ProbesSummary, spread_s, summarize

TITLES: Mapping[str, str] = {
    "no-probe": "Sans sonde, le programme de la diapositive",
    "refusing": "Sans sonde, un programme qui répond 503",
    "readiness": "Readiness seule",
    "slide": "Les deux sondes de la diapositive",
    "impatient": "Liveness trop impatiente",
    "startup": "La même liveness, avec une sonde startup",
}


LOSSES: Mapping[Loss, tuple[str, str]] = {
    Loss.EMPTY: ("page sans données", "pages sans données"),
    Loss.ERROR: ("erreur du programme", "erreurs du programme"),
    Loss.SILENCE: ("sans réponse", "sans réponse"),
}
"""What clients got in place of their page, one and several."""

TOGETHER_S = 1.0
"""Variants that start within this are told to start at the same instant."""


def title(variant: str) -> str:
    """Return a variant's name as the course writes it."""
    return TITLES.get(variant, variant)


def ready(summary: ProbesSummary) -> str:
    """Tell when it became Ready, and what was foreseen."""
    predicted = summary.predicted_ready
    if summary.ready_s is None:
        never = "pas encore Ready" if summary.going_on else "jamais Ready"
        return never if predicted is None else never + _against(predicted)
    return f"Ready à {instant(summary.ready_s)}{_against(predicted)}"


def kill(summary: ProbesSummary) -> str:
    """Tell when it was first killed, and what was foreseen; empty where neither."""
    predicted = summary.predicted_kill
    if summary.kill_s is None:
        when = "pas encore" if summary.going_on else "jamais"
        return "" if predicted is None else f"{when} tué{_against(predicted)}"
    restarts = count(summary.restarts, "relance")
    return f"tué à {instant(summary.kill_s)}{_against(predicted)} ; {restarts}"


def clients(summary: ProbesSummary) -> str:
    """Tell how many requests were lost, what their clients got, and how many of them once the pod was Ready."""
    if not summary.failed:
        return "aucune requête perdue"
    lost = count(summary.failed, "requête perdue", "requêtes perdues")
    kinds = [kind for kind in LOSSES if summary.losses.get(kind)]
    got = [count(summary.losses[kind], *LOSSES[kind]) for kind in kinds]
    if len(kinds) == 1:
        got = [LOSSES[kinds[0]][summary.failed > 1]]
    parts = f"{lost}{NO_BREAK}: {', '.join(got)}"
    if summary.ready_s is None:
        return parts
    ready = number(summary.once_ready) if summary.once_ready else "aucune"
    return f"{parts} ; {ready} une fois Ready"


def why(run: Run) -> str:
    """Tell what the probes of a variant that is never Ready complain of, most often first; empty where it is."""
    if any(event.kind == "ready" for event in run.pods):
        return ""
    complaints = Counter(
        (result.probe, result.detail.rpartition(": ")[2]) for result in run.probes if not result.ok
    )
    for (probe, reason), times in complaints.most_common(1):
        return f"la sonde {probe} a échoué {times} fois ({_reason(reason)})"
    return ""


def _reason(detail: str) -> str:
    if detail == "connection refused":
        return "connexion refusée : personne n’écoute sur ce port"
    return f"réponse {detail}" if detail.isdigit() else detail


def _against(predicted: Span | None) -> str:
    return ", non prévu" if predicted is None else f" (prévu {predicted.words()})"


def instant(at_s: float | None) -> str:
    """Write an instant after the container's start."""
    return "jamais" if at_s is None else f"{number(max(0.0, round(at_s, 1)))}{NO_BREAK}s"


def foreseen(span: Span | None) -> str:
    """Write when something was foreseen."""
    return "jamais" if span is None or math.isinf(span.lo_s) else span.words()


def sentence(run: Run, predictions: Mapping[str, object] | None = None) -> str:
    """Tell all about one variant."""
    summary = summarize(run)
    parts = [ready(summary), kill(summary), why(run), clients(summary)]
    if (reminder := words.predicted(predictions, run.name)) is not None:
        parts.append(f"{reminder}{NO_BREAK}s")
    return f"{title(run.name)}{NO_BREAK}: {' ; '.join(part for part in parts if part)}."


def alternative(recording: Recording, predictions: Mapping[str, object] | None = None) -> str:
    """Return the text alternative of the chart of probes."""
    runs = recording.runs
    longest_s = max((run.ended_s for run in runs), default=0.0)
    late_s = spread_s(runs)
    together = f"à {seconds(late_s)} d’intervalle" if late_s > TOGETHER_S else "au même instant"
    head = (
        f"{count(len(runs), 'variante')} du même programme lent démarrées {together}, "
        f"{recording.where}, de 0 à {seconds(longest_s)}{NO_BREAK}: ce que voient les clients, la vie du "
        "conteneur et chaque résultat de ses sondes, avec ce que le manifeste laissait prévoir."
    )
    sentences = [sentence(run, predictions) for run in runs]
    stand_in = [facts.stand_in for facts in map(ProbeFacts.of, runs) if facts.stand_in][:1]
    return " ".join([head, *sentences, *stand_in])
