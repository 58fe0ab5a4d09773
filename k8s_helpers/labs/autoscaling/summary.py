"""What an autoscaler did with a load: its decisions, when it went up and came back, beside what was predicted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...analysis.outcomes import percentile
from ...analysis.pods import lives
from ...analysis.story import Story
from ...forecasts.autoscaling import explain
from ...measure.recording import Recording, Request, Run
from ...measure.traffic.effort import Effort, effort
from .codes import LoadMark, Metric
from .forecast import ScalingFacts

SETTLING_WINDOWS = 5
"""How many windows of the metrics it takes until none holds the time before the load."""
SAMPLE_LAG_S = 2.0
"""How long after a decision a sample may first show it."""

Steps = Sequence[tuple[float, int]]
"""`(from, how many)`: pods over time, one entry a change."""


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
    has_plateau : bool
        Whether the load's highest rate stays long enough for one.
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
    has_plateau: bool
    predicted_replicas: int
    plateau_replicas: int
    max_replicas: int
    min_replicas: int
    first_scale_up_s: float | None
    back_to_min_s: float | None
    cpu_target: int
    failed: int
    effort: Effort


def scalings(run: Run) -> tuple[Scaling, ...]:
    """Return each decision that changed the number of pods, as the autoscaler's status showed it."""
    scaler = ScalingFacts.of(run).scaler
    by_time: dict[float, dict[str, float]] = {}
    for sample in run.samples:
        if sample.name.startswith("hpa_"):
            by_time.setdefault(sample.at_s, {})[sample.name] = sample.value
    decisions: list[Scaling] = []
    before: int | None = None
    for at_s, status in sorted(by_time.items()):
        desired = int(status.get(Metric.DESIRED, 0))
        if before is not None and desired != before:
            percent = int(status[Metric.PERCENT]) if Metric.PERCENT in status else None
            words = explain(scaler, before, percent, desired)
            decisions.append(Scaling(_done_s(run, at_s), before, desired, percent, words))
        before = desired
    return tuple(decisions)


def _done_s(run: Run, seen_s: float) -> float:
    """Return when a decision that a sample shows was carried out: its Event gives a finer time."""
    instants = (event.at_s for event in run.events if event.reason == "SuccessfulRescale")
    return max(
        (at_s for at_s in instants if seen_s - SAMPLE_LAG_S < at_s <= seen_s), default=seen_s
    )


def wanted(run: Run) -> Steps:
    """Return how many pods the autoscaler wanted."""
    desired = (int(sample.value) for sample in run.samples if sample.name == Metric.DESIRED)
    first = next(desired, None)
    if first is None:
        return ()
    return ((0.0, first), *((scaling.at_s, scaling.desired) for scaling in scalings(run)))


def utilization(run: Run) -> tuple[tuple[float, float], ...]:
    """Return the mean use of the measured pods, in percent of their request, at each sample."""
    request_cores = ScalingFacts.of(run).request_cores
    by_time: dict[float, list[float]] = {}
    for sample in run.samples:
        if sample.name == Metric.CPU_CORES:
            by_time.setdefault(sample.at_s, []).append(sample.value)
    return tuple(
        (at_s, 100 * sum(values) / len(values) / request_cores)
        for at_s, values in sorted(by_time.items())
    )


def percentiles(requests: Sequence[Request], width_s: float = 2.0) -> tuple[Percentiles, ...]:
    """Return median and 99th percentile of the answer times by stretches of `width_s`; empty ones are left out."""
    groups: dict[int, list[float]] = {}
    for request in requests:
        if request.error != "unsent":
            times = groups.setdefault(int(request.planned_s // width_s), [])
            times.append(request.answered_s - request.planned_s)
    return tuple(
        Percentiles(
            (index + 0.5) * width_s,
            percentile(ordered := sorted(times), 0.5) or 0.0,
            percentile(ordered, 0.99) or 0.0,
        )
        for index, times in sorted(groups.items())
    )


def running(run: Run) -> Steps:
    """Return how many pods there were that were not about to end."""
    spans = [
        (max(0.0, life.created_s), min(life.terminating_s or math.inf, life.gone_s or math.inf))
        for life in lives(run)
    ]
    instants = sorted({0.0} | {at_s for span in spans for at_s in span if at_s < run.ended_s})
    steps: list[tuple[float, int]] = []
    for at_s in instants:
        count = sum(begin_s <= at_s < end_s for begin_s, end_s in spans)
        if not steps or steps[-1][1] != count:
            steps.append((at_s, count))
    return tuple(steps)


def summarize(run: Run) -> AutoscalingSummary:
    """Compute the numbers of one load."""
    facts = ScalingFacts.of(run)
    low = facts.min_replicas
    begin, end = run.mark(LoadMark.BEGIN), run.mark(LoadMark.END)
    steps = running(run)
    begin_s = begin.at_s if begin else 0.0
    up_s = next((at_s for at_s, count in steps if at_s >= begin_s and count > low), None)
    most = max((count for _, count in steps), default=0)
    return AutoscalingSummary(
        profile=facts.profile,
        has_plateau=facts.has_plateau,
        predicted_replicas=facts.predicted_replicas(run.ended_s),
        plateau_replicas=_settled(facts, steps, begin_s, end.at_s)
        if end and facts.has_plateau
        else most,
        max_replicas=most,
        min_replicas=low,
        first_scale_up_s=None if up_s is None else up_s - begin_s,
        back_to_min_s=_back_s(steps, low, end.at_s) if end else None,
        cpu_target=facts.target_percent,
        failed=sum(not request.ok and request.error != "unsent" for request in run.requests),
        effort=effort(run.requests),
    )


def _settled(facts: ScalingFacts, steps: Steps, load_s: float, end_s: float) -> int:
    """Return the number of pods that stood for the longest time once the autoscaler had settled.

    The first measures still hold the time when fewer pods bore everything; what they asked for in excess goes once the
    stabilisation window is over.
    """
    settling_s = SETTLING_WINDOWS * facts.metrics_window_s + facts.stabilization_s
    begin_s = min(load_s + settling_s, end_s - 1.0)
    held_s: dict[int, float] = {}
    for (from_s, count), (to_s, _) in itertools.pairwise((*steps, (end_s, 0))):
        lasted_s = min(to_s, end_s) - max(from_s, begin_s)
        held_s[count] = held_s.get(count, 0.0) + max(0.0, lasted_s)
    return max(held_s, key=lambda count: held_s[count])


def _back_s(steps: Steps, low: int, end_s: float) -> float | None:
    if not steps or steps[-1][1] > low:
        return None
    return max(0.0, steps[-1][0] - end_s)


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` holds of the first load."""
    summary = summarize(recording.runs[0])
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


def to_story(recording: Recording) -> Story:
    """Return what an autoscaler must do with a load wherever it is measured."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for summary in map(summarize, recording.runs):
        verdicts |= {
            f"{summary.profile}.predicted-replicas": summary.predicted_replicas,
            f"{summary.profile}.plateau-replicas": summary.plateau_replicas,
            f"{summary.profile}.back-to-min": summary.back_to_min_s is not None,
            f"{summary.profile}.loses-requests": summary.failed > 0,
            f"{summary.profile}.load-sent": summary.effort.unsent == 0,
        }
        if summary.first_scale_up_s is not None:
            durations[f"{summary.profile}.first-scale-up"] = summary.first_scale_up_s
        if summary.back_to_min_s is not None:
            durations[f"{summary.profile}.back-to-min"] = summary.back_to_min_s
    return Story(verdicts, durations)
