"""How each part of a cluster is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ...analysis.story import Story
from ...measure.recording import Recording


@dataclass(frozen=True)
class NodeFacts:
    """What runs on a node, and whether it is ready."""

    name: str
    ready: bool
    kubelet: str
    runtime: str
    kernel: str


@dataclass(frozen=True)
class ClusterParts:
    """What the recording's one run holds.

    Attributes
    ----------
    plane : mapping of str to bool or None
        Whether each program of the control plane is well; None where nobody says.
    addons : mapping of str to bool
        Whether the other parts in kube-system are ready.
    nodes : sequence of NodeFacts
        Each node.
    checks : int
        How many the API server makes of itself (`/readyz`).
    failed_checks : sequence of str
        Those that fail.
    """

    plane: Mapping[str, bool | None]
    addons: Mapping[str, bool]
    nodes: Sequence[NodeFacts]
    checks: int
    failed_checks: Sequence[str]

    @classmethod
    def of(cls, recording: Recording) -> Self:
        """Read them."""
        facts = dict(recording.runs[0].parameters)
        return cls(**{**facts, "nodes": [NodeFacts(**node) for node in facts["nodes"]]})


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the parts: all that was seen."""
    return dict(recording.runs[0].parameters)


def to_story(recording: Recording) -> Story:
    """Return what a healthy cluster must tell wherever it runs."""
    facts = ClusterParts.of(recording)
    verdicts: dict[str, object] = {f"{name}.healthy": up for name, up in facts.plane.items()}
    verdicts["nodes.ready"] = all(node.ready for node in facts.nodes)
    verdicts["readyz.failed"] = len(facts.failed_checks)
    return Story(verdicts, {})
