"""How long the same work took under several processor limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...analysis.outcomes import latencies, percentile
from ...analysis.pods import instants
from ...analysis.story import Story
from ...forecasts.span import Span
from ...forecasts.throttling import duration
from ...measure.recording import Recording, Run
from .codes import NO_LIMIT, NO_LIMIT_IN_SUMMARY

_SLOWED = 1.3
"""A pod is slowed where its median is that many times that of the pod without limit."""


@dataclass(frozen=True, slots=True)
class ThrottlingSummary:
    """Times of one limit's answers, in seconds; None where there was none.

    Attributes
    ----------
    limit : str
        `NO_LIMIT`, "500m" …
    work_s : float
        Processor time of each request.
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
    work_s: float
    latencies_s: tuple[float, ...]
    failed: int
    predicted: Span
    restarts: int

    def percentile_s(self, share: float) -> float | None:
        """Return the time in which that share of the answers came."""
        return percentile(self.latencies_s, share)


def summarize(run: Run) -> ThrottlingSummary:
    """Compute the times of one limit."""
    work_s = run.parameters["cpu_ms"] / 1000
    return ThrottlingSummary(
        run.name,
        work_s,
        tuple(latencies(run.requests)),
        sum(not request.ok for request in run.requests),
        duration(work_s, run.parameters["limit_cores"]),
        len(instants(run, "restarted")),
    )


def slowed(summaries: Sequence[ThrottlingSummary]) -> list[str]:
    """Return the limits that made work wait: beside the pod without limit, or the work itself where there is none."""
    free = [summary.percentile_s(0.5) for summary in summaries if summary.limit == NO_LIMIT]
    medians = {summary.limit: summary.percentile_s(0.5) for summary in summaries}
    return [
        summary.limit
        for summary in summaries
        if (median_s := medians[summary.limit]) is not None
        and median_s > _SLOWED * next(filter(None, free), summary.work_s)
    ]


def to_json(recording: Recording) -> dict[str, Any]:
    """Return median and 95th percentile of each limit."""
    return {
        "limits": {
            NO_LIMIT_IN_SUMMARY if summary.limit == NO_LIMIT else summary.limit: {
                "p50_s": summary.percentile_s(0.5),
                "p95_s": summary.percentile_s(0.95),
                "predicted_s": summary.predicted.to_plain(),
                "failed": summary.failed,
                "restarts": summary.restarts,
            }
            for summary in map(summarize, recording.runs)
        }
    }


def to_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: who is slowed, and that nobody dies of it.

    A limit that leaves room for both (60 ms of work at half a processor: 60 to 110 ms) gets no verdict.
    """
    summaries = [summarize(run) for run in recording.runs]
    least_s = min((summary.predicted.lo_s for summary in summaries), default=math.inf)
    slow = slowed(summaries)
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for summary in summaries:
        limit = summary.limit
        verdicts[f"{limit}.restarts"] = summary.restarts
        if not summary.predicted.lo_s <= _SLOWED * least_s < summary.predicted.hi_s:
            verdicts[f"{limit}.slowed"] = limit in slow
        if (median_s := summary.percentile_s(0.5)) is not None:
            durations[f"{limit}.median"] = median_s
    return Story(verdicts, durations)
