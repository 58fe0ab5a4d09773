"""The steps of one apply, who made each, and when."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...analysis.story import Story
from ...measure.recording import Recording, Run

REVISIONS = "revisions"
"""The run's parameter that holds, by step, the `resourceVersion` of the object that told it.

Each kind of object has a watch of its own, so receipts of two watches may cross. The number does not: etcd numbers all
its writes in one row. Source: https://etcd.io/docs/v3.6/learning/data_model/
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the journey: its mark, and who does it."""

    kind: str
    actor: str


STEPS = (
    Step("sent", "you"),
    Step("accepted", "api"),
    Step("replicaset", "deployment"),
    Step("pod", "replicaset"),
    Step("scheduled", "scheduler"),
    Step("started", "kubelet"),
    Step("ready", "kubelet"),
    Step("endpoints", "endpoints"),
)
"""In the order in which each follows from the one before."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A step that was seen.

    Attributes
    ----------
    step : Step
        Which.
    since_s : float
        Seconds from the apply to the receipt of its watch event; to that of the step before, where the receipts
        crossed although etcd wrote them in this order.
    stamp : str
        What the API's object says of it, "" where it says nothing: whole seconds.
    revision : int
        The number that etcd gave to what was written; two steps of one write share it. 0 before any.
    """

    step: Step
    since_s: float
    stamp: str
    revision: int


def passages(run: Run) -> tuple[Passage, ...]:
    """Return the steps that a run has, each after the one that it follows from."""
    sent = run.mark("sent")
    zero_s = sent.at_s if sent else 0.0
    revisions = run.parameters.get(REVISIONS, {})
    first = {mark.kind: mark for mark in reversed(run.marks)}
    seen: list[Passage] = []
    for step in STEPS:
        if step.kind in first:
            revision = revisions.get(step.kind, 0)
            since_s = first[step.kind].at_s - zero_s
            if seen and revision >= seen[-1].revision:
                since_s = max(since_s, seen[-1].since_s)
            seen.append(Passage(step, since_s, first[step.kind].detail, revision))
    return tuple(seen)


def in_order(seen: Sequence[Passage]) -> bool:
    """Return whether no step was written before the one that it follows from."""
    return all(after.revision >= before.revision for before, after in itertools.pairwise(seen))


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the journey."""
    return {
        "steps": {
            passage.step.kind: {"since_s": round(passage.since_s, 4), "stamp": passage.stamp}
            for passage in passages(recording.runs[0])
        }
    }


def to_story(recording: Recording) -> Story:
    """Return what the journey must tell wherever it is measured."""
    seen = passages(recording.runs[0])
    times = {passage.step.kind: passage.since_s for passage in seen}
    return Story(
        {"steps": tuple(times), "in-order": in_order(seen)},
        {"apply-to-ready": times["ready"], "apply-to-replicaset": times["replicaset"]},
    )
