"""What an autoscaler is measured with, and what must come of it, without looking at what was measured. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..._checks import bounds
from ...forecasts.autoscaling import (
    DEFAULT_DOWN,
    Autoscaler,
    Decision,
    Plateau,
    Rules,
    bounded,
    desired_replicas,
    plateau,
)
from ...forecasts.autoscaling_course import (
    LOADED_S,
    ScalingForecast,
    Workload,
    loaded,
    predict,
    rounds,
)
from ...measure.recording import Run

__all__ = [
    "LOADED_S",
    "Autoscaler",
    "Decision",
    "ScalingFacts",
    "bounded",
    "desired_replicas",
    "rounds",
]

HELD_S = 20.0
"""A rate that stays for so long has a plateau."""
_LONGEST_LOAD_S = 180.0


@dataclass(frozen=True)
class ScalingFacts:
    """A load, the pods that carry it and their autoscaler, as a run's parameters have them; see `measure`.

    Attributes
    ----------
    profile : str
        A `LoadShape`.
    points : sequence of (float, float)
        The load over time: instant and requests per second.
    work_ms : float
        What a request is told to burn.
    cpu_s_per_request : float
        What it takes in all, as it was measured.
    shortened : mapping of str to (float, float)
        Delays that are not Kubernetes' own, by the setting: here, and by default, in seconds.
    """

    profile: str
    points: Sequence[Sequence[float]]
    target_percent: int
    min_replicas: int
    max_replicas: int
    cpu_ms: float
    request_millicores: int | None
    limit_millicores: int
    sync_period_s: float
    metrics_window_s: float
    stabilization_s: int
    shortened: Mapping[str, Sequence[float]]
    work_ms: float = 0.0
    cpu_s_per_request: float = 0.0

    @classmethod
    def of(cls, run: Run) -> ScalingFacts:
        """Read what a run was made with."""
        known = {field.name for field in fields(cls)}  # a run also says from where its traffic came
        return cls(**{name: value for name, value in run.parameters.items() if name in known})

    def to_plain(self) -> dict[str, Any]:
        """Return the run's parameters."""
        return asdict(self) | {"points": [list(point) for point in self.points]}

    def check(self) -> None:
        """Refuse what makes no sense; raises `UsageError`."""
        limit, request = self.limit_millicores, self.request_millicores
        assert self.scaler  # refuses a target of zero, and bounds that contradict each other
        bounds(
            "Mesurer un autoscaler",
            (self.max_replicas, 1, 20, "réplicas au plus"),
            (self.cpu_ms, 1, 1000, "ms par requête"),
            (limit if request is None else request, 10, limit, "m de processeur demandés"),
            (self.stabilization_s, 0, 120, "s de stabilisation"),
            (self.loaded[1], 1, _LONGEST_LOAD_S, "s d’une charge qui change"),
        )

    @property
    def scaler(self) -> Autoscaler:
        """The autoscaler's specification."""
        down = Rules(DEFAULT_DOWN.policies, float(self.stabilization_s))
        return Autoscaler(self.target_percent, self.min_replicas, self.max_replicas, down=down)

    @property
    def request_cores(self) -> float:
        """What a pod asks for; 0 where it asks for nothing."""
        return (self.request_millicores or 0) / 1000

    @property
    def highest_per_s(self) -> float:
        """The highest rate of the load."""
        return max(rate for _, rate in self.points)

    @property
    def load(self) -> tuple[tuple[float, float], ...]:
        """The load over time, as `Profile` and forecasts want it."""
        return tuple((at_s, rate) for at_s, rate in self.points)

    @property
    def loaded(self) -> tuple[float, float]:
        """When the load begins and ends, in seconds."""
        return loaded(self.load)

    @property
    def plateau(self) -> Plateau:
        """Where the highest rate leads to if it stays."""
        return plateau(
            self.highest_per_s,
            self.cpu_s_per_request,
            self.request_cores,
            self.target_percent,
            self.min_replicas,
            self.max_replicas,
        )

    @property
    def has_plateau(self) -> bool:
        """Whether the highest rate stays long enough."""
        held_s = sum(
            end_s - begin_s
            for (begin_s, rate), (end_s, next_rate) in itertools.pairwise(self.points)
            if rate == next_rate == self.highest_per_s
        )
        return held_s >= HELD_S

    def forecast(self, ended_s: float) -> ScalingForecast:
        """Predict how many pods there are over time, at least until a run's end."""
        workload = Workload(
            points=self.load,
            cpu_s_per_request=self.cpu_s_per_request,
            request_cores=self.request_cores,
            limit_cores=self.limit_millicores / 1000,
            startup_s=1.0,
            sync_period_s=self.sync_period_s,
            window_s=self.metrics_window_s,
        )
        # A horizon that does not move with each frame of a live chart: the forecast is then made once.
        horizon_s = self.points[-1][0] + self.stabilization_s + 60.0
        return predict(workload, self.scaler, max(horizon_s, 60.0 * math.ceil(ended_s / 60.0)))

    def predicted_replicas(self, ended_s: float) -> int:
        """Return how many pods there shall be at the plateau; at the highest point where there is none."""
        return self.plateau.replicas if self.has_plateau else self.forecast(ended_s).peak[1]
