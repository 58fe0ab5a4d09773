"""The steps of one apply, who made each, and when."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .story import Story

REVISIONS = "revisions"
"""The run's parameter that holds, by step, the `resourceVersion` of the object that told it.

Each kind of object has a watch of its own, so receipts of two watches may cross. The number does not: etcd numbers all
its writes in one row. Source: https://etcd.io/docs/v3.6/learning/data_model/
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the journey: its mark, who does it, what it is in French."""

    kind: str
    actor: str
    words: str


STEPS = (
    Step("sent", "you", "apply : Deployment"),
    Step("accepted", "api", "écrit dans etcd"),
    Step("replicaset", "deployment", "crée le ReplicaSet"),
    Step("pod", "replicaset", "crée le pod, sans nœud"),
    Step("scheduled", "scheduler", "lie le pod à un nœud"),
    Step("started", "kubelet", "conteneur démarré"),
    Step("ready", "kubelet", "sonde réussie : Ready"),
    Step("endpoints", "endpoints", "ajoute l’adresse du pod au Service"),
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
    found: list[Passage] = []
    for step in STEPS:
        if step.kind in first:
            revision = revisions.get(step.kind, 0)
            since_s = first[step.kind].at_s - zero_s
            if found and revision >= found[-1].revision:
                since_s = max(since_s, found[-1].since_s)
            found.append(Passage(step, since_s, first[step.kind].detail, revision))
    return tuple(found)


def in_order(found: Sequence[Passage]) -> bool:
    """Return whether no step was written before the one that it follows from."""
    return all(after.revision >= before.revision for before, after in itertools.pairwise(found))


def journey_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the journey."""
    found = passages(recording.runs[0])
    return {
        "steps": {
            one.step.kind: {"since_s": round(one.since_s, 4), "stamp": one.stamp} for one in found
        }
    }


def journey_story(recording: Recording) -> Story:
    """Return what the journey must tell wherever it is measured."""
    found = passages(recording.runs[0])
    times = {one.step.kind: one.since_s for one in found}
    return Story(
        {
            "étapes": tuple(one.step.kind for one in found),
            "chacune après la précédente": in_order(found),
        },
        {"du apply à Ready": times["ready"], "du apply au ReplicaSet": times["replicaset"]},
    )
