"""StatefulSet and Deployment side by side: a row a name, and who bears it when."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes

from ... import analysis
from ...draw import axes, columns, figure, style
from ...measure.recording import Recording, Run
from . import words
from .summary import summarize

_SHORTEST_BAR = 0.6
"""Share of the run from which a bar has room for its name."""


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each variant in a column: the lives of pods by name, how many were ready."""
    rows = (columns.View(_named_pods, 2.2), columns.View(axes.replicas, 0.8))
    summaries = [summarize(run) for run in recording.runs]
    handles = [
        *columns.version_handles(recording.runs),
        *columns.life_handles(),
        *columns.count_handles(),
    ]
    heads = [
        columns.Head(
            words.TITLES.get(summary.variant, summary.variant),
            words.verdict(summary),
            not (summary.same_name and summary.kept_notes),
            words.lines(summary),
        )
        for summary in summaries
    ]
    chart = columns.draw(recording.runs, rows, heads, handles, named_row=0)
    chart.alternative = words.alternative(recording, summaries)
    return chart


def _named_pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods, those of one name in one row, in the order in which names first came."""
    with matplotlib.rc_context(style.RC):
        ax = axes.new(ax)
        lives = sorted(analysis.lives(run), key=lambda life: life.created_s)
        names = list(dict.fromkeys(life.pod for life in lives))
        for life in lives:
            axes.life(ax, life, names.index(life.pod), run.ended_s)
        for row, name in enumerate(names):
            _name(ax, name, row, [life for life in lives if life.pod == name], run.ended_s)
        axes.rows_axis(ax, len(names), levels=3)
        ax.set_yticks([])
        ax.set_ylabel(words.NAMES_AXIS)
        axes.seconds_axis(ax, run)
    return ax


def _name(ax: Axes, name: str, row: int, lives: Sequence[analysis.PodLife], ended_s: float) -> None:
    """Write a name at the beginning of its row, or after its only bar where that is short."""
    first = lives[0]
    end_s = min(ended_s, ended_s if first.gone_s is None else first.gone_s)
    short = len(lives) == 1 and end_s - first.created_s < _SHORTEST_BAR * ended_s
    ax.annotate(
        name if len(name) < 10 else f"…{name[-5:]}",
        (end_s if short else max(first.created_s, 0.0), row),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=8.5,
        va="center",
        color=style.INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85},
    )
