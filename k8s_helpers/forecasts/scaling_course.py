"""How many pods a load over time leads to, second by second: the autoscaler played without a cluster. Pure.

What a cluster does not tell beforehand is played in several ways: when in its period the autoscaler looks, and a few
percent of what a request costs. What comes out is an interval.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .autoscaling import Decision, PodReading, decide, proposal
from .scaling_rules import Advice, Autoscaler, Change

Points = Sequence[tuple[float, float]]
"""`(at_s, rate_per_s)`: straight lines between points, constant after the last one (as in `load.Profile`)."""

_STEP_S = 0.25
_PHASES = (0.05, 0.35, 0.65, 0.95)
"""When the autoscaler looks first, as a share of its period."""
_COSTS = (0.97, 1.0, 1.03)
"""What a request may cost, as a share of what is expected."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A load, the pods that carry it, and how they are measured.

    Attributes
    ----------
    points : sequence of (float, float)
        The load over time, requests per second.
    cpu_s_per_request : float
        Processor seconds that a request takes.
    request_cores : float
        `resources.requests.cpu` of a pod.
    limit_cores : float or None
        `resources.limits.cpu`: what does not fit below it waits.
    startup_s : float
        From a pod's creation until it is ready.
    sync_period_s : float
        How often the autoscaler looks.
    window_s : float
        Over how long its measures are taken.
    """

    points: tuple[tuple[float, float], ...]
    cpu_s_per_request: float
    request_cores: float
    limit_cores: float | None
    startup_s: float = 1.0
    sync_period_s: float = 15.0
    window_s: float = 15.0


def rate_at(points: Points, at_s: float) -> float:
    """Return the rate of a load at an instant, in requests per second."""
    index = bisect.bisect_right([begin_s for begin_s, _ in points], at_s)
    if index == 0:
        return 0.0
    (begin_s, rate), *later = points[index - 1 : index + 1]
    if not later:
        return rate
    end_s, next_rate = later[0]
    return rate + (next_rate - rate) * (at_s - begin_s) / (end_s - begin_s)


def loaded(points: Points) -> tuple[float, float]:
    """Return when a load first leaves the rate that it begins with, and when it has its last one for good."""
    base, last = points[0][1], points[-1][1]
    begin_s = max(
        (at_s for at_s, rate in itertools.takewhile(lambda point: point[1] == base, points)),
        default=0.0,
    )
    after = list(itertools.takewhile(lambda point: point[1] == last, reversed(points)))
    return begin_s, after[-1][0]


@dataclass(slots=True)
class _Pod:
    ready_s: float
    queue_s: float = 0.0
    """Processor seconds that wait."""
    used_s: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """One way in which it may go.

    Attributes
    ----------
    decisions : tuple of Decision
        Each round of the autoscaler.
    replicas : tuple of int
        How many pods there are, every quarter of a second.
    """

    decisions: tuple[Decision, ...]
    replicas: tuple[int, ...]


def simulate(
    workload: Workload, scaler: Autoscaler, end_s: float, *, phase_s: float = 0.0, cost: float = 1.0
) -> Course:
    """Play a load against an autoscaler.

    Parameters
    ----------
    end_s : float
        How long.
    phase_s : float
        When the autoscaler looks first.
    cost : float
        Share of the expected cost that a request has.
    """
    pods = [_Pod(-math.inf) for _ in range(scaler.min_replicas)]
    advice = [Advice(-math.inf, scaler.min_replicas)]
    changes: list[Change] = []
    decisions: list[Decision] = []
    replicas: list[int] = []
    next_s = phase_s
    for step in range(round(end_s / _STEP_S)):
        at_s = step * _STEP_S
        if at_s >= next_s:
            next_s += workload.sync_period_s
            asked, percent = proposal(
                [_reading(pod, at_s, workload) for pod in pods],
                workload.request_cores,
                scaler.target_percent,
                scaler.tolerance,
            )
            made = decide(scaler, at_s, len(pods), asked, percent, advice, changes)
            decisions.append(made)
            advice.append(Advice(at_s, asked))
            if made.desired != made.current:
                changes.append(Change(at_s, made.desired - made.current))
            pods += [_Pod(at_s + workload.startup_s) for _ in range(made.desired - made.current)]
            del pods[made.desired :]
        _work(pods, at_s, workload, cost)
        replicas.append(len(pods))
    return Course(tuple(decisions), tuple(replicas))


def _work(pods: Sequence[_Pod], at_s: float, workload: Workload, cost: float) -> None:
    """Share a step's load among the pods that are ready."""
    open_pods = [pod for pod in pods if pod.ready_s <= at_s]
    rate = rate_at(workload.points, at_s)
    share_s = rate * workload.cpu_s_per_request * cost * _STEP_S / max(1, len(open_pods))
    most_s = math.inf if workload.limit_cores is None else workload.limit_cores * _STEP_S
    for pod in pods:
        if pod.used_s is None:
            pod.used_s = []
        if pod.ready_s <= at_s:
            pod.queue_s += share_s
        done_s = min(pod.queue_s, most_s)
        pod.queue_s -= done_s
        pod.used_s.append(done_s)


