"""A setting that changes: which of the ways to read it follows, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...analysis.story import Story
from ...measure.recording import Recording, Run


class ReadBy(StrEnum):
    """A way to read the setting: an environment variable, a file of a mounted volume, one mounted by `subPath`."""

    ENV = "env"
    FILE = "file"
    SUBPATH = "subpath"


class Follows(StrEnum):
    """When a way shows the change."""

    BY_ITSELF = "by-itself"
    AFTER_RESTART = "after-restart"
    NEVER = "never"


VALUE = "value"
"""Name of the samples: the number of the setting that a way shows, 1 before the change and 2 after it."""


@dataclass(frozen=True, slots=True)
class WaySummary:
    """One way to read the setting.

    Attributes
    ----------
    followed_s : float or None
        Delay from the change until it showed, without a restart; None where it did not before the restart.
    restarted_s : float or None
        Delay from the restart until all answers showed the change; None where it showed before, or never.
    """

    way: ReadBy
    followed_s: float | None = None
    restarted_s: float | None = None

    @property
    def follows(self) -> Follows:
        """When it shows the change."""
        if self.followed_s is not None:
            return Follows.BY_ITSELF
        return Follows.NEVER if self.restarted_s is None else Follows.AFTER_RESTART

    def to_plain(self) -> dict[str, float | None]:
        """Return the entry of `summary.json`."""
        delays = {"followed_s": self.followed_s, "restarted_s": self.restarted_s}
        return {
            name: None if delay_s is None else round(delay_s, 3) for name, delay_s in delays.items()
        }


@dataclass(frozen=True, slots=True)
class ConfigurationSummary:
    """A change of the setting, then a restart of the pods.

    Attributes
    ----------
    changed_s : float
        When the setting was changed, on the run's clock.
    watched_s : float
        From the change to the restart.
    predicted_s : tuple of float
        The file's shortest and longest delay, forecast.
    """

    ways: tuple[WaySummary, ...]
    changed_s: float
    watched_s: float
    predicted_s: tuple[float, float]

    def way(self, name: str) -> WaySummary:
        """Return the way of that name: "env", "file" or "subpath"."""
        return next(way for way in self.ways if way.way == name)

    @property
    def in_time(self) -> bool:
        """Whether the file followed within its forecast interval."""
        followed_s = self.way(ReadBy.FILE).followed_s
        low_s, high_s = self.predicted_s
        return followed_s is not None and low_s <= followed_s <= high_s


def summarize(run: Run) -> ConfigurationSummary:
    """Return which ways followed, and when."""
    change, restart = run.mark("change"), run.mark("restart")
    changed_s = change.at_s if change else 0.0
    restarted_s = restart.at_s if restart else run.ended_s
    low_s, high_s = run.parameters["predicted_s"]
    return ConfigurationSummary(
        tuple(_way(run, way, changed_s, restarted_s) for way in ReadBy),
        changed_s,
        restarted_s - changed_s,
        (low_s, high_s),
    )


def _way(run: Run, way: ReadBy, changed_s: float, restarted_s: float) -> WaySummary:
    shown = sorted(
        (sample.at_s, sample.value)
        for sample in run.samples
        if sample.name == VALUE and sample.subject == way
    )
    # While pods are replaced, old and new ones may answer in turns: only what lasts counts.
    old_s = max((at_s for at_s, value in shown if value < 2), default=float("-inf"))
    new_s = next((at_s for at_s, value in shown if value >= 2 and at_s > old_s), None)
    if new_s is None:
        return WaySummary(way)
    if new_s < restarted_s:
        return WaySummary(way, followed_s=new_s - changed_s)
    return WaySummary(way, restarted_s=new_s - restarted_s)


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each run."""
    return {"runs": {run.name: _plain(summarize(run)) for run in recording.runs}}


def _plain(summary: ConfigurationSummary) -> dict[str, Any]:
    return {
        "predicted_file_s": list(summary.predicted_s),
        "watched_s": round(summary.watched_s, 3),
        "ways": {str(way.way): way.to_plain() for way in summary.ways},
    }


def to_story(recording: Recording) -> Story:
    """Return which ways follow without a restart, which after one, and the file's delay."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        summary = summarize(run)
        verdicts[f"{run.name}.file.in-time"] = summary.in_time
        for way in summary.ways:
            verdicts[f"{run.name}.{way.way}.follows"] = way.follows
            if way.followed_s is not None:
                durations[f"{run.name}.{way.way}.delay"] = way.followed_s
    return Story(verdicts, durations)
