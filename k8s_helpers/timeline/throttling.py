"""How long the same work took under several processor limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..forecasts.span import Span
from ..forecasts.throttling import duration
from ..recording import Recording, Run
from .story import Story

_SLOWED = 1.3
"""A pod is slowed where its median is that many times that of the pod without limit."""


@dataclass(frozen=True, slots=True)
class ThrottlingSummary:
    """Times of one limit's answers, in seconds; None where there was none.

    Attributes
    ----------
    limit : str
        "sans", "500m" …
    latencies_s : tuple of float
        From the planned instant to the whole answer, sorted.
    failed : int
        Requests without a good answer.
    predicted : Span
        What the limit makes of the work alone.
    restarts : int
        Of its container: a processor limit kills nobody.
    """

    limit: str
    latencies_s: tuple[float, ...]
    failed: int
    predicted: Span
    restarts: int

    def percentile_s(self, share: float) -> float | None:
        """Return the time in which that share of the answers came."""
        return percentile(self.latencies_s, share)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value that a share of sorted values does not exceed; None of none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def throttling_summary(run: Run) -> ThrottlingSummary:
    """Compute the times of one limit."""
    found = run.parameters
    times = sorted(one.answered_s - one.planned_s for one in run.requests if one.ok)
    return ThrottlingSummary(
        run.name,
        tuple(times),
        sum(not one.ok for one in run.requests),
        duration(found["cpu_ms"] / 1000, found["limit_cores"]),
        sum(one.kind == "restarted" for one in run.pods),
    )


def throttling_json(recording: Recording) -> dict[str, Any]:
    """Return median and 95th percentile of each limit."""
    plain = {}
    for run in recording.runs:
        found = throttling_summary(run)
        plain[run.name] = {
            "p50_s": found.percentile_s(0.5),
            "p95_s": found.percentile_s(0.95),
            "predicted_s": found.predicted.to_plain(),
            "failed": found.failed,
            "restarts": found.restarts,
        }
    return {"limits": plain}


def throttling_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: who is slowed, and that nobody dies of it.

    A limit that leaves room for both (60 ms of work at half a processor: 60 to 110 ms) gets no verdict.
    """
    found = [throttling_summary(run) for run in recording.runs]
    least_s = min((one.predicted.lo_s for one in found), default=math.inf)
    free_s = min((one.percentile_s(0.5) or math.inf for one in found), default=math.inf)
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for one in found:
        median_s = one.percentile_s(0.5)
        verdicts[f"{one.limit} : redémarrages"] = one.restarts
        if not one.predicted.lo_s <= _SLOWED * least_s < one.predicted.hi_s:
            slowed = median_s is not None and median_s > _SLOWED * free_s
            verdicts[f"{one.limit} : ralenti"] = slowed
        if median_s is not None:
            durations[f"{one.limit} : médiane"] = median_s
    return Story(verdicts, durations)
