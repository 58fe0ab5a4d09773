"""What closed a gap between what was wished and what was, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...analysis.outcomes import failed
from ...analysis.pods import Count, PodLife, counts, lives
from ...analysis.story import Story, plain
from ...measure.recording import Mark, Recording, Run
from .codes import RECOVERED, Gap


@dataclass(frozen=True, slots=True)
class HealingSummary:
    """How a gap was closed.

    Attributes
    ----------
    disturbance : str
        Name of the run.
    created, gone : int
        Pods made after the gap, and pods that were told to end.
    renamed : bool
        Pods were made after the gap, none with the name of one that was there before.
    restarts : int
        Restarts of containers in place.
    recovery_s : float or None
        From the disturbance until as many pods were ready as wished, for good; None where that did not come.
    requests, failed : int
        Requests that were due, and those that were lost.
    counts : tuple of int
        Wished replicas, one after the other.
    reached : tuple of int
        Ready pods when the next count was wished, and at the end; shorter than `counts` while the run goes on.
    replica_sets : tuple of (int, int)
        Revision and replicas of each ReplicaSet at the end, oldest first; only where they were looked at.
    """

    disturbance: str
    created: int
    gone: int
    renamed: bool
    restarts: int
    recovery_s: float | None
    requests: int
    failed: int
    counts: tuple[int, ...]
    reached: tuple[int, ...]
    replica_sets: tuple[tuple[int, int], ...]

    @property
    def same_pod(self) -> bool:
        """Whether the pods of before are all still there."""
        return not self.created and not self.gone

    @property
    def follows(self) -> bool:
        """Whether the number of ready pods came to each wished one."""
        return self.reached == self.counts[: len(self.reached)]


def summarize(run: Run) -> HealingSummary:
    """Compute how the gap of a run was closed."""
    gaps = [mark for mark in run.marks if mark.kind in set(Gap)]
    since_s = gaps[0].at_s if gaps else 0.0
    pods = lives(run)
    old = {life.pod for life in pods if life.created_s < since_s}
    new = {life.pod for life in pods if life.created_s >= since_s}
    sets = run.parameters.get("replica_sets", ())
    return HealingSummary(
        disturbance=run.name,
        created=len(new),
        gone=sum(life.terminating_s is not None for life in pods),
        renamed=bool(new) and not new & old,
        restarts=sum(life.restarts for life in pods),
        recovery_s=_recovery(run, gaps),
        requests=len(run.requests),
        failed=len(failed(run.requests)),
        counts=tuple(run.parameters.get("asked", (run.parameters["replicas"],))),
        reached=_reached(run, pods),
        replica_sets=tuple(sorted((each["revision"], each["replicas"]) for each in sets)),
    )


def _reached(run: Run, pods: Sequence[PodLife]) -> tuple[int, ...]:
    ends = [mark.at_s for mark in run.marks if mark.kind in (Gap.SCALE, RECOVERED)]
    return tuple(sum(life.ready_at(at_s) for life in pods) for at_s in ends)


def _recovery(run: Run, gaps: Sequence[Mark]) -> float | None:
    if not gaps:
        return None
    first = gaps[0]
    wished = int(first.detail) if first.kind == Gap.SCALE else int(run.parameters["replicas"])
    until_s = gaps[1].at_s if len(gaps) > 1 else run.ended_s
    steps = [step for step in counts(run) if step.at_s < until_s]
    if first.kind == Gap.IMAGE:
        complete = run.mark(RECOVERED)
        return complete.at_s - first.at_s if complete else None
    return _since(steps, first.at_s, wished)


def _since(steps: Sequence[Count], begin_s: float, wished: int) -> float | None:
    """Return after how long the wished number was ready, to stay so until the last step."""
    after = [step for step in steps if step.at_s >= begin_s]
    if not after or after[-1].ready != wished:
        return None
    others = [step.at_s for step in after if step.ready != wished]
    last_s = others[-1] if others else begin_s
    closed = next(step.at_s for step in after if step.at_s > last_s or not others)
    return closed - begin_s


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the disturbances."""
    fields = ("created", "gone", "restarts", "recovery_s", "requests", "failed", "replica_sets")
    return {"disturbances": {run.name: plain(summarize(run), *fields) for run in recording.runs}}


def to_story(recording: Recording) -> Story:
    """Return what self-healing must tell wherever it is measured."""
    summaries = {run.name: summarize(run) for run in recording.runs}
    return Story.of(
        {
            name: {
                "created": summary.created,
                "gone": summary.gone,
                "restarts": summary.restarts,
                "recovered": summary.recovery_s is not None,
                "replica-sets": summary.replica_sets,
            }
            for name, summary in summaries.items()
        },
        {name: {"recovery": summary.recovery_s} for name, summary in summaries.items()},
    )
