"""What a rolling update will do, from the Deployment's numbers alone: pods at most, ready pods at least, how long.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment, and
`ResolveFenceposts` in kubernetes/pkg/controller/deployment/util/deployment_util.go
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import UsageError

SLACK_S = 1.0
"""What controllers, scheduler and kubelet take for a pod besides its program and its probe, on a laptop."""


@dataclass(frozen=True)
class PodPlan:
    """One pod of the update: when it is created, ready and told to stop, in seconds from the update's start.

    Attributes
    ----------
    new : bool
        Of the new version.
    created_s : float
        0 for the pods of the old version: they were there before.
    ready_s : float
        From when on it answers.
    stopped_s : float or None
        When it is told to stop; None for a pod that stays.
    """

    new: bool
    created_s: float
    ready_s: float
    stopped_s: float | None


@dataclass(frozen=True)
class Rollout:
    """What a rolling update will do.

    Attributes
    ----------
    surge, unavailable : int
        What `maxSurge` and `maxUnavailable` come to, in pods.
    waves : int
        How many times the update waits for new pods.
    peak_pods, lowest_ready : int
        Most pods at once (those that end not counted) and fewest ready ones.
    duration_s : tuple of float
        From the first new pod to the last one that is ready: shortest and longest, in seconds.
    pods : tuple of PodPlan
        Each pod's life, at the shortest.
    """

    surge: int
    unavailable: int
    waves: int
    peak_pods: int
    lowest_ready: int
    duration_s: tuple[float, float]
    pods: tuple[PodPlan, ...]


def band(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a Deployment's `maxSurge` and `maxUnavailable` come to; nothing where it has none."""
    rolling = deployment["spec"]["strategy"].get("rollingUpdate")
    if not rolling:
        return {}
    surge, unavailable = resolve(
        rolling["maxSurge"], rolling["maxUnavailable"], deployment["spec"]["replicas"]
    )
    return {
        "max_surge": rolling["maxSurge"],
        "max_unavailable": rolling["maxUnavailable"],
        "max_surge_pods": surge,
        "max_unavailable_pods": unavailable,
    }


def resolve(max_surge: int | str, max_unavailable: int | str, replicas: int) -> tuple[int, int]:
    """Return how many pods a surge and an unavailability are.

    Percentages are of the replicas, rounded up for the surge and down for the unavailable; where both come to 0, one
    may be unavailable.

    Raises
    ------
    UsageError
        Neither a whole number nor a percentage, or below zero.
    """
    surge = math.ceil(_pods(max_surge, replicas))
    unavailable = math.floor(_pods(max_unavailable, replicas))
    return surge, unavailable if surge or unavailable else 1


def _pods(value: int | str, replicas: int) -> float:
    if isinstance(value, int) and value >= 0:
        return value
    if match := re.fullmatch(r"(\d+)%", str(value)):
        return replicas * int(match[1]) / 100
    raise UsageError(
        "Lire maxSurge et maxUnavailable",
        f"« {value} » n’est ni un nombre de pods ni un pourcentage",
        "Écrivez par exemple 1, ou 25%.",
    )


def forecast(
    replicas: int,
    max_surge: int | str = "25%",
    max_unavailable: int | str = "25%",
    startup_s: float = 3.0,
    period_s: float = 1.0,
) -> Rollout:
    """Tell what a rolling update will do.

    The controller replaces pods in waves: it creates as many as the surge and the places left free allow, waits until
    they are ready, stops as many old ones, and goes on.

    Parameters
    ----------
    replicas : int
        What the Deployment asks for, 1 or more.
    max_surge, max_unavailable : int or str
        As the manifest writes them.
    startup_s : float
        What the program takes before it answers, in seconds.
    period_s : float
        `periodSeconds` of its readiness probe: a pod that answers may wait that long until it is asked.

    Raises
    ------
    UsageError
        Numbers that make no sense.
    """
    if replicas < 1 or startup_s < 0 or period_s <= 0:
        raise UsageError(
            "Prévoir une mise à jour",
            f"{replicas} réplicas, {startup_s} s de démarrage, une sonde toutes les {period_s} s",
            "Donnez au moins un réplica et des durées positives.",
        )
    surge, unavailable = resolve(max_surge, max_unavailable, replicas)
    surge, unavailable = min(surge, replicas), min(unavailable, replicas)
    step = surge + unavailable
    waves = math.ceil(replicas / step)
    longest_s = waves * (startup_s + period_s + SLACK_S)
    return Rollout(
        surge,
        unavailable,
        waves,
        replicas + surge,
        replicas - unavailable,
        (waves * startup_s, longest_s),
        _pods_of(replicas, unavailable, step, startup_s),
    )


def _pods_of(replicas: int, unavailable: int, step: int, startup_s: float) -> tuple[PodPlan, ...]:
    """Return each pod's life: the old ones, first those that stop first, then the new ones."""
    first = [PodPlan(False, 0.0, 0.0, 0.0)] * unavailable
    others = [
        PodPlan(False, 0.0, 0.0, (index // step + 1) * startup_s)
        for index in range(replicas - unavailable)
    ]
    new = []
    for index in range(replicas):
        created_s = index // step * startup_s
        new.append(PodPlan(True, created_s, created_s + startup_s, None))
    return (*first, *others, *new)
