"""What processor limits did, in French words."""

from __future__ import annotations

from collections.abc import Sequence

from ..._french import NO_BREAK, count, number, seconds
from .codes import NO_LIMIT
from .summary import ThrottlingSummary, slowed


def name(limit: str) -> str:
    """Name a limit."""
    return "sans limite" if limit == NO_LIMIT else f"limite {limit}"


def times(summary: ThrottlingSummary) -> str:
    """Tell median and 95th percentile, beside what was predicted of the work alone."""
    median_s, late_s = summary.percentile_s(0.5), summary.percentile_s(0.95)
    if median_s is None or late_s is None:
        return "aucune réponse"
    lo, hi = (number(1000 * bound, 0) for bound in summary.predicted)
    foreseen = lo if lo == hi else f"{lo} à {hi}"
    words = f"médiane {_ms(median_s)}, 95{NO_BREAK}% en {_ms(late_s)}"
    return f"{words} (prévu {foreseen}{NO_BREAK}ms pour le calcul)"


def _ms(value_s: float) -> str:
    return f"{number(1000 * value_s, 0)}{NO_BREAK}ms" if value_s < 1 else seconds(value_s)


def title(work_ms: float) -> str:
    """Tell what was asked under each limit."""
    return f"{number(work_ms)}{NO_BREAK}ms de calcul par requête, selon la limite de processeur"


def verdict(summaries: Sequence[ThrottlingSummary]) -> str:
    """Tell whether a limit made the work wait, and whether anybody died of it."""
    restarts = sum(summary.restarts for summary in summaries)
    died = "personne n’en meurt" if not restarts else count(restarts, "redémarrage")
    if slowed(summaries):
        return f"Le processeur se bride{NO_BREAK}: le travail attend, {died}"
    return f"Aucune limite ne fait attendre le travail, {died}"


def sentences(summaries: Sequence[ThrottlingSummary]) -> str:
    """Tell the times under each limit, a sentence each."""
    return " ".join(
        f"{name(summary.limit).capitalize()}{NO_BREAK}: {times(summary)}." for summary in summaries
    )
