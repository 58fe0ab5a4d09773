"""What an autoscaler did with a load: its decisions, when it went up and came back, beside what was predicted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..forecasts.autoscaling import Plateau, explain, plateau
from ..forecasts.scaling_course import ScalingForecast, Workload, predict
from ..forecasts.scaling_rules import DEFAULT_DOWN, Autoscaler, Rules
from ..recording import Recording, Request, Run
from .effort import Effort, effort
from .pods import lives
from .story import Story

HELD_S = 20.0
"""A rate that stays for so long has a plateau."""
SETTLING_WINDOWS = 5
"""How many windows of the metrics it takes until none holds the time before the load."""
SAMPLE_LAG_S = 2.0
"""How long after a decision a sample may first show it."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """A change of the number of pods that the autoscaler decided.

    Attributes
    ----------
    current, desired : int
        Pods before, and from then on.
    percent : int or None
        CPU utilisation that the autoscaler saw, in percent of the requests.
    words : str
        The reckoning with its figures, in French.
    """

    at_s: float
    current: int
    desired: int
    percent: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Answer times of the requests planned in a stretch of time, in seconds; failures count as lasting until then."""

    at_s: float
    p50_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class AutoscalingSummary:
    """The numbers of one load.

    Attributes
    ----------
    predicted_replicas : int
        At the load's plateau; at its highest point where it has none.
    plateau_replicas : int
        How many there were for most of the time once the autoscaler had settled and while the load stayed, where it
        has a plateau; otherwise `max_replicas`.
    max_replicas : int
        Most pods at once that were not about to end. Measures that reach back to the time before the new pods
        (metrics-server looks back 15 s and more) make an autoscaler overshoot, then correct itself.
    first_scale_up_s : float or None
        From the load's beginning until the first new pod was created.
    back_to_min_s : float or None
        From the load's end until there were no more pods than the minimum.
    cpu_target : int
        In percent of the requests.
    effort : Effort
        How well the load was really sent.
    """

    profile: str
    predicted_replicas: int
    plateau_replicas: int
    max_replicas: int
    min_replicas: int
    first_scale_up_s: float | None
    back_to_min_s: float | None
    cpu_target: int
    failed: int
    effort: Effort


def scaler_of(run: Run) -> Autoscaler:
    """Return what the autoscaler of a run was told."""
    told = run.parameters
    down = Rules(DEFAULT_DOWN.policies, float(told["stabilization_s"]))
    return Autoscaler(told["target_percent"], told["min_replicas"], told["max_replicas"], down=down)


def plateau_of(run: Run) -> Plateau:
    """Return where the highest rate of a run leads to if it stays."""
    told = run.parameters
    return plateau(
        max(rate for _, rate in told["points"]),
        told["cpu_s_per_request"],
        told["request_millicores"] / 1000,
        told["target_percent"],
        told["min_replicas"],
        told["max_replicas"],
    )


def forecast_of(run: Run) -> ScalingForecast:
    """Predict a run from what it was made with, without looking at what was measured."""
    told = run.parameters
    workload = Workload(
        points=tuple((at_s, rate) for at_s, rate in told["points"]),
        cpu_s_per_request=told["cpu_s_per_request"],
        request_cores=told["request_millicores"] / 1000,
        limit_cores=told["limit_millicores"] / 1000,
        startup_s=1.0,
        sync_period_s=told["sync_period_s"],
        window_s=told["metrics_window_s"],
    )
    # A horizon that does not move with each frame of a live chart: the forecast is then played once.
    horizon_s = told["points"][-1][0] + told["stabilization_s"] + 60.0
    return predict(workload, scaler_of(run), max(horizon_s, 60.0 * math.ceil(run.ended_s / 60.0)))


def predicted_replicas(run: Run) -> int:
    """Return how many pods a run shall have at its plateau; at its highest where it has none."""
    return plateau_of(run).replicas if _has_plateau(run) else forecast_of(run).peak[1]


def _has_plateau(run: Run) -> bool:
    points = run.parameters["points"]
    highest = max(rate for _, rate in points)
    held_s = sum(
        end_s - begin_s
        for (begin_s, rate), (end_s, next_rate) in itertools.pairwise(points)
        if rate == next_rate == highest
    )
    return bool(held_s >= HELD_S)


def scalings(run: Run) -> tuple[Scaling, ...]:
    """Return each decision that changed the number of pods, as the autoscaler's status told it."""
    scaler = scaler_of(run)
    by_time: dict[float, dict[str, float]] = {}
    for one in run.samples:
        if one.name.startswith("hpa_"):
            by_time.setdefault(one.at_s, {})[one.name] = one.value
    found: list[Scaling] = []
    before: int | None = None
    for at_s, said in sorted(by_time.items()):
        desired = int(said.get("hpa_desired", 0))
        if before is not None and desired != before:
            percent = int(said["hpa_percent"]) if "hpa_percent" in said else None
            words = explain(scaler, before, percent, desired)
            found.append(Scaling(_done_s(run, at_s), before, desired, percent, words))
        before = desired
    return tuple(found)


def _done_s(run: Run, seen_s: float) -> float:
    """Return when a decision that a sample shows was carried out: its Event tells it more finely."""
    told = [
        one.at_s
        for one in run.events
        if one.reason == "SuccessfulRescale" and seen_s - SAMPLE_LAG_S < one.at_s <= seen_s
    ]
    return max(told, default=seen_s)


