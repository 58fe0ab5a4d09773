"""What closed a gap between what was wished and what was, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..recording import Mark, Recording, Run
from .outcomes import failed
from .pods import Count, counts, lives
from .story import Story

GAPS = ("kill", "delete", "scale", "image")
"""Marks that open one."""


@dataclass(frozen=True, slots=True)
class HealingSummary:
    """How a gap was closed.

    Attributes
    ----------
    disturbance : str
        Name of the run.
    created, gone : int
        Pods made after the gap, and pods that were told to end.
    restarts : int
        Restarts of containers in place.
    recovery_s : float or None
        From the disturbance until as many pods were ready as wished, for good; None where that did not come.
    requests, failed : int
        Requests that were due, and those that were lost.
    counts : tuple of int
        Wished replicas, one after the other.
    replica_sets : tuple of (int, int)
        Revision and replicas of each ReplicaSet at the end, oldest first; only where they were looked at.
    """

    disturbance: str
    created: int
    gone: int
    restarts: int
    recovery_s: float | None
    requests: int
    failed: int
    counts: tuple[int, ...]
    replica_sets: tuple[tuple[int, int], ...]

    @property
    def same_pod(self) -> bool:
        """Whether the pods of before are all still there."""
        return not self.created and not self.gone

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        return {
            "created": self.created,
            "gone": self.gone,
            "restarts": self.restarts,
            "recovery_s": None if self.recovery_s is None else round(self.recovery_s, 3),
            "requests": self.requests,
            "failed": self.failed,
            "replica_sets": [list(one) for one in self.replica_sets],
        }


def healing_summary(run: Run) -> HealingSummary:
    """Compute how the gap of a run was closed."""
    gaps = [mark for mark in run.marks if mark.kind in GAPS]
    since_s = gaps[0].at_s if gaps else 0.0
    found = lives(run)
    sets = sorted(
        (one["revision"], one["replicas"]) for one in run.parameters.get("replica_sets", ())
    )
    return HealingSummary(
        disturbance=run.name,
        created=sum(life.created_s >= since_s for life in found),
        gone=sum(life.terminating_s is not None for life in found),
        restarts=sum(life.restarts for life in found),
        recovery_s=_recovery(run, gaps),
        requests=len(run.requests),
        failed=len(failed(run.requests)),
        counts=tuple(run.parameters.get("asked", (run.parameters["replicas"],))),
        replica_sets=tuple(sets),
    )


def _recovery(run: Run, gaps: Sequence[Mark]) -> float | None:
    if not gaps:
        return None
    first = gaps[0]
    wished = int(first.detail) if first.kind == "scale" else int(run.parameters["replicas"])
    until_s = gaps[1].at_s if len(gaps) > 1 else run.ended_s
    steps = [step for step in counts(run) if step.at_s < until_s]
    if first.kind == "image":
        complete = run.mark("recovered")
        return complete.at_s - first.at_s if complete else None
    return _since(steps, first.at_s, wished, until_s)


def _since(steps: Sequence[Count], begin_s: float, wished: int, until_s: float) -> float | None:
    """Return after how long the wished number was ready, to stay so until `until_s`."""
    after = [step for step in steps if step.at_s >= begin_s]
    if not after or after[-1].ready != wished:
        return None
    others = [step.at_s for step in after if step.ready != wished]
    last_s = others[-1] if others else begin_s
    closed = next(step.at_s for step in after if step.at_s > last_s or not others)
    return closed - begin_s


def self_healing_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the disturbances."""
    return {"disturbances": {run.name: healing_summary(run).to_plain() for run in recording.runs}}


def self_healing_story(recording: Recording) -> Story:
    """Return what self-healing must tell wherever it is measured."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        summary = healing_summary(run)
        verdicts |= _verdicts(summary)
        if summary.recovery_s is not None:
            durations[f"{run.name} : retour à l’état désiré"] = summary.recovery_s
    return Story(verdicts, durations)


def _verdicts(summary: HealingSummary) -> Mapping[str, object]:
    name = summary.disturbance
    return {
        f"{name} : pods créés": summary.created,
        f"{name} : pods arrêtés": summary.gone,
        f"{name} : redémarrages sur place": summary.restarts,
        f"{name} : état désiré retrouvé": summary.recovery_s is not None,
        f"{name} : ReplicaSets": summary.replica_sets,
    }
