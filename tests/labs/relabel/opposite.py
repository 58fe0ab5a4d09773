"""Recordings of a changed label that changes nothing: the pod stays in its Service and with its owner."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = ("hors du Service en", "remplacé en", "puis aucun", "0 requête perdue")


def opposite(recording: Recording) -> Recording:
    (run,) = recording.runs
    since_s = next(mark.at_s for mark in run.marks if mark.kind == "label")
    owner = run.parameters["owner_before"]
    unchanged = replace(
        run,
        parameters={**run.parameters, "owner_after": owner},
        pods=tuple(event for event in run.pods if event.at_s < since_s),
        endpoints=tuple(event for event in run.endpoints if event.at_s < since_s),
        requests=tuple(replace(request, error="refused") for request in run.requests),
    )
    return replace(recording, runs=(unchanged,))
