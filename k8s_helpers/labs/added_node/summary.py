"""A node that joined a full cluster: who waited, who landed there, how soon, and what was left when it went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...analysis.pods import lives
from ...analysis.story import Story
from ...measure.recording import Recording, Run
from .codes import NodeMark


@dataclass(frozen=True, slots=True)
class AddedNodeSummary:
    """What one more node changed; times in seconds, None for what did not come.

    Attributes
    ----------
    replicas : int
        Pods wished.
    waiting : int
        Pods without a node when it was asked for.
    landed, ready : int
        Pods that were given to it; those of them that were ready there.
    still_waiting : int
        Pods without a node when it had to leave.
    evicted, replaced : int
        Pods that it had to give away; pods that were made from then on.
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
    ready: int
    still_waiting: int
    evicted: int
    replaced: int
    waiting_after: int
    joined_s: float | None
    placed_s: float | None
    left_s: float | None
    message: str
    gone: bool


def bindings(run: Run) -> Mapping[str, tuple[float, bool]]:
    """Return when each pod got its node, and whether it is the one that joined, by the pod's uid."""
    joined = run.parameters.get("joined")
    return {
        event.uid: (event.at_s, event.detail == joined)
        for event in run.pods
        if event.kind == "scheduled"
    }


def summarize(run: Run) -> AddedNodeSummary:
    """Compute what one more node changed."""
    parameters = run.parameters
    instants = {mark.kind: mark.at_s for mark in run.marks}
    bound, pods = bindings(run), lives(run)
    there = [life for life in pods if bound.get(life.uid, (0.0, False))[1]]
    remove_s = instants.get(NodeMark.REMOVE, math.inf)

    def between(first: NodeMark, last: NodeMark) -> float | None:
        return instants[last] - instants[first] if {first, last} <= instants.keys() else None

    def unbound(at_s: float) -> int:
        return sum(
            life.created_s <= at_s < (math.inf if life.gone_s is None else life.gone_s)
            and at_s < bound.get(life.uid, (math.inf, False))[0]
            for life in pods
        )

    return AddedNodeSummary(
        replicas=parameters["replicas"],
        waiting=unbound(instants.get(NodeMark.ADD, run.ended_s)),
        landed=len(there),
        ready=sum(bool(life.ready) for life in there),
        still_waiting=unbound(min(remove_s, run.ended_s)),
        evicted=sum(life.terminating_s is not None or life.gone_s is not None for life in there),
        replaced=sum(life.created_s >= remove_s for life in pods),
        waiting_after=unbound(run.ended_s),
        joined_s=between(NodeMark.ADD, NodeMark.JOINED),
        placed_s=between(NodeMark.ADD, NodeMark.PLACED),
        left_s=between(NodeMark.REMOVE, NodeMark.REMOVED),
        message=parameters.get("message", ""),
        gone=parameters.get("nodes_after") == parameters["nodes"],
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return who waited and landed, and how long it took."""
    plain = asdict(summarize(recording.runs[0]))
    return {name: plain[name] for name in plain if name not in ("ready", "evicted", "replaced")}


def to_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: who waits, who lands, and that nothing is left."""
    summary = summarize(recording.runs[0])
    verdicts: dict[str, object] = {
        "waiting-before": summary.waiting,
        "landed": summary.landed,
        "still-waiting": summary.still_waiting,
        "waiting-after": summary.waiting_after,
        "lacks-cpu": "Insufficient cpu" in summary.message,
        "node-gone": summary.gone,
    }
    return Story(verdicts, {})
