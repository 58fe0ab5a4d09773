"""Recordings of StatefulSets that behave as the Deployment does, and of a Deployment that does as they do."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "StatefulSet : 3 pods ; mort d’un pod : même nom, mêmes notes ; créés un par un",
    "StatefulSet, Parallel : 3 pods ; mort d’un pod : même nom, mêmes notes ; créés tous à la fois",
    "Deployment : 3 pods ; mort d’un pod : autre nom, notes perdues ; créés tous à la fois",
)


def opposite(recording: Recording) -> Recording:
    ordered, parallel, deployment = recording.runs
    runs = (
        replace(deployment, name=ordered.name),
        replace(deployment, name=parallel.name),
        replace(ordered, name=deployment.name),
    )
    return replace(recording, runs=runs)
