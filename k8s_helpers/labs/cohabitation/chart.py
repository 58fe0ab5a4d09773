"""Which database has which note, and how much of them a reader sees: solutions A and B side by side."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..._french import typeset
from ...draw import figure, style
from ...measure.recording import Recording
from . import words
from .summary import CohabitationSummary, summarize

_COLOURS = (style.BLUE, style.GREEN, style.PURPLE, style.GREY)


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each solution's notes: a row a database, a square a note that it has."""
    summaries = [summarize(run) for run in recording.runs]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, 4.4)
        grid = chart.add_gridspec(
            1, max(1, len(summaries)), left=0.08, right=0.985, top=0.76, bottom=0.12, wspace=0.2
        )
        rows = max((len(summary.databases) for summary in summaries), default=1)
        for index, summary in enumerate(summaries):
            _panel(chart.add_subplot(grid[0, index]), summary, rows)
    chart.alternative = words.alternative(recording)
    return chart


def _panel(ax: Axes, summary: CohabitationSummary, rows: int) -> None:
    for row, (name, notes) in enumerate(summary.databases.items()):
        gone = summary.kept_database not in (None, name)
        colour = _COLOURS[row % len(_COLOURS)]
        look: dict[str, Any] = {
            "facecolor": style.lighter(colour, 0.75) if gone else colour,
            "edgecolor": colour,
            "hatch": style.LOST_HATCH if gone else None,
            "linewidth": 0.8,
        }
        ax.bar(notes, 0.72, width=0.82, bottom=row - 0.36, **look)
        ax.annotate(
            words.notes(len(notes), lost=gone),
            (summary.notes + 0.8, row),
            va="center",
            fontsize=9,
            color=style.LOST_TEXT if gone else style.TEXT,
            fontweight="bold" if gone else "normal",
        )
    ax.set_ylim(rows - 0.4, -0.75)
    ax.set_xlim(0.2, summary.notes * 1.14 + 0.9)
    ax.set_yticks(range(len(summary.databases)), list(map(words.database, summary.databases)))
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel(words.NOTES_AXIS)
    for row, (text, look) in enumerate(_head(summary)):
        ax.annotate(
            text,
            (0, 1),
            xytext=(0, 10 + 15 * (3 - row)),
            xycoords="axes fraction",
            textcoords="offset points",
            va="baseline",
            **look,
        )


def _head(summary: CohabitationSummary) -> list[tuple[str, dict[str, Any]]]:
    colour = style.VERMILION if summary.seen_share < 1 else style.GREEN
    small: dict[str, Any] = {"fontsize": 9.5, "color": style.TEXT}
    return [
        (
            typeset(words.TITLES.get(summary.solution, summary.solution)),
            {"fontsize": 13, "fontweight": "bold", "color": style.INK},
        ),
        (words.verdict(summary), {"fontsize": 10.5, "fontweight": "bold", "color": colour}),
        (words.sizes(summary), small),
        (words.shrunk(summary), small),
    ]
