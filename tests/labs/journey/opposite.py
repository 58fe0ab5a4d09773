"""Recordings of an apply whose pod never gets ready, and whose ReplicaSet was there before it was accepted."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = ("Pod prêt", "chacun regarde l’API et fait sa part", "sonde réussie : Ready")


def opposite(recording: Recording) -> Recording:
    (run,) = recording.runs
    revisions = {**run.parameters["revisions"], "replicaset": 1}
    marks = tuple(mark for mark in run.marks if mark.kind != "ready")
    return replace(
        recording, runs=(replace(run, marks=marks, parameters={"revisions": revisions}),)
    )