def _reading(pod: _Pod, at_s: float, workload: Workload) -> PodReading:
    if not pod.used_s:
        return PodReading(0.0, "unready")
    looked_at = pod.used_s[-round(workload.window_s / _STEP_S) :]
    used = sum(looked_at) / (len(looked_at) * _STEP_S)
    measured_whole = pod.ready_s + workload.window_s <= at_s
    return PodReading(used, "ready" if measured_whole else "unready")


@dataclass(frozen=True, slots=True)
class Bounds:
    """From an instant on: fewest and most pods that there may be."""

    at_s: float
    fewest: int
    most: int


@dataclass(frozen=True, slots=True)
class ScalingForecast:
    """All ways in which it may go, in one.

    Attributes
    ----------
    replicas : tuple of Bounds
        Over time; one entry a change.
    peak : tuple of (int, int)
        Fewest and most pods that its highest point may have.
    first_scale_up_s : tuple of (float, float), or None
        From the load's beginning; None where some way never scales up.
    back_to_min_s : tuple of (float, float), or None
        From the load's end; None where some way is not back by `end_s`.
    """

    replicas: tuple[Bounds, ...]
    peak: tuple[int, int]
    first_scale_up_s: tuple[float, float] | None
    back_to_min_s: tuple[float, float] | None


@functools.lru_cache(maxsize=64)
def predict(workload: Workload, scaler: Autoscaler, end_s: float) -> ScalingForecast:
    """Predict how many pods there are over time, as an interval.

    Parameters
    ----------
    end_s : float
        How far to look ahead, in seconds.
    """
    ways = [
        simulate(workload, scaler, end_s, phase_s=share * workload.sync_period_s, cost=cost)
        for share in _PHASES
        for cost in _COSTS
    ]
    peaks = [max(way.replicas) for way in ways]
    begin_s, last_s = loaded(workload.points)
    ups = [_first_above(way, scaler.min_replicas, begin_s) for way in ways]
    backs = [_last_above(way, scaler.min_replicas, last_s) for way in ways]
    return ScalingForecast(
        tuple(_envelope(ways)), (min(peaks), max(peaks)), _interval(ups), _interval(backs)
    )


def _first_above(way: Course, low: int, begin_s: float) -> float | None:
    after = itertools.islice(enumerate(way.replicas), round(begin_s / _STEP_S), None)
    return next((step * _STEP_S - begin_s for step, count in after if count > low), None)


def _last_above(way: Course, low: int, end_s: float) -> float | None:
    above = [step for step, count in enumerate(way.replicas) if count > low]
    if not above:
        return 0.0
    if above[-1] == len(way.replicas) - 1:
        return None
    return max(0.0, (above[-1] + 1) * _STEP_S - end_s)


def _interval(values: Sequence[float | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if len(known) == len(values) and known else None


def _envelope(ways: Sequence[Course]) -> Iterator[Bounds]:
    told: tuple[int, int] | None = None
    for step, counts in enumerate(zip(*(way.replicas for way in ways), strict=True)):
        if (bounds := (min(counts), max(counts))) != told:
            told = bounds
            yield Bounds(step * _STEP_S, *bounds)
