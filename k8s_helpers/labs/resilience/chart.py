"""Three callers of a service that fails: what their clients got, and how long each waited."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..._french import count, typeset
from ...draw import axes, columns, figure, style
from ...measure.recording import Recording, Run
from . import words
from .summary import CallerSummary, summarize

_LONGEST_S = 2.8
"""Above the time after which clients give up, with room for the names of marks."""
_MANY = 0.15
VERSION = "v1"
"""What the calling program says of itself."""


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each caller in a column: its clients' requests per second, and how long each of them waited.

    Parameters
    ----------
    recording : Recording
        Of the experiment "resilience".
    """
    rows = (columns.View(axes.requests, 1.0), columns.View(_waits, 1.0))
    heads = [_head(summarize(run)) for run in recording.runs]
    chart = columns.draw(recording.runs, rows, heads, _handles(), height_in=6.2, named_row=1)
    chart.alternative = typeset(
        f"{count(len(heads), 'service appelant', 'services appelants')} devant la même panne, {recording.where}. "
        + columns.sentences(heads, " ; ")
    )
    return chart


def _handles() -> list[Artist]:
    dot: dict[str, Any] = {"linestyle": "none", "markersize": 6}
    return [
        Patch(color=style.version_colour(VERSION), label="requête servie"),
        columns.lost_handle(),
        Line2D(
            [],
            [],
            marker="o",
            color=style.version_colour(VERSION),
            label="attente, puis une page",
            **dot,
        ),
        Line2D([], [], marker="x", color=style.LOST, label="attente, puis un échec", **dot),
    ]


def _waits(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw how long each client waited, by when its request was due."""
    with matplotlib.rc_context(style.RC):
        ax = axes.new(ax)
        for good, marker, colour in (
            (True, "o", style.version_colour(VERSION)),
            (False, "x", style.LOST),
        ):
            requests = [request for request in run.requests if request.ok is good]
            planned = [request.planned_s for request in requests]
            waited = [request.answered_s - request.planned_s for request in requests]
            ax.plot(planned, waited, marker, color=colour, markersize=4)
        ax.set_ylim(0, _LONGEST_S)
        ax.yaxis.set_major_formatter(axes.FRENCH)
        ax.set_ylabel("attente (s)")
        axes.seconds_axis(ax, run)
    return ax


def _head(summary: CallerSummary) -> columns.Head:
    alarm = summary.flaky_lost > _MANY * summary.flaky
    lines = (words.stuck(summary), words.calls(summary))
    return columns.Head(words.title(summary.caller), words.verdict(summary), alarm, lines)
