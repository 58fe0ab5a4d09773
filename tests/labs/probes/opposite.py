"""The outcome turned round: who became Ready is killed at the start and never is; who was killed becomes Ready."""

from __future__ import annotations

from dataclasses import replace

import synthetic

from k8s_helpers.measure.recording import (
    ClusterEvent,
    EndpointsEvent,
    PodEvent,
    Recording,
    Run,
)

CLAIMS = (
    "Sans sonde, le programme de la diapositive : Ready à",
    "Sans sonde, un programme qui répond 503 : Ready à",
    "Readiness seule : Ready à",
    "Les deux sondes de la diapositive : Ready à",
    "Liveness trop impatiente : jamais Ready",
    "La même liveness, avec une sonde startup : Ready à",
    "pages sans données",
    "erreurs du programme",
    "2 relances",
    "(dial tcp",
    "arrêtée ici",
    "au même instant",
)


def opposite(recording: Recording) -> Recording:
    first, *others = map(_turned, recording.runs)
    late = replace(first, started_at="2026-01-01T00:00:00+00:00")
    return replace(recording, runs=(late, *others))


def _turned(run: Run) -> Run:
    pod = run.pods[0]
    ready = any(event.kind == "ready" for event in run.pods)
    kept = tuple(event for event in run.pods if event.kind in ("created", "started"))
    kill = ClusterEvent(5.0, "Pod", pod.pod, "Killing", "Container x failed liveness probe")
    become_ready = PodEvent(5.0, pod.pod, pod.uid, "ready", "receipt")
    return replace(
        run,
        parameters={**run.parameters, "cut": False},
        requests=synthetic.inverted(run.requests),
        pods=kept if ready else (*kept, become_ready),
        endpoints=() if ready else (EndpointsEvent(5.0, pod.pod, (pod.pod,)),),
        events=(kill,) if ready else (),
        probes=tuple(replace(result, ok=not result.ok) for result in run.probes),
    )
