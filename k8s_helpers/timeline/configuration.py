"""A setting that changes: which of the ways to read it follows, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .story import Story

WAYS: Mapping[str, str] = {
    "env": "variable d’environnement",
    "file": "fichier monté",
    "subpath": "fichier monté par subPath",
}
"""In the order of the chart, as a French reader calls them."""

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

    way: str
    followed_s: float | None
    restarted_s: float | None

    def to_plain(self) -> dict[str, float | None]:
        """Return the entry of `summary.json`."""
        return {
            "followed_s": None if self.followed_s is None else round(self.followed_s, 3),
            "restarted_s": None if self.restarted_s is None else round(self.restarted_s, 3),
        }


@dataclass(frozen=True, slots=True)
class ConfigurationSummary:
    """A change of the setting, then a restart of the pods.

    Attributes
    ----------
    watched_s : float
        From the change to the restart.
    predicted_s : tuple of float
        The file's shortest and longest delay, forecast.
    """

    ways: tuple[WaySummary, ...]
    watched_s: float
    predicted_s: tuple[float, float]

    def way(self, name: str) -> WaySummary:
        """Return one of the ways."""
        return next(one for one in self.ways if one.way == name)


def configuration_summary(run: Run) -> ConfigurationSummary:
    """Tell which ways followed, and when."""
    change, restart = run.mark("change"), run.mark("restart")
    change_s = change.at_s if change else 0.0
    restart_s = restart.at_s if restart else run.ended_s
    low_s, high_s = run.parameters["predicted_s"]
    return ConfigurationSummary(
        tuple(_way(run, name, change_s, restart_s) for name in WAYS),
        restart_s - change_s,
        (low_s, high_s),
    )


def _way(run: Run, way: str, change_s: float, restart_s: float) -> WaySummary:
    seen = sorted(
        (one.at_s, one.value) for one in run.samples if one.name == VALUE and one.subject == way
    )
    # While pods are replaced, old and new ones may answer in turns: only what lasts counts.
    olds = [at_s for at_s, value in seen if value < 2]
    news = [at_s for at_s, value in seen if value >= 2 and (not olds or at_s > olds[-1])]
    if not news:
        return WaySummary(way, None, None)
    if news[0] < restart_s:
        return WaySummary(way, news[0] - change_s, None)
    return WaySummary(way, None, news[0] - restart_s)


def configuration_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each run."""
    plain = {}
    for run in recording.runs:
        found = configuration_summary(run)
        plain[run.name] = {
            "predicted_file_s": list(found.predicted_s),
            "watched_s": round(found.watched_s, 3),
            "ways": {one.way: one.to_plain() for one in found.ways},
        }
    return {"runs": plain}


def configuration_story(recording: Recording) -> Story:
    """Return which ways follow without a restart, which after one, and the file's delay."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        found = configuration_summary(run)
        for one in found.ways:
            name = f"{run.name} : {WAYS[one.way]}"
            verdicts[f"{name} : suit"] = (
                "sans redémarrage"
                if one.followed_s is not None
                else "jamais"
                if one.restarted_s is None
                else "après un redémarrage"
            )
            if one.followed_s is not None:
                low_s, high_s = found.predicted_s
                verdicts[f"{name} : dans l’intervalle prévu"] = low_s <= one.followed_s <= high_s
                durations[f"{name} : délai"] = one.followed_s
    return Story(verdicts, durations)
