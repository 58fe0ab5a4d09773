"""The classes of pods as a table."""

from __future__ import annotations

from ...draw.figure import DescribedFigure
from ...draw.table import Table, as_figure, quantities
from ...measure.recording import Recording


def draw(recording: Recording) -> DescribedFigure:
    """Draw the classes as a table."""
    return as_figure(tabulate(recording))


def tabulate(recording: Recording) -> Table:
    """Return each pod's requests, limits and class, expected and read."""
    header = ("pod", "requests", "limits", "classe prévue", "classe lue")
    rows = []
    for pod in recording.runs[0].parameters["pods"]:
        parts = [
            " ; ".join(quantities(container[kind]) for container in pod["containers"])
            for kind in ("requests", "limits")
        ]
        rows.append((pod["name"], *parts, pod["expected"], pod["found"]))
    return Table("Ce que l’API déduit des requests et des limits", header, tuple(rows))
