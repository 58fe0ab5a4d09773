"""What a leak did to its container: lives, deaths, back-offs, and whether they came as predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from ..forecasts import memory as forecast
from ..forecasts import restarts as back_off
from ..forecasts.span import Span
from ..recording import PodEvent, Recording, Run, Sample
from .pods import Interval
from .story import Story

SLACK_S = 1.0
"""What a measured instant may be beside its interval: the API's times are whole seconds."""
_OWN = ("memory_bytes", "heap_bytes")
FULL_SHARE = 0.8
"""A heap is full where this much of it is in use."""


@dataclass(frozen=True, slots=True)
class LeakLife(Interval):
    """One run of the container, from its start to its death.

    Attributes
    ----------
    reason : str
        "Error", "OOMKilled" …
    exit_code : int or None
    peak_bytes : int or None
        Most memory that was seen; None where nothing was measured.
    """

    reason: str
    exit_code: int | None
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class BackOffWait(Interval):
    """What passed between a death and the next start.

    Attributes
    ----------
    delay_s : float
        What the kubelet's rule makes of it.
    predicted : Span
        How long it may last with what the kubelet needs.
    over : bool
        False where the measure ended first.
    """

    delay_s: float
    predicted: Span
    over: bool

    @property
    def as_predicted(self) -> bool:
        """Whether it lasted as long as was predicted."""
        return not self.over or self.predicted.holds(self.length_s, SLACK_S)


