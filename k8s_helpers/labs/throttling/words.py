"""What processor limits did, in French words."""

from __future__ import annotations

from collections.abc import Sequence

from ..._french import NO_BREAK, count, number, seconds
from .codes import NO_LIMIT
from .summary import ThrottlingSummary, slowed

ENOUGH_FOR_95 = 20
"""Answers that a 95th percentile needs: one of twenty is later."""


def name(limit: str) -> str:
    """Name a limit."""
    return "sans limite" if limit == NO_LIMIT else f"limite {limit}"


def times(summary: ThrottlingSummary) -> str:
    """Tell the median and how late the last answers were, beside what was predicted of the work alone.

    Of a few answers, the fastest and the slowest: a 95th percentile of five is the slowest by another name.
    """
    median_s, late_s = summary.percentile_s(0.5), summary.percentile_s(0.95)
    if median_s is None or late_s is None:
        return "aucune réponse"
    if len(summary.latencies_s) >= ENOUGH_FOR_95:
        spread = f"95{NO_BREAK}% en {_ms(late_s)}"
    else:
        first, last = _ms(summary.latencies_s[0]), _ms(summary.latencies_s[-1])
        spread = f"de {first} à {last} en {len(summary.latencies_s)}{NO_BREAK}réponses"
    lo, hi = (number(1000 * bound, 0) for bound in summary.predicted)
    foreseen = lo if lo == hi else f"{lo} à {hi}"
    return f"médiane {_ms(median_s)}, {spread} (prévu {foreseen}{NO_BREAK}ms pour le calcul)"


def _ms(value_s: float) -> str:
    return f"{number(1000 * value_s, 0)}{NO_BREAK}ms" if value_s < 1 else seconds(value_s)


def title(work_ms: float) -> str:
    """Tell what was asked under each limit."""
    return f"{number(work_ms)}{NO_BREAK}ms de calcul par requête, selon la limite de processeur"


def verdict(summaries: Sequence[ThrottlingSummary]) -> str:
    """Tell whether a limit made the work wait, and how often a container was restarted."""
    restarts = sum(summary.restarts for summary in summaries)
    died = "aucun redémarrage" if not restarts else count(restarts, "redémarrage")
    if slowed(summaries):
        return f"La limite de processeur fait attendre le travail{NO_BREAK}; {died}"
    return f"Aucune limite ne fait attendre le travail{NO_BREAK}; {died}"


def sentences(summaries: Sequence[ThrottlingSummary]) -> str:
    """Tell the times under each limit, a sentence each."""
    return " ".join(
        f"{name(summary.limit).capitalize()}{NO_BREAK}: {times(summary)}." for summary in summaries
    )
