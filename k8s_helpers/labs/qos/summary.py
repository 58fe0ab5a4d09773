"""The class of each pod, expected and read."""

from __future__ import annotations

from typing import Any

from ...analysis.story import Story
from ...measure.recording import Recording


def to_json(recording: Recording) -> dict[str, Any]:
    """Return the class of each pod, expected and read."""
    return {
        "pods": {
            pod["name"]: {"expected": pod["expected"], "found": pod["found"]}
            for run in recording.runs
            for pod in run.parameters["pods"]
        }
    }


def to_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: the class of each pod."""
    return Story({name: pod["found"] for name, pod in to_json(recording)["pods"].items()}, {})
