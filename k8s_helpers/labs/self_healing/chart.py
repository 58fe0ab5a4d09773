"""Disturbances side by side: what users got, which pods went and came, how many there were."""

from __future__ import annotations

from ..._french import typeset
from ...draw import axes, columns, figure
from ...measure.recording import Recording
from . import words
from .summary import summarize


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each disturbance in a column of its own: requests, lives of pods with restarts, how many pods."""
    rows = (
        columns.View(axes.requests, 1.0),
        columns.View(axes.restarting_pods, 1.6),
        columns.View(axes.replicas, 0.85),
    )
    handles = [
        *columns.version_handles(recording.runs),
        columns.lost_handle(),
        *columns.life_handles(),
        columns.restart_handle(),
        *columns.count_handles(),
    ]
    heads = [
        columns.Head(
            words.TITLES.get(summary.disturbance, summary.disturbance),
            words.verdict(summary),
            summary.recovery_s is None,
            words.lines(summary),
        )
        for summary in map(summarize, recording.runs)
    ]
    chart = columns.draw(recording.runs, rows, heads, handles, named_row=1)
    chart.alternative = typeset(words.intro(recording) + columns.sentences(heads))
    return chart
