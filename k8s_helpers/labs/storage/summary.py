"""Phases of claims and volumes, and what they mean: who waited for whom, what is left when the claim goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...analysis.facts import facts, marks
from ...analysis.pods import Interval
from ...analysis.story import Story, plain
from ...measure.recording import Recording, Run
from .codes import NoteRead, PhaseChange, StorageMark, Stuck

CLAIM_KIND = "PersistentVolumeClaim"
BOUND, GONE = "Bound", "Deleted"


@dataclass(frozen=True, slots=True)
class VolumePhase(Interval):
    """A stretch of a claim's or a volume's life during which it is in one phase."""

    phase: str


@dataclass(frozen=True, slots=True)
class VolumeLife:
    """The phases of one claim or volume, without gaps, and whether it was gone by the end."""

    kind: str
    name: str
    uid: str
    phases: tuple[VolumePhase, ...]
    gone: bool


def volume_lives(run: Run) -> tuple[VolumeLife, ...]:
    """Return the life of each claim and volume of a run, claims first, each in the order in which they came."""
    changes = [(mark.at_s, PhaseChange(**mark.facts)) for mark in marks(run, StorageMark.PHASE)]
    by_uid: dict[str, list[tuple[float, PhaseChange]]] = {}
    for at_s, change in changes:
        by_uid.setdefault(change.uid, []).append((at_s, change))
    volumes = [_life(own, run.ended_s) for own in by_uid.values()]
    return tuple(
        sorted(volumes, key=lambda life: (life.kind != CLAIM_KIND, life.phases[0].start_s))
    )


def _life(changes: Sequence[tuple[float, PhaseChange]], ended_s: float) -> VolumeLife:
    ends = [*(at_s for at_s, _ in changes[1:]), ended_s]
    phases = tuple(
        VolumePhase(at_s, end_s, change.phase)
        for (at_s, change), end_s in zip(changes, ends, strict=True)
        if change.phase != GONE
    )
    _, first = changes[0]
    return VolumeLife(first.kind, first.name, first.uid, phases, changes[-1][1].phase == GONE)


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
    reused : bool
        A volume was bound again after its claim had gone.
    volume_gone : bool
        No volume was left at the end.
    all_wait : bool
        At the end claim and pod were still Pending.
    reason : str
        Why the claim waits, in the words of its last Event.
    """

    run: str
    claims: tuple[tuple[str, ...], ...]
    volumes: tuple[tuple[str, ...], ...]
    waits_for_pod: bool
    bind_s: float | None
    survives_pod: bool
    reused: bool
    volume_gone: bool
    all_wait: bool
    reason: str


def summarize(run: Run) -> StorageSummary:
    """Read the phases of one run."""
    everything = volume_lives(run)
    claims = [life for life in everything if life.kind == CLAIM_KIND]
    volumes = [life for life in everything if life.kind != CLAIM_KIND]
    bound = [phase.start_s for life in claims[:1] for phase in life.phases if phase.phase == BOUND]
    consumer = run.mark(StorageMark.CONSUMER)
    wanted_s = None if consumer is None else consumer.at_s
    reads = [read for read in facts(run, StorageMark.READ, NoteRead) if not read.written]
    stuck = facts(run, StorageMark.STUCK, Stuck)
    reasons = [event for event in run.events if event.kind == CLAIM_KIND]
    return StorageSummary(
        run=run.name,
        claims=tuple(map(_phases, claims)),
        volumes=tuple(map(_phases, volumes)),
        waits_for_pod=bool(bound) and wanted_s is not None and bound[0] >= wanted_s,
        bind_s=bound[0] - wanted_s if bound and wanted_s is not None else None,
        survives_pod=bool(reads) and all(read.kept for read in reads),
        reused=any(_phases(life).count(BOUND) > 1 for life in volumes),
        volume_gone=all(life.gone for life in volumes),
        all_wait=all((each.claim, each.pod) == ("Pending", "Pending") for each in stuck),
        reason=reasons[-1].message if reasons and not bound else "",
    )


def _phases(life: VolumeLife) -> tuple[str, ...]:
    return tuple(phase.phase for phase in life.phases)


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the runs."""
    fields = ("claims", "volumes", "bind_s", "survives_pod", "reason")
    return {"runs": {run.name: plain(summarize(run), *fields) for run in recording.runs}}


def to_story(recording: Recording) -> Story:
    """Return what must be told everywhere: phases in their order, what survives."""
    summaries = {run.name: summarize(run) for run in recording.runs}
    return Story.of(
        {
            name: {
                "claims": " | ".join(map(" ".join, summary.claims)),
                "volumes": " | ".join(" ".join(_settled(phases)) for phases in summary.volumes),
                "waits-for-pod": summary.waits_for_pod,
                "survives-pod": summary.survives_pod,
            }
            for name, summary in summaries.items()
        },
        {name: {"bind": summary.bind_s} for name, summary in summaries.items()},
    )


def _settled(phases: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the instants that only some provisioners show: before it is bound, while it is deleted."""
    kept = [phase for phase in phases if phase not in ("Pending", "Terminating")]
    while kept and kept[0] == "Available":
        kept.pop(0)
    return tuple(kept)
