"""Where a namespace's requests go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..recording import Recording
from .story import Story


@dataclass(frozen=True, slots=True)
class Way:
    """A request's way: its host and path, the Service that the rule names, the pods that may answer.

    Attributes
    ----------
    service : str
        "" where the rule names one that does not exist.
    """

    request: str
    service: str
    pods: tuple[str, ...]


def ways(recording: Recording) -> tuple[Way, ...]:
    """Return the way of each request that an Ingress has a rule for."""
    found = recording.runs[0].parameters
    pods = {one["name"]: tuple(one["pods"]) for one in found["services"]}
    return tuple(
        Way(
            f"{one['host']}{one['path']}",
            one["service"] if one["service"] in pods else "",
            pods.get(one["service"], ()),
        )
        for one in found["routes"]
    )


def live_map_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the map."""
    return {
        "ways": [
            {"request": one.request, "service": one.service, "pods": list(one.pods)}
            for one in ways(recording)
        ]
    }


def live_map_story(recording: Recording) -> Story:
    """Return what the map must tell wherever it is drawn: services and numbers of pods, as names differ."""
    return Story({one.request: (one.service, len(one.pods)) for one in ways(recording)}, {})
