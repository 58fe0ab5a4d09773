"""A node that joined a full cluster: who waited, who landed there, how soon, and what was left when it went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..recording import Recording, Run
from .pods import lives
from .story import Story


@dataclass(frozen=True, slots=True)
class AddedNodeSummary:
    """What one more node changed; times in seconds, None for what did not come.

    Attributes
    ----------
    replicas : int
        Pods wished.
    waiting : int
        Pods without a node when it was asked for.
    landed : int
        Pods that were given to it.
    still_waiting : int
        Pods without a node when it was told to leave.
    waiting_after : int
        Pods without a node at the end.
    joined_s : float or None
        From the request for the node until it was Ready.
    placed_s : float or None
        From the same request until the pods that it has room for were ready there.
    left_s : float or None
        From the request to leave until its pods were evicted and it was gone.
    message : str
        What the scheduler said of a pod without a node, in its own words.
    gone : bool
        Whether the cluster's nodes were in the end those of the beginning.
    """

    replicas: int
    waiting: int
    landed: int
    still_waiting: int
    waiting_after: int
    joined_s: float | None
    placed_s: float | None
    left_s: float | None
    message: str
    gone: bool


def bindings(run: Run) -> Mapping[str, tuple[float, str]]:
    """Return when each pod got its node, and which, by the pod's uid."""
    return {one.uid: (one.at_s, one.detail) for one in run.pods if one.kind == "scheduled"}


def added_node_summary(run: Run) -> AddedNodeSummary:
    """Compute what one more node changed."""
    told = run.parameters
    instants = {mark.kind: mark.at_s for mark in run.marks}
    bound = bindings(run)

    def between(first: str, last: str) -> float | None:
        return instants[last] - instants[first] if {first, last} <= instants.keys() else None

    def unbound(at_s: float) -> int:
        return sum(
            life.created_s <= at_s < (math.inf if life.gone_s is None else life.gone_s)
            and at_s < bound.get(life.uid, (math.inf, ""))[0]
            for life in lives(run)
        )

    return AddedNodeSummary(
        replicas=told["replicas"],
        waiting=unbound(instants.get("add", run.ended_s)),
        landed=sum(node == told.get("joined") for _, node in bound.values()),
        still_waiting=unbound(instants.get("remove", run.ended_s)),
        waiting_after=unbound(run.ended_s),
        joined_s=between("add", "joined"),
        placed_s=between("add", "placed"),
        left_s=between("remove", "removed"),
        message=told.get("message", ""),
        gone=told.get("nodes_after") == told["nodes"],
    )


def added_node_json(recording: Recording) -> dict[str, Any]:
    """Return who waited and landed, and how long it took."""
    return asdict(added_node_summary(recording.runs[0]))


def added_node_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: who waits, who lands, and that nothing is left."""
    found = added_node_summary(recording.runs[0])
    verdicts: dict[str, object] = {
        "pods sans nœud avant": found.waiting,
        "pods placés sur le nœud ajouté": found.landed,
        "pods sans nœud ensuite": found.still_waiting,
        "pods sans nœud après son départ": found.waiting_after,
        "manque de processeur": "Insufficient cpu" in found.message,
        "nœud parti": found.gone,
    }
    return Story(verdicts, {})
