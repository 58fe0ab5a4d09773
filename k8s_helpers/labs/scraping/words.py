"""What the chart of collected metrics says, in French."""

from __future__ import annotations

from ..._french import count, number, typeset
from ...measure.recording import Recording
from .summary import summarize

COUNTERS = "Ce qu’on relève : vitrine_requests_total, un compteur par pod"
RATES = "Ce qu’on en calcule : de combien les compteurs ont grandi, par seconde"
DELETED = "un pod supprimé"


def verdict(recording: Recording) -> str:
    """Say what rate the counters give, and what traffic there was."""
    summary = summarize(recording.runs[0])
    rate, sent = number(summary.mean_per_s, 1), number(summary.sent_per_s, 0)
    if summary.tells_the_traffic:
        return typeset(
            f"Les compteurs retrouvent le trafic : {rate} requêtes/s, pour {sent} envoyées"
        )
    return typeset(f"Les compteurs donnent {rate} requêtes/s, le trafic en a {sent}")


def alternative(recording: Recording) -> str:
    """Return the chart in sentences."""
    summary = summarize(recording.runs[0])
    rows = " ; ".join(
        f"{pod}, {count(len(samples), 'relevé')}, de {number(samples[0].value, 0)} à {number(samples[-1].value, 0)}"
        for pod, samples in summary.series.items()
    )
    return typeset(
        f"Métriques relevées chaque seconde ({recording.where}). {verdict(recording)}. {COUNTERS} : {rows}."
    )
