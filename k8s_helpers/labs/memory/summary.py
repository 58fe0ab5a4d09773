"""What a leak did to its container: lives, deaths, back-offs, and whether they came as predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

from ...analysis.pods import Interval, first_after, instants
from ...analysis.story import Story, plain
from ...forecasts import restarts as back_off
from ...forecasts.span import SLACK_S, Span
from ...measure.recording import Recording, Run, Sample
from .codes import LeakMark
from .forecast import Leak

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

    @property
    def death(self) -> str:
        """How it ended, as `kubectl describe` says it: reason and exit code."""
        return self.reason if self.exit_code is None else f"{self.reason} {self.exit_code}"

    @property
    def killed(self) -> bool:
        """Whether the kernel ended it, for its memory."""
        return self.reason == "OOMKilled"


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
    leak : Leak
        What it was made with, and what that makes expect.
    heap_max_bytes : int
        What of the heap the program can fill, as the JVM said: one survivor space stays empty.
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
    unread : mapping of str to str
        What the cluster did not let us measure (`Unread`), and its words.
    """

    variant: str
    leak: Leak
    heap_max_bytes: int
    peak_bytes: int | None
    heap_peak_bytes: int | None
    lives: tuple[LeakLife, ...]
    waits: tuple[BackOffWait, ...]
    restarts: int
    source: str
    unread: Mapping[str, str]

    @property
    def limit_bytes(self) -> int:
        """The container's memory limit."""
        return self.leak.limit_bytes

    @property
    def kernel_counts(self) -> bool:
        """Whether the kernel holds the limit; otherwise the node's agent does, by what it reads of the process."""
        return self.source == "cgroup"

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
        expected = (self.leak.death.reason, self.leak.death.exit_code)
        return expected == (None, None) or all(
            (life.reason, life.exit_code) == expected for life in self.lives
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json` for this variant."""
        return plain(self, "exit_code", "reason", "restarts", "peak_bytes", "limit_bytes")


def summarize(run: Run) -> MemorySummary:
    """Compute what happened to one variant."""
    leak = Leak.of(run.parameters)
    heaps = [sample.value for sample in run.samples if sample.name == "heap_max_bytes"]
    sources = [sample.subject for sample in run.samples if sample.name == "memory_bytes"]
    refusals = (mark.detail.partition(": ") for mark in run.marks if mark.kind == LeakMark.REFUSED)
    lives = _lives(run)
    return MemorySummary(
        variant=run.name,
        leak=leak,
        heap_max_bytes=int(heaps[-1]) if heaps else leak.heap_bytes,
        peak_bytes=_peak(run.samples, "memory_bytes", "metrics_bytes"),
        heap_peak_bytes=_peak(run.samples, "heap_bytes"),
        lives=lives,
        waits=_waits(run, lives),
        restarts=len(instants(run, "restarted")),
        source=sources[-1] if sources else "metrics",
        unread={what: words for what, _, words in refusals},
    )


def _lives(run: Run) -> tuple[LeakLife, ...]:
    starts = instants(run, "started")
    lives: list[LeakLife] = []
    for event in (event for event in run.pods if event.kind == "died"):
        begun_s = max((at_s for at_s in starts if at_s <= event.at_s), default=0.0)
        reason, _, status = event.detail.rpartition(" ")
        life = LeakLife(
            max([begun_s, *(life.end_s for life in lives[-1:])]),
            event.at_s,
            reason or event.detail,
            int(status) if status.lstrip("-").isdigit() else None,
            None,
        )
        peak_bytes = _peak(samples_of(run.samples, life), "memory_bytes")
        lives.append(replace(life, peak_bytes=peak_bytes))
    return tuple(lives)


def samples_of(samples: Sequence[Sample], life: Interval) -> tuple[Sample, ...]:
    """Return what the program said of itself during one life, in the order of time.

    Its own first line ("heap_max_bytes") begins it: the API tells starts and deaths to the second only.
    """
    begins = [sample.at_s for sample in samples if sample.name == "heap_max_bytes"]
    mine_s = next((at_s for at_s in begins if at_s >= life.start_s - SLACK_S), life.start_s)
    next_s = next((at_s for at_s in begins if at_s > mine_s), life.end_s + SLACK_S)
    end_s = min(next_s, life.end_s + SLACK_S)
    return tuple(
        sample for sample in samples if mine_s <= sample.at_s < end_s and sample.name in _OWN
    )


def _peak(samples: Sequence[Sample], *names: str) -> int | None:
    return max((int(sample.value) for sample in samples if sample.name in names), default=None)


def _waits(run: Run, lives: Sequence[LeakLife]) -> tuple[BackOffWait, ...]:
    starts = instants(run, "started")
    waits = []
    for life, delay_s in zip(
        lives, back_off.delays([life.length_s for life in lives]), strict=True
    ):
        again_s = first_after(starts, life.end_s)
        end_s = run.ended_s if again_s is None else again_s
        over = again_s is not None
        waits.append(BackOffWait(life.end_s, end_s, delay_s, back_off.wait(delay_s), over))
    return tuple(waits)


def to_json(recording: Recording) -> dict[str, Any]:
    """Return how each variant died, how often it came back, and the most memory that was seen."""
    return {"variants": {run.name: summarize(run).to_plain() for run in recording.runs}}


def to_story(recording: Recording) -> Story:
    """Return what a leak does wherever it is measured: who stops it, how often, and the waits."""
    summaries = {run.name: summarize(run) for run in recording.runs}
    return Story.of(
        {
            name: {
                "deaths": [life.death for life in summary.lives],
                "restarts": summary.restarts,
                "waits": [wait.delay_s for wait in summary.waits],
                "waits-as-predicted": all(wait.as_predicted for wait in summary.waits),
                "dies-as-predicted": summary.died_as_predicted,
                "heap-full": summary.heap_was_full,
            }
            for name, summary in summaries.items()
        },
        {
            name: {
                "life": mean(life.length_s for life in summary.lives) if summary.lives else None,
                **{
                    f"wait-{wait.delay_s:.0f}": wait.length_s for wait in summary.waits if wait.over
                },
            }
            for name, summary in summaries.items()
        },
    )
