"""What survives what: which of a pod's places kept their data after which event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..recording import Recording
from .story import Story
from .told import lapse, told

PLACES = ("root", "emptyDir", "hostPath", "claim")
EVENTS = ("container", "pod", "claim")
"""A container's restart, a pod's deletion, the deletion of pod and claim."""

READ_ONLY_ENFORCED = "read_only_enforced"
"""Parameter of the first run: whether the cluster can make a container's own files read-only."""


@dataclass(frozen=True, slots=True)
class VolumesSummary:
    """What is left of what was written.

    Attributes
    ----------
    survives : dict of str to dict of str to bool
        By event and place: what was there before the event is there after it.
    same_pod : dict of str to bool
        By event: the pod is the same object as before.
    refused : tuple of str or None
        Places that could not be written with a read-only root file system; None where that was not tried.
    restart_s : float or None
        From the program's death until its pod was ready again.
    read_only_enforced : bool
        Whether the cluster can make a container's own files read-only; where not, that was not tried.
    """

    survives: dict[str, dict[str, bool]]
    same_pod: dict[str, bool]
    refused: tuple[str, ...] | None
    restart_s: float | None
    read_only_enforced: bool = True


def volumes_summary(recording: Recording) -> VolumesSummary:
    """Read what is left from the runs of the experiment."""
    run = recording.run("survie")
    seen = {one["moment"]: one for one in told(run, "observation")}
    moments = [moment for moment in EVENTS if moment in seen]
    others = [other for other in recording.runs if other.name != run.name]
    writes = [one for other in others for one in told(other, "write")]
    return VolumesSummary(
        survives={moment: dict(seen[moment]["kept"]) for moment in moments},
        same_pod={moment: seen[moment]["uid"] == seen["written"]["uid"] for moment in moments},
        refused=tuple(one["place"] for one in writes if not one["written"]) if others else None,
        restart_s=lapse(run, "crash", "restarted"),
        read_only_enforced=run.parameters.get(READ_ONLY_ENFORCED, True),
    )


def volumes_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells: the matrix, and what a read-only root refuses."""
    found = volumes_summary(recording)
    refused = None if found.refused is None else list(found.refused)
    return {"survives": found.survives, "read_only_root_refuses": refused}


def volumes_story(recording: Recording) -> Story:
    """Return what must be told everywhere: the whole matrix."""
    found = volumes_summary(recording)
    verdicts: dict[str, object] = {
        f"{place} survit à {event}": kept
        for event, places in found.survives.items()
        for place, kept in places.items()
    }
    if found.refused is not None:
        verdicts["racine en lecture seule : refus"] = " ".join(found.refused)
    restart = {} if found.restart_s is None else {"redémarrage": found.restart_s}
    return Story(verdicts, restart)
