"""What two containers of one pod share."""

from __future__ import annotations

from typing import Any

from ..recording import Recording
from .story import Story

FACTS = {
    "network": "le réseau : une seule adresse",
    "ports": "les ports : le même ne s’ouvre pas deux fois",
    "volume": "les fichiers d’un volume commun",
    "root": "les autres fichiers",
    "processes": "la liste des processus",
}
"""What is tried, in French."""


def shared_pod_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the pod."""
    run = recording.runs[0]
    return {"shared": {one["name"]: one["shared"] for one in run.parameters["facts"]}}


def shared_pod_story(recording: Recording) -> Story:
    """Return what a pod must tell wherever it runs."""
    run = recording.runs[0]
    times = {mark.kind: mark.at_s for mark in run.marks}
    return Story(
        {f"partage {FACTS[one['name']]}": one["shared"] for one in run.parameters["facts"]},
        {
            "démarrage": times["ready"] - times["apply"],
            "disparition": times["gone"] - times["delete"],
        },
    )
