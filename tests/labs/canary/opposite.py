"""The outcome turned round: each version gets the other one's requests."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording, Run

CLAIMS = ("La part du canari est celle de ses pods",)


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    other = {"v1": "v2", "v2": "v1"}
    requests = [
        replace(request, version=other.get(str(request.version), request.version))
        for request in run.requests
    ]
    return replace(run, requests=tuple(requests))
