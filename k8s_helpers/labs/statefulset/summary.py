"""The life of a StatefulSet or of a Deployment: in which order pods came and went, what they kept."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from ...analysis.facts import facts, lapse
from ...analysis.pods import PodLife, lives
from ...analysis.story import Story, plain
from ...measure.recording import Recording, Run
from .codes import Claims, DatabaseVariant, IdentityMoment, NameAnswer, PodIdentity


@dataclass(frozen=True, slots=True)
class StatefulSetSummary:
    """What became of the pods of one variant.

    Attributes
    ----------
    variant : str
        Name of the run.
    created, partitioned, updated, removed : tuple of str
        Pods in the order in which they were created at first, replaced by the update with its partition and without,
        and removed by the scale-down.
    waits : bool
        Each pod was created once the one before it was ready.
    at_once : bool
        All pods were created before any was ready.
    renamed : bool
        The update has left no pod with a name of before.
    one_by_one : bool
        The scale-down began with a pod once the one before it was gone.
    same_name, same_claim, same_uid : bool
        What the pod that came after a deleted one had in common with it.
    kept_notes : bool
        It had the notes of the one before.
    claims : int
        Claims that are left while there is one pod.
    back_with_notes : bool
        All pods have their notes again after the scale-up.
    own_notes : bool
        At first each pod has the note that was written in it, and no other: nothing is copied between them.
    services_before : tuple of str
        The Services that there are once the StatefulSet is made, before the headless one is.
    name_before_service, name_after_service : str or None
        Which pod answered to the name of the second one, before and after the headless Service was made.
    ready_s, replaced_s : float or None
        Until all pods were ready at first; until a deleted one had a successor.
    """

    variant: str
    created: tuple[str, ...]
    partitioned: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]
    waits: bool
    at_once: bool
    renamed: bool
    one_by_one: bool
    same_name: bool
    same_claim: bool
    same_uid: bool
    kept_notes: bool
    claims: int
    back_with_notes: bool
    own_notes: bool
    services_before: tuple[str, ...]
    name_before_service: str | None
    name_after_service: str | None
    ready_s: float | None
    replaced_s: float | None


def summarize(run: Run) -> StatefulSetSummary:
    """Read the life of one variant."""
    pods = lives(run)
    first = pods[: run.parameters["replicas"]]
    removed = _ended(run, pods, "scale-down", "scale-up")
    names = facts(run, "dns", NameAnswer)
    identities = facts(run, "identity", PodIdentity)
    before, after = _replacement(run, identities)
    born, back = (
        [identity for identity in identities if identity.moment == moment]
        for moment in (IdentityMoment.BORN, IdentityMoment.BACK)
    )
    claims = facts(run, "claims", Claims)
    return StatefulSetSummary(
        variant=run.name,
        created=_names(first),
        partitioned=_names(_ended(run, pods, "partition", "update")),
        updated=_names(_ended(run, pods, "update", "updated")),
        removed=_names(removed),
        waits=all(_ready_s(old) <= new.created_s for old, new in itertools.pairwise(first)),
        at_once=max((life.created_s for life in first), default=0.0)
        <= min(map(_ready_s, first), default=0.0),
        renamed=_renamed(run, pods),
        one_by_one=all(
            _gone_s(old) <= (new.terminating_s or 0.0) for old, new in itertools.pairwise(removed)
        ),
        same_name=_same(before, after, "pod"),
        same_claim=_same(before, after, "claim"),
        same_uid=_same(before, after, "uid"),
        kept_notes=_same(before, after, "notes"),
        claims=len(claims[-1].claims) if claims else 0,
        back_with_notes=bool(back) and all(identity.notes for identity in back),
        own_notes=bool(born) and all(map(_has_own_note, born)),
        services_before=tuple(names[0].services) if names else (),
        name_before_service=names[0].answer if names else None,
        name_after_service=names[-1].answer if names else None,
        ready_s=lapse(run, "apply", "complete"),
        replaced_s=lapse(run, "delete", "replaced"),
    )


def _ended(run: Run, pods: Sequence[PodLife], start: str, end: str) -> list[PodLife]:
    """Return the pods that were told to end between two marks, in that order."""
    first, last = run.mark(start), run.mark(end)
    if first is None or last is None:
        return []
    ends = [
        (life.terminating_s, life)
        for life in pods
        if life.terminating_s is not None and first.at_s <= life.terminating_s <= last.at_s
    ]
    return [life for _, life in sorted(ends, key=itemgetter(0))]


def _renamed(run: Run, pods: Sequence[PodLife]) -> bool:
    """Return whether the pods that the update made have other names than those that it ended."""
    ended = {life.pod for life in _ended(run, pods, "update", "updated")}
    update, updated = run.mark("update"), run.mark("updated")
    if update is None or updated is None:
        return False
    made = {life.pod for life in pods if update.at_s <= life.created_s <= updated.at_s}
    return bool(made) and not made & ended


def _names(pods: Iterable[PodLife]) -> tuple[str, ...]:
    return tuple(life.pod for life in pods)


def _ready_s(life: PodLife) -> float:
    return life.ready[0].start_s if life.ready else math.inf


def _gone_s(life: PodLife) -> float:
    return math.inf if life.gone_s is None else life.gone_s


def _replacement(
    run: Run, identities: Sequence[PodIdentity]
) -> tuple[PodIdentity | None, PodIdentity | None]:
    """Return who was killed, and who came in its place: the one whose uid had not been there."""
    kill = run.mark("delete")
    born = [identity for identity in identities if identity.moment == IdentityMoment.BORN]
    later = [identity for identity in identities if identity.moment == IdentityMoment.REPLACED]
    known = {identity.uid for identity in born}
    before = next((each for each in born if kill is not None and each.pod == kill.detail), None)
    return before, next((each for each in later if each.uid not in known), None)


def _has_own_note(identity: PodIdentity) -> bool:
    """Return whether a pod has one note, which names it."""
    return len(identity.notes) == 1 and identity.notes[0].endswith(identity.pod)


def _same(before: PodIdentity | None, after: PodIdentity | None, fact: str) -> bool:
    if before is None or after is None:
        return False
    value = getattr(before, fact)
    return value is not None and value == getattr(after, fact)


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the variants."""
    fields = (
        "created",
        "removed",
        "same_name",
        "kept_notes",
        "partitioned",
        "updated",
        "ready_s",
        "replaced_s",
    )
    return {
        "variants": {
            run.name: {
                **plain(summary, *fields),
                "waits_for_predecessor": summary.waits,
                "claims_after_scale_down": summary.claims,
            }
            for run in recording.runs
            for summary in [summarize(run)]
        }
    }


