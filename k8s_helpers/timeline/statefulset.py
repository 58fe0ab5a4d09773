"""The life of a StatefulSet or of a Deployment: in which order pods came and went, what they kept."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .pods import PodLife, lives
from .story import Story
from .told import Told, lapse, told


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
    one_by_one : bool
        The scale-down began with a pod once the one before it was gone.
    same_name, same_claim, same_uid, same_ip : bool
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
    ready_s, replaced_s, update_s : float or None
        Until all pods were ready at first; until a deleted one had a successor; until all had the new version.
    """

    variant: str
    created: tuple[str, ...]
    partitioned: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]
    waits: bool
    one_by_one: bool
    same_name: bool
    same_claim: bool
    same_uid: bool
    same_ip: bool
    kept_notes: bool
    claims: int
    back_with_notes: bool
    own_notes: bool
    services_before: tuple[str, ...]
    name_before_service: str | None
    name_after_service: str | None
    ready_s: float | None
    replaced_s: float | None
    update_s: float | None

    @property
    def ordinals(self) -> bool:
        """Whether pods have numbers."""
        return self.variant != "deployment"

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        return {
            "created": list(self.created),
            "waits_for_predecessor": self.waits,
            "removed": list(self.removed),
            "same_name": self.same_name,
            "kept_notes": self.kept_notes,
            "partitioned": list(self.partitioned),
            "updated": list(self.updated),
            "claims_after_scale_down": self.claims,
            "ready_s": _rounded(self.ready_s),
            "replaced_s": _rounded(self.replaced_s),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def statefulset_summary(run: Run) -> StatefulSetSummary:
    """Read the life of one variant."""
    found = lives(run)
    first = found[: run.parameters["replicas"]]
    removed = _ended(run, found, "scale-down", "scale-up")
    names = told(run, "dns")
    before, after = _replacement(run)
    born, last = (
        [one for one in told(run, "identity") if one["moment"] == moment]
        for moment in ("born", "back")
    )
    claims = told(run, "claims")
    return StatefulSetSummary(
        variant=run.name,
        created=tuple(life.pod for life in first),
        partitioned=_names(_ended(run, found, "partition", "update")),
        updated=_names(_ended(run, found, "update", "updated")),
        removed=_names(removed),
        waits=all(_ready_s(one) <= two.created_s for one, two in itertools.pairwise(first)),
        one_by_one=all(
            _gone_s(one) <= (two.terminating_s or 0.0) for one, two in itertools.pairwise(removed)
        ),
        same_name=_same(before, after, "pod"),
        same_claim=_same(before, after, "claim"),
        same_uid=_same(before, after, "uid"),
        same_ip=_same(before, after, "ip"),
        kept_notes=_same(before, after, "notes"),
        claims=len(claims[-1]["claims"]) if claims else 0,
        back_with_notes=bool(last) and all(one["notes"] for one in last),
        own_notes=bool(born) and all(_own(one) for one in born),
        services_before=tuple(names[0]["services"]) if names else (),
        name_before_service=names[0]["answer"] if names else None,
        name_after_service=names[-1]["answer"] if names else None,
        ready_s=lapse(run, "apply", "complete"),
        replaced_s=lapse(run, "delete", "replaced"),
        update_s=lapse(run, "update", "updated"),
    )


def _ended(run: Run, found: tuple[PodLife, ...], start: str, end: str) -> list[PodLife]:
    """Return the pods that were told to end between two marks, in that order."""
    first, last = run.mark(start), run.mark(end)
    if first is None or last is None:
        return []
    told_to_end = [
        life
        for life in found
        if life.terminating_s is not None and first.at_s <= life.terminating_s <= last.at_s
    ]
    return sorted(told_to_end, key=lambda life: life.terminating_s or 0.0)


def _names(found: list[PodLife]) -> tuple[str, ...]:
    return tuple(life.pod for life in found)


def _ready_s(life: PodLife) -> float:
    return life.ready[0].start_s if life.ready else math.inf


def _gone_s(life: PodLife) -> float:
    return math.inf if life.gone_s is None else life.gone_s


def _replacement(run: Run) -> tuple[Told | None, Told | None]:
    """Return who was killed, and who came in its place: the one whose uid had not been there."""
    kill, identities = run.mark("delete"), told(run, "identity")
    born = [one for one in identities if one["moment"] == "born"]
    later = [one for one in identities if one["moment"] == "replaced-by"]
    known = {one["uid"] for one in born}
    before = next((one for one in born if kill is not None and one["pod"] == kill.detail), None)
    return before, next((one for one in later if one["uid"] not in known), None)


def _own(one: Told) -> bool:
    """Return whether a pod has one note, which names it."""
    return len(one["notes"]) == 1 and one["notes"][0].endswith(one["pod"])


def _same(before: Told | None, after: Told | None, fact: str) -> bool:
    return (
        before is not None
        and after is not None
        and before[fact] is not None
        and before[fact] == after[fact]
    )


def statefulset_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the variants."""
    return {"variants": {run.name: statefulset_summary(run).to_plain() for run in recording.runs}}


def statefulset_story(recording: Recording) -> Story:
    """Return what must be told everywhere: orders, what a replaced pod keeps, what DNS answers."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for one in map(statefulset_summary, recording.runs):
        name = one.variant
        verdicts[f"{name} : chacun attend le précédent"] = one.waits
        verdicts[f"{name} : même nom après une mort"] = one.same_name
        verdicts[f"{name} : même pod après une mort"] = one.same_uid
        verdicts[f"{name} : notes gardées"] = one.kept_notes
        verdicts[f"{name} : demandes gardées"] = one.claims
        verdicts[f"{name} : notes retrouvées"] = one.back_with_notes
        verdicts[f"{name} : chacun ses notes"] = one.own_notes
        if one.ordinals:
            verdicts[f"{name} : pods"] = " ".join(sorted(one.created))
            verdicts[f"{name} : partition"] = " ".join(one.partitioned)
            verdicts[f"{name} : ordre de mise à jour"] = " ".join(one.updated)
            verdicts[f"{name} : Services créés d’office"] = len(one.services_before)
            verdicts[f"{name} : DNS sans Service"] = one.name_before_service
            verdicts[f"{name} : DNS avec Service"] = one.name_after_service
        if name == "ordered":
            verdicts[f"{name} : ordre de création"] = " ".join(one.created)
            verdicts[f"{name} : ordre d’arrêt"] = " ".join(one.removed)
            verdicts[f"{name} : arrêt un par un"] = one.one_by_one
        for words, value in (("tous prêts", one.ready_s), ("remplacement", one.replaced_s)):
            if value is not None:
                durations[f"{name} : {words}"] = value
    return Story(verdicts, durations)