@dataclass(frozen=True, slots=True)
class MemorySummary:
    """What happened to one variant.

    Attributes
    ----------
    variant : str
        Name of the run.
    limit_bytes, heap_bytes : int
        The container's limit; the heap that the JVM's options and the limit make expect.
    heap_max_bytes : int
        What of the heap the program can fill, as the JVM said: one survivor space stays empty.
    predicted : forecast.Death
        What the limit, the JVM's options and the rate make expect.
    peak_bytes : int or None
        Most memory of the container that was seen.
    heap_peak_bytes : int or None
        Most of the heap that was in use.
    lives, waits
        In the order of time.
    restarts : int
        As the pod's status counted them.
    source : str
        Who counted the memory: "cgroup" (the kernel) or "process" (the program's own resident memory).
    stand_in : bool
        A Python program stood in for the Java one.
    refused : tuple of str
        What the cluster did not let us measure.
    """

    variant: str
    limit_bytes: int
    heap_bytes: int
    heap_max_bytes: int
    predicted: forecast.Death
    peak_bytes: int | None
    heap_peak_bytes: int | None
    lives: tuple[LeakLife, ...]
    waits: tuple[BackOffWait, ...]
    restarts: int
    source: str
    stand_in: bool
    refused: tuple[str, ...]

    @property
    def reason(self) -> str | None:
        """Why it died; the last death tells."""
        return self.lives[-1].reason if self.lives else None

    @property
    def exit_code(self) -> int | None:
        """The status with which it ended; the last death tells."""
        return self.lives[-1].exit_code if self.lives else None

    @property
    def heap_was_full(self) -> bool:
        """Whether the heap was in use nearly wholly."""
        return (self.heap_peak_bytes or 0) >= FULL_SHARE * self.heap_max_bytes

    @property
    def died_as_predicted(self) -> bool:
        """Whether each death had the reason and the status that were predicted."""
        expected = (self.predicted.reason, self.predicted.exit_code)
        return expected == (None, None) or all(
            (life.reason, life.exit_code) == expected for life in self.lives
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json` for this variant."""
        return {
            "exit_code": self.exit_code,
            "reason": self.reason,
            "restarts": self.restarts,
            "peak_bytes": self.peak_bytes,
            "limit_bytes": self.limit_bytes,
        }


def memory_summary(run: Run) -> MemorySummary:
    """Compute what happened to one variant."""
    found = run.parameters
    limit_bytes = int(found["limit_bytes"])
    told = [one.value for one in run.samples if one.name == "heap_max_bytes"]
    expected_bytes = forecast.heap_bytes(limit_bytes, found["java_options"])
    lives = _lives(run)
    memory = [one for one in run.samples if one.name == "memory_bytes"]
    return MemorySummary(
        variant=run.name,
        limit_bytes=limit_bytes,
        heap_bytes=expected_bytes,
        heap_max_bytes=int(told[-1]) if told else expected_bytes,
        predicted=forecast.death(limit_bytes, expected_bytes, float(found["leak_bytes_per_s"])),
        peak_bytes=_peak(run, "memory_bytes", "metrics_bytes"),
        heap_peak_bytes=_peak(run, "heap_bytes"),
        lives=lives,
        waits=_waits(run, lives),
        restarts=sum(event.kind == "restarted" for event in run.pods),
        source=memory[-1].subject if memory else "metrics",
        stand_in=bool(found.get("stand_in")),
        refused=tuple(mark.detail for mark in run.marks if mark.kind == "refused"),
    )


def _lives(run: Run) -> tuple[LeakLife, ...]:
    starts = _of_kind(run, "started")
    found: list[LeakLife] = []
    for death in _of_kind(run, "died"):
        begun = [one.at_s for one in starts if one.at_s <= death.at_s]
        reason, _, status = death.detail.rpartition(" ")
        found.append(
            LeakLife(
                max([begun[-1] if begun else 0.0, *(life.end_s for life in found[-1:])]),
                death.at_s,
                reason or death.detail,
                int(status) if status.lstrip("-").isdigit() else None,
                None,
            )
        )
    return tuple(_with_peak(life, run.samples) for life in found)


def _of_kind(run: Run, kind: str) -> list[PodEvent]:
    return sorted((one for one in run.pods if one.kind == kind), key=lambda one: one.at_s)


def _with_peak(life: LeakLife, samples: Sequence[Sample]) -> LeakLife:
    values = [int(one.value) for one in samples_of(samples, life) if one.name == "memory_bytes"]
    return LeakLife(
        life.start_s, life.end_s, life.reason, life.exit_code, max(values, default=None)
    )


def samples_of(samples: Sequence[Sample], life: Interval) -> tuple[Sample, ...]:
    """Return what the program said of itself during one life, in the order of time.

    Its own first line ("heap_max_bytes") begins it: the API tells starts and deaths to the second only.
    """
    begins = [one.at_s for one in samples if one.name == "heap_max_bytes"]
    mine_s = next((at_s for at_s in begins if at_s >= life.start_s - SLACK_S), life.start_s)
    next_s = next((at_s for at_s in begins if at_s > mine_s), life.end_s + SLACK_S)
    return tuple(
        one
        for one in samples
        if mine_s <= one.at_s < min(next_s, life.end_s + SLACK_S) and one.name in _OWN
    )


def _peak(run: Run, *names: str) -> int | None:
    return max((int(one.value) for one in run.samples if one.name in names), default=None)


def _waits(run: Run, lives: Sequence[LeakLife]) -> tuple[BackOffWait, ...]:
    starts = [one.at_s for one in _of_kind(run, "started")]
    delays = back_off.delays([life.length_s for life in lives])
    found = []
    for life, delay_s in zip(lives, delays, strict=True):
        again = next((at_s for at_s in starts if at_s > life.end_s), None)
        end_s = run.ended_s if again is None else again
        found.append(
            BackOffWait(life.end_s, end_s, delay_s, back_off.wait(delay_s), again is not None)
        )
    return tuple(found)


def memory_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the variants."""
    return {"variants": {run.name: memory_summary(run).to_plain() for run in recording.runs}}


def memory_story(recording: Recording) -> Story:
    """Return what a leak must tell wherever it is measured: who stops it, how often, and the waits."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        name, found = run.name, memory_summary(run)
        verdicts[f"{name} : morts"] = [f"{life.reason} {life.exit_code}" for life in found.lives]
        verdicts[f"{name} : redémarrages"] = found.restarts
        verdicts[f"{name} : attentes"] = [wait.delay_s for wait in found.waits]
        verdicts[f"{name} : attentes comme prévu"] = all(wait.as_predicted for wait in found.waits)
        verdicts[f"{name} : meurt comme prévu"] = found.died_as_predicted
        verdicts[f"{name} : tas plein"] = found.heap_was_full
        if found.lives:
            durations[f"{name} : durée de vie"] = mean(life.length_s for life in found.lives)
        for wait in found.waits:
            if wait.over:
                durations[f"{name} : attente de {wait.delay_s:.0f} s"] = wait.length_s
    return Story(verdicts, durations)
