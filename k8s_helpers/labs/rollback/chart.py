"""Bad versions side by side: what users got while they rolled out and on the way back."""

from __future__ import annotations

from ..._french import number
from ...draw import axes, columns, figure
from ...draw.table import Table
from ...measure.recording import Recording
from . import words
from .summary import summarize


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each bad version in a column of its own: requests, lives of pods, how many were ready.

    Parameters
    ----------
    recording : Recording
        Of the experiment "rollback".
    """
    runs = figure.runs_of(recording, "le retour en arrière")
    rows = (
        columns.View(axes.requests, 1.15),
        columns.View(axes.dying_pods, 1.6),
        columns.View(axes.replicas, 0.85),
    )
    handles = [
        *columns.version_handles(runs),
        columns.lost_handle(),
        *columns.life_handles(),
        *([columns.death_handle()] if any(axes.points_of(run, "died") for run in runs) else []),
        *columns.count_handles(),
    ]
    heads = [words.head(summarize(run)) for run in runs]
    chart = columns.draw(runs, rows, heads, handles, named_row=1)
    chart.alternative = words.alternative(recording, heads)
    return chart


def tabulate(recording: Recording) -> Table:
    """Return the history of the last run before and after the way back, as `kubectl rollout history` shows it."""
    run = recording.runs[-1]
    rows = [
        (
            number(revision["number"]),
            revision["cause"] or "–",
            revision["replica_set"],
            revision["image"],
            number(revision["replicas"]),
            when,
        )
        for when, key in (("avant", "history_before"), ("après", "history_after"))
        for revision in run.parameters.get(key, ())
    ]
    header = ("révision", "change-cause", "ReplicaSet", "image", "pods demandés", "rollout undo")
    return Table("Historique du Deployment, avant et après « rollout undo »", header, tuple(rows))
