"""The numbers of updates: what users lost, what it took."""

from __future__ import annotations

from typing import Any

from ...analysis.story import Story, plain
from ...analysis.updates import summarize
from ...measure.recording import Recording

__all__ = ["summarize", "to_json", "to_story"]


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the strategies."""
    names = ("requests", "failed", "outage_s", "peak_pods", "mixed_s", "duration_s")
    return {"strategies": {run.name: plain(summarize(run), *names) for run in recording.runs}}


def to_story(recording: Recording) -> Story:
    """Return what an update must tell wherever it is measured: who loses requests, how long each takes."""
    updates = [summarize(run) for run in recording.runs]
    return Story.of(
        {
            update.strategy: {
                "loses-requests": update.failed > 0,
                "interrupts": update.outage_s > 0,
                "mixes-versions": update.mixed_s > 1,
            }
            for update in updates
        },
        {
            update.strategy: {"duration": update.duration_s, "outage": update.outage_s or None}
            for update in updates
        },
    )
