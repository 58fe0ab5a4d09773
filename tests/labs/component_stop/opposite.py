"""Recordings of a stop that is not felt while it lasts, and never caught up."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording, Run

CLAIMS = ("sans nœud : Pending", "aucun remplaçant", "rattrapé en")


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_unfelt, recording.runs)))


def _unfelt(run: Run) -> Run:
    """Return a run in which pods get their node at once and none ends."""
    created = {event.uid: event.at_s for event in run.pods if event.kind == "created"}
    ends = ("terminating", "unready", "exited", "deleted")
    return replace(
        run,
        marks=tuple(mark for mark in run.marks if mark.kind != "complete"),
        pods=tuple(
            replace(event, at_s=created[event.uid]) if event.kind == "scheduled" else event
            for event in run.pods
            if event.kind not in ends
        ),
    )
