"""What requests, limits and quotas made of pods: summaries and stories."""

from __future__ import annotations

from typing import Any

from ..recording import Recording
from .story import Story


def qos_json(recording: Recording) -> dict[str, Any]:
    """Return the class of each pod, expected and read."""
    return {
        "pods": {
            pod["name"]: {"expected": pod["expected"], "found": pod["found"]}
            for run in recording.runs
            for pod in run.parameters["pods"]
        }
    }


def qos_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: the class of each pod."""
    return Story({name: pod["found"] for name, pod in qos_json(recording)["pods"].items()}, {})


def pending_json(recording: Recording) -> dict[str, Any]:
    """Return what became of each pod, and what the scheduler said."""
    return {
        "pods": {
            run.name: {name: run.parameters[name] for name in ("state", "reason", "message")}
            for run in recording.runs
        }
    }


def pending_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: who is placed, and what was lacking."""
    pods = pending_json(recording)["pods"]
    verdicts: dict[str, object] = {f"{name} : état": pod["state"] for name, pod in pods.items()}
    for name, pod in pods.items():
        lacking = [what for what in ("cpu", "memory") if f"Insufficient {what}" in pod["message"]]
        verdicts[f"{name} : manque"] = lacking
    return Story(verdicts, {})


def quota_json(recording: Recording) -> dict[str, Any]:
    """Return which pods were accepted, and the API server's words for those that were not."""
    return {
        "runs": {
            run.name: [
                {name: step[name] for name in ("pod", "accepted", "message")}
                for step in run.parameters["steps"]
            ]
            for run in recording.runs
        }
    }


def quota_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: which pods are refused, and what is used then."""
    return Story(
        {
            f"{run.name} : {step['pod']}": (step["accepted"], step["used"])
            for run in recording.runs
            for step in run.parameters["steps"]
        },
        {},
    )
