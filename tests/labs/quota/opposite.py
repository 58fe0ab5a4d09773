"""A quota that takes all pods, and a LimitRange that gives nothing to the pod that asks for nothing."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording, Run

CLAIMS = (
    "4 pods acceptés, pod-5 refusé : le quota est plein",
    "quota · pod-5 : refusé",
    "limitrange · muet : accepté",
    "exceeded quota",
)


def opposite(recording: Recording) -> Recording:
    """Return the recording with each answer turned round."""
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    full = run.name == "quota"
    steps = [
        {**step, "accepted": full or not step["accepted"], "message": "" if full else "no"}
        for step in run.parameters["steps"]
    ]
    return replace(run, parameters={**run.parameters, "steps": steps})
