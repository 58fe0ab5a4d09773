"""How far one pod keeps up with a growing load: what was sent, what was answered, how long it took."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...analysis.outcomes import percentile
from ...analysis.story import Story
from ...measure.recording import Recording, Run

GOOD_SHARE = 0.99
"""A pod keeps up when that share of the requests is answered well…"""
SLOW_S = 0.5
"""… and 95 of 100 answers come within this time."""


@dataclass(frozen=True, slots=True)
class CapacityStep:
    """One step of load.

    Attributes
    ----------
    rate_per_s : float
        Requests per second that were due.
    sent, answered : int
        Requests that left, and those that got a good answer.
    unsent : int
        Requests that the client itself could not send.
    p50_s, p95_s : float or None
        Half of the good answers, and 95 of 100, came within this time after they were due; None without any.
    """

    rate_per_s: float
    sent: int
    answered: int
    unsent: int
    p50_s: float | None
    p95_s: float | None

    @property
    def answered_per_s(self) -> float:
        """Good answers per second of the step."""
        due = self.sent + self.unsent
        return self.rate_per_s * self.answered / due if due else 0.0

    @property
    def kept_up(self) -> bool:
        """Whether nearly all was answered, and soon enough."""
        due = self.sent + self.unsent
        soon = self.p95_s is not None and self.p95_s <= SLOW_S
        return soon and self.answered >= GOOD_SHARE * due


def capacity_step(run: Run) -> CapacityStep:
    """Return what became of one step of load."""
    good = sorted(request.answered_s - request.planned_s for request in run.requests if request.ok)
    unsent = sum(request.error == "unsent" for request in run.requests)
    return CapacityStep(
        float(run.parameters["rate_per_s"]),
        len(run.requests) - unsent,
        len(good),
        unsent,
        percentile(good, 0.5),
        percentile(good, 0.95),
    )


def capacity_steps(recording: Recording) -> tuple[CapacityStep, ...]:
    """Return each step, the lowest rate first."""
    return tuple(capacity_step(run) for run in recording.runs)


def sustained_per_s(recording: Recording) -> float:
    """Return the highest rate that the pod kept up with, 0 where it kept up with none."""
    return max((step.rate_per_s for step in capacity_steps(recording) if step.kept_up), default=0.0)


def to_json(recording: Recording) -> dict[str, Any]:
    """Return the entries of `summary.json`."""
    return {
        "sustained_per_s": sustained_per_s(recording),
        "steps": [{**asdict(step), "kept_up": step.kept_up} for step in capacity_steps(recording)],
    }


def to_story(recording: Recording) -> Story:
    """Tell what holds on any machine; how far the pod comes does not: it is the machine's."""
    steps = capacity_steps(recording)
    return Story({"first-step-kept-up": bool(steps) and steps[0].kept_up}, {})