def wanted(run: Run) -> tuple[tuple[float, int], ...]:
    """Return how many pods the autoscaler wanted: `(from, how many)`, one entry a change."""
    first = next((int(one.value) for one in run.samples if one.name == "hpa_desired"), None)
    if first is None:
        return ()
    return ((0.0, first), *((one.at_s, one.desired) for one in scalings(run)))


def utilization(run: Run) -> tuple[tuple[float, float], ...]:
    """Return the mean use of the measured pods, in percent of their request, at each sample."""
    request_cores = run.parameters["request_millicores"] / 1000
    by_time: dict[float, list[float]] = {}
    for one in run.samples:
        if one.name == "cpu_cores":
            by_time.setdefault(one.at_s, []).append(one.value)
    return tuple(
        (at_s, 100 * sum(values) / len(values) / request_cores)
        for at_s, values in sorted(by_time.items())
    )


def percentiles(requests: Sequence[Request], width_s: float = 2.0) -> tuple[Percentiles, ...]:
    """Return median and 99th percentile of the answer times by stretches of `width_s`; empty ones are left out."""
    groups: dict[int, list[float]] = {}
    for one in requests:
        if one.error != "unsent":
            groups.setdefault(int(one.planned_s // width_s), []).append(
                one.answered_s - one.planned_s
            )
    return tuple(
        Percentiles((index + 0.5) * width_s, _quantile(times, 0.5), _quantile(times, 0.99))
        for index, times in sorted((index, sorted(times)) for index, times in groups.items())
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def running(run: Run) -> tuple[tuple[float, int], ...]:
    """Return how many pods there were that were not about to end: `(from, how many)`, one entry a change."""
    found = lives(run)
    spans = [
        (max(0.0, life.created_s), min(life.terminating_s or math.inf, life.gone_s or math.inf))
        for life in found
    ]
    instants = sorted({0.0} | {at_s for span in spans for at_s in span if at_s < run.ended_s})
    steps: list[tuple[float, int]] = []
    for at_s in instants:
        count = sum(begin_s <= at_s < end_s for begin_s, end_s in spans)
        if not steps or steps[-1][1] != count:
            steps.append((at_s, count))
    return tuple(steps)


def autoscaling_summary(run: Run) -> AutoscalingSummary:
    """Compute the numbers of one load."""
    low = run.parameters["min_replicas"]
    begin, end = run.mark("load"), run.mark("load-end")
    steps = running(run)
    begin_s = begin.at_s if begin else 0.0
    up_s = next((at_s for at_s, count in steps if at_s >= begin_s and count > low), None)
    most = max((count for _, count in steps), default=0)
    return AutoscalingSummary(
        profile=run.parameters["profile"],
        predicted_replicas=predicted_replicas(run),
        plateau_replicas=_settled(run, steps, begin_s, end.at_s)
        if end and _has_plateau(run)
        else most,
        max_replicas=most,
        min_replicas=low,
        first_scale_up_s=None if up_s is None else up_s - begin_s,
        back_to_min_s=_back_s(steps, low, end.at_s) if end else None,
        cpu_target=run.parameters["target_percent"],
        failed=sum(not one.ok and one.error != "unsent" for one in run.requests),
        effort=effort(run.requests),
    )


def _settled(run: Run, steps: Sequence[tuple[float, int]], load_s: float, end_s: float) -> int:
    """Return the number of pods that stood for the longest time once the autoscaler had settled.

    The first measures still hold the time when fewer pods bore everything; what they asked for in excess goes once the
    stabilisation window is over.
    """
    told = run.parameters
    settling_s = SETTLING_WINDOWS * told["metrics_window_s"] + told["stabilization_s"]
    begin_s = min(load_s + settling_s, end_s - 1.0)
    held_s: dict[int, float] = {}
    for (from_s, count), (to_s, _) in itertools.pairwise((*steps, (end_s, 0))):
        lasted_s = min(to_s, end_s) - max(from_s, begin_s)
        held_s[count] = held_s.get(count, 0.0) + max(0.0, lasted_s)
    return max(held_s, key=lambda count: held_s[count])


def _back_s(steps: Sequence[tuple[float, int]], low: int, end_s: float) -> float | None:
    if not steps or steps[-1][1] > low:
        return None
    return max(0.0, steps[-1][0] - end_s)


def autoscaling_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the first load."""
    summary = autoscaling_summary(recording.runs[0])
    return {
        "predicted_replicas": summary.predicted_replicas,
        "plateau_replicas": summary.plateau_replicas,
        "max_replicas": summary.max_replicas,
        "first_scale_up_s": _rounded(summary.first_scale_up_s),
        "back_to_min_s": _rounded(summary.back_to_min_s),
        "cpu_target": summary.cpu_target,
    }


def _rounded(value_s: float | None) -> float | None:
    return None if value_s is None else round(value_s, 3)


def autoscaling_story(recording: Recording) -> Story:
    """Return what an autoscaler must do with a load wherever it is measured."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        found = autoscaling_summary(run)
        name = f"{found.profile} : "
        verdicts[name + "réplicas prévus"] = found.predicted_replicas
        verdicts[name + "réplicas au plateau"] = found.plateau_replicas
        verdicts[name + "revient au minimum"] = found.back_to_min_s is not None
        verdicts[name + "perd des requêtes"] = found.failed > 0
        verdicts[name + "charge vraiment envoyée"] = found.effort.unsent == 0
        times: Mapping[str, float | None] = {
            "premier ajout": found.first_scale_up_s,
            "retour au minimum": found.back_to_min_s,
        }
        durations |= {name + what: at_s for what, at_s in times.items() if at_s is not None}
    return Story(verdicts, durations)
