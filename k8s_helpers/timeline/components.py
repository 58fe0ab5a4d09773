"""How each part of a cluster is."""

from __future__ import annotations

from typing import Any

from ..recording import Recording
from .story import Story


def components_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the parts: all that was found."""
    return dict(recording.runs[0].parameters)


def components_story(recording: Recording) -> Story:
    """Return what a healthy cluster must tell wherever it runs."""
    found = recording.runs[0].parameters
    verdicts: dict[str, object] = {f"{name} va bien": up for name, up in found["plane"].items()}
    verdicts["nœuds prêts"] = all(one["ready"] for one in found["nodes"])
    verdicts["contrôles de /readyz en échec"] = len(found["failed_checks"])
    return Story(verdicts, {})
