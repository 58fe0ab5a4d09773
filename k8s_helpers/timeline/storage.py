"""Phases of claims and volumes, and what they mean: who waited for whom, what is left when the claim goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .pods import Interval
from .story import Story
from .told import told


@dataclass(frozen=True, slots=True)
class VolumePhase(Interval):
    """A stretch of a claim's or a volume's life during which it is in one phase."""

    phase: str


@dataclass(frozen=True, slots=True)
class VolumeLife:
    """The phases of one claim or volume, without gaps."""

    kind: str
    name: str
    uid: str
    phases: tuple[VolumePhase, ...]


def volume_lives(run: Run) -> tuple[VolumeLife, ...]:
    """Return the life of each claim and volume of a run, claims first, each in the order in which they came."""
    by_uid: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for one in told(run, "phase"):
        by_uid.setdefault(one["uid"], []).append((one.at_s, one.facts))
    found = []
    for uid, changes in by_uid.items():
        ends = [*(at_s for at_s, _ in changes[1:]), run.ended_s]
        phases = tuple(
            VolumePhase(at_s, end_s, facts["phase"])
            for (at_s, facts), end_s in zip(changes, ends, strict=True)
            if facts["phase"] != "Deleted"
        )
        facts = changes[0][1]
        found.append(VolumeLife(facts["kind"], facts["name"], uid, phases))
    return tuple(
        sorted(
            found, key=lambda life: (life.kind != "PersistentVolumeClaim", life.phases[0].start_s)
        )
    )


@dataclass(frozen=True, slots=True)
class StorageSummary:
    """What a run's claims went through.

    Attributes
    ----------
    run : str
        "delete", "retain" or "impossible".
    claims, volumes : tuple of tuple of str
        The phases of each claim and of each volume, in their order.
    waits_for_pod : bool
        The first claim was not bound before a pod wanted it.
    bind_s : float or None
        From the pod until the first claim was bound; None where that never came.
    survives_pod : bool
        Another pod found what the first one had written.
    reason : str
        Why the claim waits, in the words of its last Event.
    """

    run: str
    claims: tuple[tuple[str, ...], ...]
    volumes: tuple[tuple[str, ...], ...]
    waits_for_pod: bool
    bind_s: float | None
    survives_pod: bool
    reason: str

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        return {
            "claims": [list(phases) for phases in self.claims],
            "volumes": [list(phases) for phases in self.volumes],
            "bind_s": None if self.bind_s is None else round(self.bind_s, 3),
            "survives_pod": self.survives_pod,
            "reason": self.reason,
        }


def storage_summary(run: Run) -> StorageSummary:
    """Read the phases of one run."""
    found = volume_lives(run)
    claims = [life for life in found if life.kind == "PersistentVolumeClaim"]
    bound = [one.start_s for life in claims[:1] for one in life.phases if one.phase == "Bound"]
    consumer = run.mark("consumer")
    wanted_s = None if consumer is None else consumer.at_s
    reads = [one for one in told(run, "read") if not one["written"]]
    reasons = [one for one in run.events if one.kind == "PersistentVolumeClaim"]
    return StorageSummary(
        run=run.name,
        claims=tuple(_phases(life) for life in claims),
        volumes=tuple(_phases(life) for life in found if life.kind == "PersistentVolume"),
        waits_for_pod=bool(bound) and wanted_s is not None and bound[0] >= wanted_s,
        bind_s=bound[0] - wanted_s if bound and wanted_s is not None else None,
        survives_pod=bool(reads) and all(one["found"] for one in reads),
        reason=reasons[-1].message if reasons and not bound else "",
    )


def _phases(life: VolumeLife) -> tuple[str, ...]:
    return tuple(one.phase for one in life.phases)


def storage_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the runs."""
    return {"runs": {run.name: storage_summary(run).to_plain() for run in recording.runs}}


def storage_story(recording: Recording) -> Story:
    """Return what must be told everywhere: phases in their order, what survives."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for one in map(storage_summary, recording.runs):
        verdicts[f"{one.run} : demandes"] = " | ".join(map(" ".join, one.claims))
        verdicts[f"{one.run} : volumes"] = " | ".join(
            " ".join(_told(phases)) for phases in one.volumes
        )
        verdicts[f"{one.run} : attend un pod"] = one.waits_for_pod
        verdicts[f"{one.run} : les données survivent au pod"] = one.survives_pod
        if one.bind_s is not None:
            durations[f"{one.run} : liaison"] = one.bind_s
    return Story(verdicts, durations)


def _told(phases: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the instants that only some provisioners show: before it is bound, while it is deleted."""
    kept = [phase for phase in phases if phase not in ("Pending", "Terminating")]
    while kept and kept[0] == "Available":
        kept.pop(0)
    return tuple(kept)
