"""What an autoscaler makes of a load over time, without a cluster: second by second, or look after look. Pure.

What a cluster does not say beforehand is tried in several ways: when in its period the autoscaler looks, and a few
percent of what a request costs. What comes out is an interval.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._autoscaler import KUBERNETES
from .._errors import UsageError
from .autoscaling import (
    Advice,
    Autoscaler,
    Decision,
    PodReading,
    ScaleEvent,
    decide,
    desired_replicas,
    proposal,
)

Points = Sequence[tuple[float, float]]
"""`(at_s, rate_per_s)`: straight lines between points, constant after the last (as in `traffic.Profile`)."""

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
    startup_s: float
    sync_period_s: float
    window_s: float


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


class _Controller:
    """An autoscaler that remembers from look to look what was asked for and what was done."""

    def __init__(self, scaler: Autoscaler, replicas: int, since_s: float) -> None:
        self._scaler = scaler
        self._advice = [Advice(since_s, replicas)]
        self._events: list[ScaleEvent] = []

    def look(self, at_s: float, current: int, asked: int, percent: int | None) -> Decision:
        """Decide, given what the measures ask for."""
        decision = decide(self._scaler, at_s, current, asked, percent, self._advice, self._events)
        self._advice.append(Advice(at_s, asked))
        if decision.desired != current:
            self._events.append(ScaleEvent(at_s, decision.desired - current))
        return decision


@dataclass(slots=True)
class _Pod:
    ready_s: float
    queue_s: float = 0.0
    """Processor seconds that wait."""
    used_s: list[float] | None = None


@dataclass(frozen=True, slots=True)
class ScalingCourse:
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
) -> ScalingCourse:
    """Lead a load past an autoscaler.

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
    controller = _Controller(scaler, scaler.min_replicas, -math.inf)
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
            decision = controller.look(at_s, len(pods), asked, percent)
            decisions.append(decision)
            more = range(decision.desired - decision.current)
            pods += [_Pod(at_s + workload.startup_s) for _ in more]
            del pods[decision.desired :]
        _work(pods, at_s, workload, cost)
        replicas.append(len(pods))
    return ScalingCourse(tuple(decisions), tuple(replicas))


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


def _first_above(way: ScalingCourse, low: int, begin_s: float) -> float | None:
    after = itertools.islice(enumerate(way.replicas), round(begin_s / _STEP_S), None)
    return next((step * _STEP_S - begin_s for step, count in after if count > low), None)


def _last_above(way: ScalingCourse, low: int, end_s: float) -> float | None:
    above = [step for step, count in enumerate(way.replicas) if count > low]
    if not above:
        return 0.0
    if above[-1] == len(way.replicas) - 1:
        return None
    return max(0.0, (above[-1] + 1) * _STEP_S - end_s)


def _interval(values: Sequence[float | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if len(known) == len(values) and known else None


def _envelope(ways: Sequence[ScalingCourse]) -> Iterator[Bounds]:
    last: tuple[int, int] | None = None
    for step, counts in enumerate(zip(*(way.replicas for way in ways), strict=True)):
        if (bounds := (min(counts), max(counts))) != last:
            last = bounds
            yield Bounds(step * _STEP_S, *bounds)


# --- look after look, with a load that stays a while and then changes

LOADED_ROUNDS = 4
LOADED_S = LOADED_ROUNDS * KUBERNETES.sync_period_s
"""How long the first load lasts: so many looks of an autoscaler, that many seconds."""
MOST_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Stretch:
    """Looks in a row that decide the same, for the same reason.

    Attributes
    ----------
    first_s, last_s : float
        When the first and the last of them take place.
    decision : Decision
        Of the first.
    """

    first_s: float
    last_s: float
    decision: Decision


def rounds(
    replicas: int,
    percent: int,
    scaler: Autoscaler,
    later_percent: int = 100,
    sync_period_s: float = KUBERNETES.sync_period_s,
) -> tuple[Decision, ...]:
    """Return each look of an autoscaler until nothing changes any more.

    The pods start at once, and the load is shared evenly: what matters here is the reckoning.

    Parameters
    ----------
    replicas : int
        Pods at first; so many were asked for until now.
    percent : int
        What each of them uses at first, in percent of its request.
    scaler : Autoscaler
        Target, bounds, tolerance, windows.
    later_percent : int
        Load from the look `LOADED_ROUNDS` on, in percent of the first load.
    sync_period_s : float
        From one look to the next.

    Raises
    ------
    UsageError
        No pod, or a load below zero.
    """
    if replicas < 1 or percent < 0 or later_percent < 0:
        raise UsageError(
            "Dérouler les décisions d’un autoscaler",
            f"{replicas} réplicas, {percent} % de mesure, {later_percent} % de la charge ensuite",
            "Donnez au moins un réplica, et des pourcentages qui ne sont pas négatifs.",
        )
    controller = _Controller(scaler, replicas, -sync_period_s)
    decisions: list[Decision] = []
    current = replicas
    while len(decisions) < MOST_ROUNDS and not _settled(decisions, scaler, sync_period_s):
        share = 100 if len(decisions) < LOADED_ROUNDS else later_percent
        seen = math.floor(replicas * percent * share / 100 / current)
        asked = desired_replicas(current, seen, scaler.target_percent, scaler.tolerance)
        decisions.append(controller.look(len(decisions) * sync_period_s, current, asked, seen))
        current = decisions[-1].desired
    changing = (index for index, made in enumerate(decisions) if made.desired != made.current)
    # Of the last looks, which change nothing any more, a few stay.
    return tuple(decisions[: max([LOADED_ROUNDS, *changing]) + 5])


def _settled(decisions: list[Decision], scaler: Autoscaler, sync_period_s: float) -> bool:
    """Return whether the windows have forgotten all that was asked for before the present state."""
    memory_s = [sync_period_s]
    for rules in (scaler.up, scaler.down):
        memory_s += [rules.window_s, *(policy.period_s for policy in rules.policies)]
    quiet = math.ceil(max(memory_s) / sync_period_s) + 1
    last = decisions[LOADED_ROUNDS:][-quiet:]
    states = {(decision.current, decision.asked, decision.desired) for decision in last}
    return len(last) == quiet and len(states) == 1


def stretches(decisions: Sequence[Decision]) -> tuple[Stretch, ...]:
    """Put looks in a row that say the same into one."""
    grouped = itertools.groupby(decisions, lambda decision: (decision.words, decision.desired))
    rows = [list(group) for _, group in grouped]
    return tuple(Stretch(row[0].at_s, row[-1].at_s, row[0]) for row in rows)
