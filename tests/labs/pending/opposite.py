"""A cluster where the greedy pods find a node, and the modest one does not."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "trop-de-cpu, demande : 1k cpu, état : Pending",
    "trop-de-memoire, demande : 100Ti memory, état : Pending",
    "raisonnable, demande : 50m cpu, 64Mi memory, état : placé",
    "Insufficient cpu",
    "Insufficient memory",
)


def opposite(recording: Recording) -> Recording:
    """Return the recording with each pod's state turned round."""
    bound = {"state": "Bound", "reason": "", "message": "node-1"}
    waiting = {"state": "Pending", "reason": "Unschedulable", "message": "0/1 nodes are available."}
    return replace(
        recording,
        runs=tuple(
            replace(
                run,
                parameters=run.parameters
                | (bound if run.parameters["state"] == "Pending" else waiting),
            )
            for run in recording.runs
        ),
    )
