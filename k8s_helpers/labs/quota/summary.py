"""Which pods a quota accepted, and what was used then."""

from __future__ import annotations

from typing import Any

from ...analysis.story import Story
from ...measure.recording import Recording
from .words import RUNS


def to_json(recording: Recording) -> dict[str, Any]:
    """Return which pods were accepted, and the API server's words for those that were not."""
    return {
        "runs": {
            RUNS[run.name]: [
                {name: step[name] for name in ("pod", "accepted", "message")}
                for step in run.parameters["steps"]
            ]
            for run in recording.runs
        }
    }


def to_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: which pods are refused, and what is used then."""
    return Story(
        {
            f"{run.name}.{step['pod']}": (step["accepted"], step["used"])
            for run in recording.runs
            for step in run.parameters["steps"]
        },
        {},
    )
