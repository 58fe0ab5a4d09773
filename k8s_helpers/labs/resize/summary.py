"""A pod that got another processor limit while it worked: how long its answers took before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...analysis.outcomes import latencies, percentile
from ...analysis.story import Story
from ...forecasts.span import Span
from ...forecasts.throttling import duration
from ...measure.recording import Recording, Run
from .codes import ResizeMark

_FASTER = 0.8
"""Answers are faster where the best one took less than that share of what the earlier limit allows at best."""


@dataclass(frozen=True, slots=True)
class ResizeSummary:
    """What a resize did, in seconds; None where there was no answer.

    Attributes
    ----------
    before_cores, after_cores : float
        Limits.
    before_s, after_s : float or None
        Median time of an answer.
    best_after_s : float or None
        The quickest answer afterwards: what a busy machine delays the least.
    predicted_before, predicted_after : Span
        What each limit makes of the work alone.
    done_in_s : float or None
        From the request until the container ran with its new limit.
    restarts : int
        Of the container.
    same_container : bool
        Whether it is the same one as before.
    failed : int
        Requests without a good answer.
    refused : bool or None
        Whether more than the node has was refused; None where it was not asked for yet.
    refusal : str
        What was answered to that: "403" by the API server, or the node's "Infeasible".
    kept : bool
        Whether the limit stayed as it was after that.
    """

    before_cores: float
    after_cores: float
    before_s: float | None
    after_s: float | None
    best_after_s: float | None
    predicted_before: Span
    predicted_after: Span
    done_in_s: float | None
    restarts: int
    same_container: bool
    failed: int
    refused: bool | None
    refusal: str
    kept: bool

    @property
    def faster(self) -> bool:
        """Whether answers took less time afterwards than the earlier limit would ever have let them."""
        if self.before_s is None or self.after_s is None or self.best_after_s is None:
            return False
        best = self.best_after_s < _FASTER * self.predicted_before[0]
        return best and self.after_s < self.before_s


def summarize(run: Run) -> ResizeSummary:
    """Compute what a resize did."""
    parameters = run.parameters
    before, after = parameters["before_cores"], parameters["after_cores"]
    asked, done = run.mark(ResizeMark.ASKED), run.mark(ResizeMark.DONE)
    work_s = parameters["cpu_ms"] / 1000
    before_times = latencies(run.requests, 0.0, asked.at_s) if asked else []
    after_times = latencies(run.requests, done.at_s, run.ended_s) if done else []
    too_much = next(iter(run.attempts), None)
    return ResizeSummary(
        before_cores=before,
        after_cores=after,
        before_s=percentile(before_times, 0.5),
        after_s=percentile(after_times, 0.5),
        best_after_s=percentile(after_times, 0.0),
        predicted_before=duration(work_s, before),
        predicted_after=duration(work_s, after),
        done_in_s=done.at_s - asked.at_s if asked and done else None,
        restarts=parameters.get("restarts", 0),
        same_container=parameters.get("same_container", False),
        failed=sum(not request.ok for request in run.requests),
        refused=None if too_much is None else not too_much.ok,
        refusal="" if too_much is None else too_much.answer,
        kept=parameters.get("limit_after_refusal_cores") == after,
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return medians before and after, and what happened to the container."""
    summary = summarize(recording.runs[0])
    return {
        "before_p50_s": summary.before_s,
        "after_p50_s": summary.after_s,
        "done_in_s": summary.done_in_s,
        "restarts": summary.restarts,
        "same_container": summary.same_container,
        "failed": summary.failed,
        "refusal": summary.refusal,
    }


def to_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: faster, the same container, and a limit to what can be had."""
    summary = summarize(recording.runs[0])
    verdicts: dict[str, object] = {
        "faster": summary.faster,
        "restarts": summary.restarts,
        "same-container": summary.same_container,
        "failed": summary.failed,
        "too-much-refused": summary.refused,
        "limit-kept": summary.kept,
    }
    return Story(verdicts, {})
