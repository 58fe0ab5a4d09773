"""The outcome turned round: no limit makes the work wait, and each container is restarted."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import PodEvent, Recording, Run

CLAIMS = ("La limite de processeur fait attendre le travail", "aucun redémarrage")


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    work_s = run.parameters["cpu_ms"] / 1000
    return replace(
        run,
        requests=tuple(
            replace(request, answered_s=request.planned_s + work_s) for request in run.requests
        ),
        pods=(PodEvent(1.0, "a", "u", "restarted", "receipt"),),
    )
