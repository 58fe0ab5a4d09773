"""What share of the requests the canary got, against what its pods' share predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...analysis.outcomes import failed
from ...analysis.story import Story
from ...measure.recording import Recording, Run
from .forecast import share_interval

CANARY_VERSION = "v2"


@dataclass(frozen=True, slots=True)
class CanarySummary:
    """One step of a canary release.

    Attributes
    ----------
    stable, canary : int
        Pods of each version.
    answered, canary_answered, failed : int
        Requests that got a good answer, those of them that the canary gave, and those that were lost.
    expected : float
        Share of the canary's pods.
    interval : tuple of float
        Where its measured share lies but once in a thousand.
    """

    stable: int
    canary: int
    answered: int
    canary_answered: int
    failed: int
    expected: float
    interval: tuple[float, float]

    @property
    def share(self) -> float:
        """The canary's measured share, 0 to 1."""
        return self.canary_answered / self.answered if self.answered else 0.0

    @property
    def as_expected(self) -> bool:
        """Whether the measured share lies in the interval."""
        low, high = self.interval
        return self.answered > 0 and low <= self.share <= high


def summarize(run: Run) -> CanarySummary:
    """Count who answered."""
    good = [request for request in run.requests if request.ok]
    stable, canary = run.parameters["stable"], run.parameters["canary"]
    expected = canary / (stable + canary)
    return CanarySummary(
        stable=stable,
        canary=canary,
        answered=len(good),
        canary_answered=sum(request.version == CANARY_VERSION for request in good),
        failed=len(failed(run.requests)),
        expected=expected,
        interval=share_interval(expected, len(good)),
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each step."""
    return {"steps": {run.name: _to_plain(summarize(run)) for run in recording.runs}}


def _to_plain(step: CanarySummary) -> dict[str, Any]:
    return {
        "stable": step.stable,
        "canary": step.canary,
        "requests": step.answered,
        "failed": step.failed,
        "expected_share": round(step.expected, 4),
        "predicted_share": [round(bound, 4) for bound in step.interval],
        "share": round(step.share, 4),
    }


def to_story(recording: Recording) -> Story:
    """Return whether each step's share is that of its pods, and whether users lose anything."""
    steps = {run.name: summarize(run) for run in recording.runs}
    return Story.of(
        {
            name: {"share-in-interval": step.as_expected, "loses-requests": step.failed > 0}
            for name, step in steps.items()
        },
        {},
    )
