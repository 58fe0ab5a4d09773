"""The outcome turned round: who was answered is lost, every pod gets ready, no way back ends."""

from __future__ import annotations

from dataclasses import replace

import synthetic

from k8s_helpers.measure.recording import Recording, Run

CLAIMS = ("0 requête perdue", "0 pod v2 jugé prêt", "0 ancien pod parti", "retour fini en")


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    undo = run.mark("undo")
    assert undo is not None
    pods = [event for event in run.pods if event.kind not in ("ready", "unready", "terminating")]
    for event in run.pods:
        if event.kind == "created":
            pods.append(replace(event, kind="ready", at_s=event.at_s + 0.1))
            if event.at_s < undo.at_s:
                pods.append(replace(event, kind="terminating", at_s=undo.at_s - 0.5))
    marks = tuple(mark for mark in run.marks if mark.kind != "complete")
    return replace(run, requests=synthetic.inverted(run.requests), pods=tuple(pods), marks=marks)
