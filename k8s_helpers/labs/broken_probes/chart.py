"""A readiness and a liveness that break, side by side: what users got, what became of the pod."""

from __future__ import annotations

from ..._french import count, typeset
from ...draw import axes, columns, figure
from ...measure.recording import Recording
from . import words
from .summary import BreakSummary, summarize


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each broken probe in a column of its own: requests, lives of the pods, how many are ready.

    Parameters
    ----------
    recording : Recording
        Of the experiment "broken_probes".
    """
    rows = (
        columns.View(axes.requests, 1.0),
        columns.View(axes.restarting_pods, 1.3),
        columns.View(axes.replicas, 0.8),
    )
    handles = [
        *columns.version_handles(recording.runs),
        columns.lost_handle(),
        columns.unready_handle("pas prêt, hors du Service"),
        columns.restart_handle(),
        *columns.count_handles(),
    ]
    heads = [_head(summarize(run)) for run in recording.runs]
    chart = columns.draw(recording.runs, rows, heads, handles, named_row=1)
    chart.alternative = typeset(
        f"{count(len(heads), 'sonde')} que l’on casse sous trafic, {recording.where}. "
        + columns.sentences(heads)
    )
    return chart


def _head(summary: BreakSummary) -> columns.Head:
    return columns.Head(
        words.title(summary.probe),
        words.verdict(summary),
        not summary.as_predicted,
        (words.instants(summary), words.lost(summary)),
    )