def to_story(recording: Recording) -> Story:
    """Return what must be told everywhere: orders, what a replaced pod keeps, what DNS answers."""
    summaries = {run.name: summarize(run) for run in recording.runs}
    return Story.of(
        {name: _verdicts(summary) for name, summary in summaries.items()},
        {
            name: {"ready": summary.ready_s, "replaced": summary.replaced_s}
            for name, summary in summaries.items()
        },
    )


def _verdicts(summary: StatefulSetSummary) -> dict[str, object]:
    verdicts: dict[str, object] = {
        "waits": summary.waits,
        "same-name": summary.same_name,
        "same-pod": summary.same_uid,
        "kept-notes": summary.kept_notes,
        "claims": summary.claims,
        "back-with-notes": summary.back_with_notes,
        "own-notes": summary.own_notes,
    }
    if summary.variant != DatabaseVariant.DEPLOYMENT:
        verdicts |= {
            "pods": " ".join(sorted(summary.created)),
            "partitioned": " ".join(summary.partitioned),
            "update-order": " ".join(summary.updated),
            "services": len(summary.services_before),
            "dns-before-service": summary.name_before_service,
            "dns-after-service": summary.name_after_service,
        }
    if summary.variant == DatabaseVariant.ORDERED:
        verdicts |= {
            "creation-order": " ".join(summary.created),
            "removal-order": " ".join(summary.removed),
            "removed-one-by-one": summary.one_by_one,
        }
    return verdicts
