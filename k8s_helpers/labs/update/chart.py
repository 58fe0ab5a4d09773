"""Strategies of update side by side: what users got, what the pods did, how many there were."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..._french import number, seconds
from ...analysis.updates import UpdateSummary, summarize
from ...draw import columns, figure
from ...draw.table import Table
from ...draw.words import guess, predicted
from ...measure.recording import Recording, Run
from . import words


def draw(
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
    roomy = any(predicted(predictions, run.name) for run in runs)
    heads = [_head(run, predictions, roomy=roomy) for run in runs]
    chart = columns.draw(runs, columns.ROLLOUT, heads, columns.rollout_handles(runs), named_row=1)
    chart.alternative = words.update_alternative(recording, predictions)
    return chart


def _head(run: Run, predictions: Mapping[str, object] | None, *, roomy: bool) -> columns.Head:
    """Return title and verdict of a column; `roomy` keeps a line for predictions, so that titles stay level."""
    summary = summarize(run)
    reminder = predicted(predictions, run.name)
    return columns.Head(
        words.title(run.name),
        words.lost(summary),
        summary.failed > 0,
        (*([reminder or ""] if roomy else []), words.quality(summary), words.cost(summary)),
    )


def tabulate(recording: Recording, *, predictions: Mapping[str, object] | None = None) -> Table:
    """Return lost requests, outage, most pods, mixed versions and duration of each strategy.

    Where the cluster itself had incidents, a last column names its components that had them.

    Parameters
    ----------
    recording : Recording
        Of the experiment "update".
    predictions : mapping, optional
        Lost requests that the student predicted, by strategy: one more column.
    """
    updates = [summarize(run) for run in recording.runs]
    cells: list[tuple[str, Callable[[UpdateSummary], str]]] = [
        ("stratégie", lambda update: words.title(update.strategy)),
        ("requêtes", lambda update: number(update.requests)),
        ("perdues", lambda update: number(update.failed)),
        ("sans réponse", lambda update: seconds(update.outage_s)),
        ("pods au plus", lambda update: number(update.peak_pods)),
        ("versions mêlées", lambda update: seconds(update.mixed_s)),
        ("durée", lambda update: _time(update.duration_s)),
        ("retour", lambda update: _time(update.back_s)),
    ]
    if predictions:
        cells.insert(3, ("prévues", lambda update: guess(predictions, update.strategy) or "–"))
    if any(update.incidents for update in updates):
        cells.append(("incidents", lambda update: words.struck(update) or "–"))
    return Table(
        "Ce que chaque stratégie a coûté",
        tuple(name for name, _ in cells),
        tuple(tuple(cell(update) for _, cell in cells) for update in updates),
    )


def _time(time_s: float | None) -> str:
    return "–" if time_s is None else seconds(time_s)
