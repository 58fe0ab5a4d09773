"""What a HorizontalPodAutoscaler is told, and what holds it back: bounds, stabilisation windows, `behavior`. Pure.

Source: `pkg/controller/podautoscaler/horizontal.go` of Kubernetes,
https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._errors import UsageError

TOLERANCE = 0.1
"""`--horizontal-pod-autoscaler-tolerance`."""
DEFAULT_SYNC_PERIOD_S = 15.0
"""`--horizontal-pod-autoscaler-sync-period`."""
DEFAULT_DOWN_WINDOW_S = 300.0
"""`--horizontal-pod-autoscaler-downscale-stabilization`."""

ROUNDING = 1e-9
"""Binary fractions: 1.1 − 1 exceeds 0.1 by less than this."""


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `value` pods, or that percentage of them, within `period_s` seconds."""

    kind: Literal["Pods", "Percent"]
    value: int
    period_s: float


@dataclass(frozen=True, slots=True)
class Rules:
    """One direction of `behavior`: how fast it may go, and how long it thinks before."""

    policies: tuple[Policy, ...]
    window_s: float
    select: Literal["Max", "Min", "Disabled"] = "Max"


DEFAULT_UP = Rules((Policy("Pods", 4, 15.0), Policy("Percent", 100, 15.0)), 0.0)
DEFAULT_DOWN = Rules((Policy("Percent", 100, 15.0),), DEFAULT_DOWN_WINDOW_S)


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """What a HorizontalPodAutoscaler on CPU is told.

    Attributes
    ----------
    target_percent : int
        `averageUtilization`: percentage of the pods' CPU requests.
    min_replicas, max_replicas : int
        Bounds.
    up, down : Rules
        `behavior`.
    tolerance : float
        Share of the target by which the measure may be off before anything changes.
    """

    target_percent: int
    min_replicas: int
    max_replicas: int
    up: Rules = DEFAULT_UP
    down: Rules = DEFAULT_DOWN
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        if self.target_percent >= 1 and 1 <= self.min_replicas <= self.max_replicas:
            return
        raise UsageError(
            "Prévoir un autoscaler",
            f"cible {self.target_percent} %, de {self.min_replicas} à {self.max_replicas} réplicas",
            "Donnez une cible d’au moins 1 % (elle divise la mesure : zéro n’a pas de sens), au moins 1 réplica, et un "
            "maximum qui n’est pas sous le minimum.",
        )

    @classmethod
    def of(cls, hpa: Mapping[str, Any]) -> Autoscaler:
        """Read a manifest of `autoscaling/v2` with a CPU target; what it does not say has Kubernetes' defaults."""
        spec = hpa["spec"]
        (metric,) = (
            one["resource"]
            for one in spec["metrics"]
            if one["type"] == "Resource" and one["resource"]["name"] == "cpu"
        )
        behavior = spec.get("behavior") or {}
        return cls(
            int(metric["target"]["averageUtilization"]),
            int(spec.get("minReplicas", 1)),
            int(spec["maxReplicas"]),
            _rules(behavior.get("scaleUp"), DEFAULT_UP),
            _rules(behavior.get("scaleDown"), DEFAULT_DOWN),
        )


def _rules(plain: Mapping[str, Any] | None, default: Rules) -> Rules:
    if plain is None:
        return default
    policies = tuple(
        Policy(one["type"], int(one["value"]), float(one["periodSeconds"]))
        for one in plain.get("policies") or ()
    )
    window_s = plain.get("stabilizationWindowSeconds")
    return Rules(
        policies or default.policies,
        default.window_s if window_s is None else float(window_s),
        plain.get("selectPolicy") or "Max",
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A change of scale that was made: by how many pods (negative: fewer)."""

    at_s: float
    by: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What the measures asked for at an instant; the stabilisation windows look back at these."""

    at_s: float
    replicas: int


def bounded(replicas: int, scaler: Autoscaler) -> int:
    """Return replicas within minReplicas and maxReplicas."""
    return max(scaler.min_replicas, min(scaler.max_replicas, replicas))


def stabilised(
    scaler: Autoscaler, at_s: float, current: int, asked: int, advice: Sequence[Advice]
) -> int:
    """Go up by the least, down by the most that was asked for within each direction's window."""

    def since(window_s: float) -> list[int]:
        return [asked, *(one.replicas for one in advice if one.at_s > at_s - window_s)]

    least, most = min(since(scaler.up.window_s)), max(since(scaler.down.window_s))
    return min(max(current, least), most)


def limited(
    scaler: Autoscaler, at_s: float, current: int, wanted: int, changes: Sequence[Change]
) -> int:
    """Return how far towards `wanted` the policies of `behavior` allow to go now."""
    if wanted > current:
        return max(current, min(wanted, _furthest(scaler.up, 1, at_s, current, changes)))
    if wanted < current:
        return min(current, max(wanted, _furthest(scaler.down, -1, at_s, current, changes)))
    return wanted


def _furthest(rules: Rules, sign: int, at_s: float, current: int, changes: Sequence[Change]) -> int:
    """Return how far the policies of one direction allow to go: what their periods have used up is taken off."""
    if rules.select == "Disabled":
        return current
    limits = []
    for policy in rules.policies:
        begin = current - sum(one.by for one in changes if one.at_s > at_s - policy.period_s)
        share = policy.value if policy.kind == "Pods" else begin * policy.value / 100
        limit = begin + sign * share
        limits.append(math.ceil(limit - ROUNDING) if sign > 0 else math.floor(limit + ROUNDING))
    boldest, shyest = (max, min) if sign > 0 else (min, max)
    return boldest(limits) if rules.select == "Max" else shyest(limits)
