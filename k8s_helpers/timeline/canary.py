"""What share of the requests the canary got, against what its pods' share predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..forecasts.canary import share_interval
from ..recording import Recording, Run
from .outcomes import failed
from .story import Story

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


def canary_summary(run: Run) -> CanarySummary:
    """Count who answered."""
    good = [one for one in run.requests if one.ok]
    stable, canary = run.parameters["stable"], run.parameters["canary"]
    expected = canary / (stable + canary)
    return CanarySummary(
        stable=stable,
        canary=canary,
        answered=len(good),
        canary_answered=sum(one.version == CANARY_VERSION for one in good),
        failed=len(failed(run.requests)),
        expected=expected,
        interval=share_interval(expected, len(good)),
    )


def canary_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each step."""
    steps = {}
    for run in recording.runs:
        found = canary_summary(run)
        steps[run.name] = {
            "stable": found.stable,
            "canary": found.canary,
            "requests": found.answered,
            "failed": found.failed,
            "expected_share": round(found.expected, 4),
            "predicted_share": [round(bound, 4) for bound in found.interval],
            "share": round(found.share, 4),
        }
    return {"steps": steps}


def canary_story(recording: Recording) -> Story:
    """Return whether each step's share is that of its pods, and whether users lose anything."""
    verdicts: dict[str, object] = {}
    for run in recording.runs:
        found = canary_summary(run)
        verdicts[f"{run.name} : part dans l’intervalle"] = found.as_expected
        verdicts[f"{run.name} : perd des requêtes"] = found.failed > 0
    return Story(verdicts, {})
