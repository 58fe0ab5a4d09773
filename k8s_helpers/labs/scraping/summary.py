"""What counters say of a traffic, against the traffic itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...analysis.facts import marks
from ...analysis.story import Story
from ...measure.recording import Recording, Run, Sample


@dataclass(frozen=True)
class Rate:
    """Requests per second between two collections."""

    start_s: float
    end_s: float
    per_s: float


@dataclass(frozen=True)
class ScrapingSummary:
    """One run.

    Attributes
    ----------
    series : mapping
        The collections of each pod.
    rates : sequence of Rate
        The sum over all pods of what their counters grew by.
    sent_per_s, answered, counted : float
        Of the traffic: how many a second, how many good answers; the sum of the last values of all counters.
    deleted_s : float or None
        When a pod was deleted.
    """

    series: Mapping[str, Sequence[Sample]]
    rates: Sequence[Rate]
    sent_per_s: float
    answered: int
    counted: float
    deleted_s: float | None

    @property
    def mean_per_s(self) -> float:
        """The mean of the rates, without the interval in which a pod went: its last requests were never collected."""
        steady = self.steady
        lasting = sum(rate.end_s - rate.start_s for rate in steady)
        grown = sum(rate.per_s * (rate.end_s - rate.start_s) for rate in steady)
        return grown / lasting if lasting else 0.0

    @property
    def tells_the_traffic(self) -> bool:
        """Whether the mean of the rates is that of the traffic, give or take 15 %."""
        return abs(self.mean_per_s - self.sent_per_s) <= 0.15 * self.sent_per_s

    @property
    def steady(self) -> Sequence[Rate]:
        """The rates of the intervals that neither the start nor the deletion is in."""
        cut = self.deleted_s
        after = [] if cut is None else [rate for rate in self.rates if rate.end_s > cut][:2]
        return [rate for rate in self.rates if rate not in after]

    @property
    def forgotten(self) -> float:
        """Good answers that no counter tells any more, since a pod took its last ones with it."""
        return self.answered - self.counted


def summarize(run: Run) -> ScrapingSummary:
    """Read the counters as Prometheus' `rate` does: what each grew by, a fall being a restart from 0."""
    series: dict[str, list[Sample]] = defaultdict(list)
    for sample in run.samples:
        series[sample.subject].append(sample)
    growth: dict[tuple[float, float], float] = defaultdict(float)
    for samples in series.values():
        for before, after in pairwise(samples):
            grown = after.value - before.value
            growth[before.at_s, after.at_s] += after.value if grown < 0 else grown
    deleted = marks(run, "delete")
    counted = sum(samples[-1].value - samples[0].value for samples in series.values())
    first_s = min((samples[0].at_s for samples in series.values()), default=0.0)
    last_s = max((samples[-1].at_s for samples in series.values()), default=0.0)
    good = sum(request.ok and first_s < request.answered_s <= last_s for request in run.requests)
    return ScrapingSummary(
        series,
        [Rate(*span, value / (span[1] - span[0])) for span, value in sorted(growth.items())],
        float(run.parameters.get("rate_per_s", 0.0)),
        good,
        counted,
        deleted[0].at_s if deleted else None,
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells: the traffic, and what the counters say of it."""
    summary = summarize(recording.runs[0])
    return {
        "sent_per_s": summary.sent_per_s,
        "mean_per_s": round(summary.mean_per_s, 2),
        "series": {pod: [sample.value for sample in row] for pod, row in summary.series.items()},
        "forgotten": round(summary.forgotten),
    }


def to_story(recording: Recording) -> Story:
    """Return whether counters give the traffic back, and how many pods told theirs."""
    summary = summarize(recording.runs[0])
    verdicts = {"rate-is-the-traffic": summary.tells_the_traffic, "series": len(summary.series)}
    return Story(verdicts, {})
