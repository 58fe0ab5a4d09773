"""How far one pod keeps up with a growing load: what was sent, what was answered, how long it took."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ..recording import Recording, Run
from .story import Story

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
    p50_s, p95_s : float
        Half of the good answers, and 95 of 100, came within this time after they were due; infinite without any.
    """

    rate_per_s: float
    sent: int
    answered: int
    unsent: int
    p50_s: float
    p95_s: float

    @property
    def answered_per_s(self) -> float:
        """Good answers per second of the step."""
        due = self.sent + self.unsent
        return self.rate_per_s * self.answered / due if due else 0.0

    @property
    def kept_up(self) -> bool:
        """Whether nearly all was answered, and soon enough."""
        due = self.sent + self.unsent
        return due > 0 and self.answered >= GOOD_SHARE * due and self.p95_s <= SLOW_S


def capacity_step(run: Run) -> CapacityStep:
    """Return what became of one step of load."""
    good = sorted(one.answered_s - one.planned_s for one in run.requests if one.ok)
    unsent = sum(one.error == "unsent" for one in run.requests)
    return CapacityStep(
        float(run.parameters["rate_per_s"]),
        len(run.requests) - unsent,
        len(good),
        unsent,
        _share(good, 0.5),
        _share(good, 0.95),
    )


def capacity_steps(recording: Recording) -> tuple[CapacityStep, ...]:
    """Return each step, the lowest rate first."""
    return tuple(capacity_step(run) for run in recording.runs)


def sustained_per_s(recording: Recording) -> float:
    """Return the highest rate that the pod kept up with, 0 where it kept up with none."""
    return max((one.rate_per_s for one in capacity_steps(recording) if one.kept_up), default=0.0)


def capacity_json(recording: Recording) -> dict[str, Any]:
    """Return the entries of `summary.json`."""
    steps = [
        {
            key: value if math.isfinite(value) else None
            for key, value in {**asdict(one), "kept_up": one.kept_up}.items()
        }
        for one in capacity_steps(recording)
    ]
    return {"sustained_per_s": sustained_per_s(recording), "steps": steps}


def capacity_story(recording: Recording) -> Story:
    """Tell what holds on any machine; how far the pod comes does not: it is the machine's."""
    steps = capacity_steps(recording)
    return Story({"le premier palier est tenu": bool(steps) and steps[0].kept_up}, {})


def _share(values: list[float], share: float) -> float:
    if not values:
        return math.inf
    return values[max(0, math.ceil(share * len(values)) - 1)]
