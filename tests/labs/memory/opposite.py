"""The outcome turned round: nobody is killed for its memory nor gives up, nobody comes back in time."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import PodEvent, Recording, Run

CLAIMS = (
    "la JVM s’arrête elle-même",
    "le noyau tue le conteneur",
    "4 redémarrages",
    "redémarré aussitôt",
    "(100 %)",
    "(28 %)",
)


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    pods = [event for event in run.pods if event.kind != "restarted"]
    samples = [replace(sample, value=sample.value / 10) for sample in run.samples]
    return replace(run, pods=tuple(map(_late, pods)), samples=tuple(samples))


def _late(event: PodEvent) -> PodEvent:
    """Return a death of another kind, or a start that comes half a minute later."""
    if event.kind == "died":
        return replace(event, detail="Completed 0")
    return replace(event, at_s=event.at_s + 30) if event.kind == "started" else event
