"""A pod that got another processor limit while it worked: how long its answers took before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..forecasts.span import Span
from ..forecasts.throttling import duration
from ..recording import Recording, Run
from .story import Story
from .throttling import percentile

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
    refusal : str
        What was answered to more than the node has: "403" by the API server, or the node's "Infeasible".
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
    refusal: str
    kept: bool

    @property
    def faster(self) -> bool:
        """Whether answers took less time afterwards than the earlier limit would ever have let them."""
        if self.before_s is None or self.after_s is None or self.best_after_s is None:
            return False
        best = self.best_after_s < _FASTER * self.predicted_before[0]
        return best and self.after_s < self.before_s


def resize_summary(run: Run) -> ResizeSummary:
    """Compute what a resize did."""
    told = run.parameters
    asked, done = run.mark("resize"), run.mark("resized")
    work_s = told["cpu_ms"] / 1000
    return ResizeSummary(
        told["before_cores"],
        told["after_cores"],
        _share_s(run, 0.0, asked.at_s, 0.5) if asked else None,
        _share_s(run, done.at_s, run.ended_s, 0.5) if done else None,
        _share_s(run, done.at_s, run.ended_s, 0.0) if done else None,
        duration(work_s, told["before_cores"]),
        duration(work_s, told["after_cores"]),
        done.at_s - asked.at_s if asked and done else None,
        told.get("restarts", 0),
        told.get("same_container", False),
        sum(not one.ok for one in run.requests),
        next((one.answer for one in run.attempts), ""),
        told.get("limit_after_refusal_cores") == told["after_cores"],
    )


def _share_s(run: Run, begin_s: float, end_s: float, share: float) -> float | None:
    """Return the time in which that share of the requests that began and ended within a stretch were answered."""
    times = sorted(
        one.answered_s - one.planned_s
        for one in run.requests
        if one.ok and begin_s <= one.planned_s and one.answered_s <= end_s
    )
    return percentile(times, share)


def resize_json(recording: Recording) -> dict[str, Any]:
    """Return medians before and after, and what happened to the container."""
    found = resize_summary(recording.runs[0])
    return {
        "before_p50_s": found.before_s,
        "after_p50_s": found.after_s,
        "done_in_s": found.done_in_s,
        "restarts": found.restarts,
        "same_container": found.same_container,
        "failed": found.failed,
        "refusal": found.refusal,
    }


def resize_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: faster, the same container, and a limit to what can be had."""
    found = resize_summary(recording.runs[0])
    verdicts: dict[str, object] = {
        "réponses plus rapides": found.faster,
        "redémarrages": found.restarts,
        "même conteneur": found.same_container,
        "requêtes perdues": found.failed,
        "demande impossible refusée": bool(found.refusal),
        "limite gardée après ce refus": found.kept,
    }
    return Story(verdicts, {})
