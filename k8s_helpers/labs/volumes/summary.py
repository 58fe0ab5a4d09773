"""What survives what: which of a pod's places kept their data after which event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...analysis.facts import facts, lapse
from ...analysis.story import Story
from ...measure.recording import Recording
from .codes import WRITTEN, Disruption, SurvivalCheck, VolumeTrial, Write, WritePlace

READ_ONLY_ENFORCED = "read_only_enforced"
"""Parameter of the first run: whether the cluster can make a container's own files read-only."""


@dataclass(frozen=True, slots=True)
class VolumesSummary:
    """What is left of what was written.

    Attributes
    ----------
    survives : mapping of Disruption to mapping of WritePlace to bool
        What was there before a disruption is there after it.
    same_pod : mapping of Disruption to bool
        The pod is the same object as before.
    refused : tuple of WritePlace or None
        Places that could not be written with a read-only root file system; None where that was not tried.
    restart_s : float or None
        From the program's death until its pod was ready again.
    read_only_enforced : bool
        Whether the cluster can make a container's own files read-only; where not, that was not tried.
    """

    survives: Mapping[Disruption, Mapping[WritePlace, bool]]
    same_pod: Mapping[Disruption, bool]
    refused: tuple[WritePlace, ...] | None
    restart_s: float | None
    read_only_enforced: bool = True


def summarize(recording: Recording) -> VolumesSummary:
    """Read what is left from the runs of the experiment."""
    run = recording.run(VolumeTrial.SURVIVAL)
    seen = {
        observation.moment: observation for observation in facts(run, "observation", SurvivalCheck)
    }
    disruptions = [disruption for disruption in Disruption if disruption in seen]
    others = [other for other in recording.runs if other.name != run.name]
    writes = [write for other in others for write in facts(other, "write", Write)]
    return VolumesSummary(
        survives={disruption: seen[disruption].kept for disruption in disruptions},
        same_pod={
            disruption: seen[disruption].uid == seen[WRITTEN].uid for disruption in disruptions
        },
        refused=tuple(write.place for write in writes if not write.written) if others else None,
        restart_s=lapse(run, "crash", "restarted"),
        read_only_enforced=run.parameters.get(READ_ONLY_ENFORCED, True),
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells: the matrix, and what a read-only root refuses."""
    summary = summarize(recording)
    refused = None if summary.refused is None else list(summary.refused)
    return {"survives": summary.survives, "read_only_root_refuses": refused}


def to_story(recording: Recording) -> Story:
    """Return what must be told everywhere: the whole matrix."""
    summary = summarize(recording)
    verdicts: dict[str, object] = {
        f"{place}.survives-{disruption}": kept
        for disruption, places in summary.survives.items()
        for place, kept in places.items()
    }
    if summary.refused is not None:
        verdicts["read-only.refused"] = " ".join(summary.refused)
    return Story(verdicts, {} if summary.restart_s is None else {"restart": summary.restart_s})
