"""The outcome turned round: who saw the program's trouble sees nothing, who did not sees it; nothing follows."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.labs.probe_kinds.summary import mark_s, pod_of, summarize
from k8s_helpers.measure.recording import ClusterEvent, Recording

CLAIMS = (
    "http et grpc la voient",
    "tcp et exec regardent ailleurs",
    "ne voit que le port qui se ferme",
    "ne voit que le fichier qui disparaît",
    "hors du Service après",
    "conteneur tué après",
    "de retour après",
    "1 relance",
    "Le kubelet dit",
)


def opposite(recording: Recording) -> Recording:
    (run,) = recording.runs
    blind = [kind.kind for kind in summarize(run) if not kind.sees_the_program]
    events = tuple(
        ClusterEvent((mark_s(run, "fail", kind) or 0.0) + 1.0, "Pod", pod_of(kind), "Unhealthy", "")
        for kind in blind
    )
    pods = tuple(event for event in run.pods if event.at_s <= 0)
    endpoints = tuple(event for event in run.endpoints if event.at_s <= 0)
    return replace(recording, runs=(replace(run, pods=pods, endpoints=endpoints, events=events),))
