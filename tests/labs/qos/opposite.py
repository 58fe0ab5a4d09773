"""An API server that gives every pod another class than the one expected."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "classe prévue : Guaranteed, classe lue : Guaranteed",
    "classe prévue : Burstable, classe lue : Burstable",
    "classe prévue : BestEffort, classe lue : BestEffort",
)
_OTHER = {"Guaranteed": "Burstable", "Burstable": "BestEffort", "BestEffort": "Guaranteed"}


def opposite(recording: Recording) -> Recording:
    """Return the recording with another class read of each pod."""
    (run,) = recording.runs
    pods = [{**pod, "found": _OTHER[pod["found"]]} for pod in run.parameters["pods"]]
    return replace(recording, runs=(replace(run, parameters={"pods": pods}),))
