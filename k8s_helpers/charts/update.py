"""Strategies of update side by side: what users got, what the pods did, how many there were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist

from ..recording import Recording, Run
from ..timeline import update_summary
from . import axes, columns, figure, words

ROWS = (
    columns.Row(axes.requests, 1.25),
    columns.Row(axes.pods, 1.5),
    columns.Row(axes.replicas, 0.85),
)
"""What clients got, what the pods did, how many there were."""
NAMED_ROW = 1


def update(
    recording: Recording, *, predictions: Mapping[str, object] | None = None
) -> figure.DescribedFigure:
    """Draw each run of an update in a column of its own, all on the same axes.

    Requests per second by version and outcome above, lives of the pods in the middle, ready and all pods below; the
    verdict in words above each column.

    Parameters
    ----------
    recording : Recording
        Of the experiment "update".
    predictions : mapping, optional
        Lost requests that the student predicted, by strategy.

    Returns
    -------
    DescribedFigure
        A matplotlib figure with a text alternative; it shows itself as the last value of a cell.

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    runs = figure.runs_of(recording, "les mises à jour")
    roomy = any(words.predicted(predictions, run.name) for run in runs)
    heads = [_head(run, predictions, roomy=roomy) for run in runs]
    chart = columns.draw(runs, ROWS, heads, handles(runs), named_row=NAMED_ROW)
    chart.alternative = words.update_alternative(recording, predictions)
    return chart


def handles(runs: Sequence[Run]) -> list[Artist]:
    """Return the legend's entries of what `ROWS` show."""
    return [
        *columns.version_handles(runs),
        columns.lost_handle(),
        *columns.life_handles(),
        *columns.count_handles(),
    ]


def _head(run: Run, predictions: Mapping[str, object] | None, *, roomy: bool) -> columns.Head:
    """Return title and verdict of a column; `roomy` keeps a line for predictions, so that titles stay level."""
    summary = update_summary(run)
    guess = words.predicted(predictions, run.name)
    return columns.Head(
        words.title(run.name),
        words.lost(summary),
        summary.failed > 0,
        (*([guess or ""] if roomy else []), words.quality(summary), words.cost(summary)),
    )
