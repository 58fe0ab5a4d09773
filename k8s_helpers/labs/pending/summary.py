"""What became of each pod, and what the scheduler said."""

from __future__ import annotations

from typing import Any

from ...analysis.story import Story
from ...measure.recording import Recording
from .words import STATES


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what became of each pod, and what the scheduler said."""
    return {
        "pods": {
            run.name: {
                "state": STATES[run.parameters["state"]],
                "reason": run.parameters["reason"],
                "message": run.parameters["message"],
            }
            for run in recording.runs
        }
    }


def to_story(recording: Recording) -> Story:
    """Return what must be the same everywhere: who is placed, and what was lacking."""
    verdicts: dict[str, object] = {}
    for run in recording.runs:
        message = run.parameters["message"]
        verdicts[f"{run.name}.state"] = run.parameters["state"]
        verdicts[f"{run.name}.lacks"] = [
            resource for resource in ("cpu", "memory") if f"Insufficient {resource}" in message
        ]
    return Story(verdicts, {})
