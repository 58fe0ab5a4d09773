"""Runs side by side, each in a column on the same axes, with its verdict in words above it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..measure.recording import Run
from . import axes, figure, style
from .axes import write

_NARROWEST_IN = 9.5
"""What the legend needs."""
_COLUMN_IN = 5.0
"""Width of a column where there are so few that the figure need not be full."""
_MANY = 4
"""So many columns stand two by two: side by side nobody could read them in a notebook."""
_BAND_IN = 5.9
"""Height of each of two bands of columns."""

_LINE_PT = 15.0
_FIRST_PT = 7.0
_LEGEND_IN = 0.5


@dataclass(frozen=True)
class Head:
    """What stands above a column.

    Attributes
    ----------
    title, verdict : str
        In bold; the verdict stands out where `alarm` is true.
    lines : tuple of str
        What explains the verdict, from top to bottom; an empty one keeps titles level.
    """

    title: str
    verdict: str
    alarm: bool = False
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """A view that each column has: what draws it, and its share of the height."""

    draw: Callable[..., Axes]
    height: float = 1.0


ROLLOUT = (View(axes.requests, 1.25), View(axes.pods, 1.5), View(axes.replicas, 0.85))
"""What clients got, what the pods did, how many there were; marks have their names above the pods (`named_row=1`)."""


def draw(
    runs: Sequence[Run],
    rows: Sequence[View],
    heads: Sequence[Head],
    handles: Sequence[Artist],
    *,
    height_in: float = style.HEIGHT_IN,
    named_row: int = 0,
) -> figure.DescribedFigure:
    """Draw each run in a column of its own, rows on the same scale; many columns in two bands.

    Parameters
    ----------
    heads : sequence of Head
        One a run.
    handles : sequence of Artist
        Of the one legend above all.
    named_row : int
        The row in which marks have their names.
    """
    with matplotlib.rc_context(style.RC):
        lines = max(len(head.lines) for head in heads) + 2
        grids, across = _grids(len(runs), rows, lines, height_in)
        chart = grids[0].figure
        assert isinstance(chart, figure.DescribedFigure)
        columns = [
            _column(grids[index // across], index % across, run, rows)
            for index, run in enumerate(runs)
        ]
        _align(columns, runs)
        for column, run, head in zip(columns, runs, heads, strict=True):
            _write(column[0], head, lines)
            axes.mark_names(column[named_row], run)
        chart.legend(
            handles=list(handles),
            loc="upper center",
            ncols=4 if across < 3 else len(handles),
            bbox_to_anchor=(0.5, 1.0),
            columnspacing=1.6,
        )
    return chart


def sentences(heads: Sequence[Head], between: str = ", ") -> str:
    """Return what heads say, a sentence each: for the figure's alternative."""
    return " ".join(
        f"{head.title} : {head.verdict} ; {between.join(filter(None, head.lines))}."
        for head in heads
    )


def _grids(
    columns: int, rows: Sequence[View], lines: int, height_in: float
) -> tuple[list[GridSpec], int]:
    """Return the bands of a new figure, and how many columns each has."""
    across = 2 if columns >= _MANY else columns
    bands = math.ceil(columns / across)
    legend_in = _LEGEND_IN + (0.3 if across < 3 else 0)  # it needs two lines in a narrow figure
    head_in = (_FIRST_PT + _LINE_PT * lines) / 72
    if bands > 1:
        height_in = legend_in + bands * _BAND_IN
    chart = figure.new(_width_in(across), height_in)
    band_in = (height_in - legend_in) / bands
    return [
        chart.add_gridspec(
            len(rows),
            across,
            height_ratios=[row.height for row in rows],
            left=0.055 if across > 2 else 0.08,
            right=0.99,
            top=1 - (legend_in + band * band_in + head_in) / height_in,
            bottom=1 - (legend_in + (band + 1) * band_in - 0.54) / height_in,
            hspace=0.14,
            wspace=0.07,
        )
        for band in range(bands)
    ], across


def _width_in(columns: int) -> float:
    return min(style.WIDTH_IN, max(_NARROWEST_IN, _COLUMN_IN * columns + 0.5))


def _column(grid: GridSpec, index: int, run: Run, rows: Sequence[View]) -> list[Axes]:
    column = []
    for number, row in enumerate(rows):
        assert grid.figure is not None
        ax = row.draw(run, ax=grid.figure.add_subplot(grid[number, index]))
        axes.mark_lines(ax, run)
        if number < len(rows) - 1:
            ax.set_xlabel("")
            ax.tick_params(axis="x", labelbottom=False)
        if index:
            ax.set_ylabel("")
            ax.tick_params(axis="y", labelleft=False)
        column.append(ax)
    return column


def _align(columns: Sequence[Sequence[Axes]], runs: Sequence[Run]) -> None:
    """Give all columns the same time and each row the same height."""
    end_s = max(run.ended_s for run in runs)
    for row in zip(*columns, strict=True):
        lows, highs = zip(*(ax.get_ylim() for ax in row), strict=True)
        for ax in row:
            ax.set_xlim(0, end_s)
            ax.set_ylim(max(lows), min(highs) if row[0].yaxis_inverted() else max(highs))


def _write(ax: Axes, head: Head, lines: int) -> None:
    """Write title, verdict and lines above a column, the title `lines` lines up."""
    colours = (style.INK, style.LOST_TEXT if head.alarm else style.TEXT, style.TEXT)
    for row, text in enumerate((head.title, head.verdict, *head.lines)):
        offset_pt = (0, _FIRST_PT + _LINE_PT * (lines - 1 - row))
        size, colour = (13, 10.5, 9.5)[min(row, 2)], colours[min(row, 2)]
        look = {"xycoords": "axes fraction", "va": "baseline"}
        write(ax, text, (0, 1), offset_pt, size=size, colour=colour, bold=row < 2, **look)


def version_handles(runs: Sequence[Run]) -> list[Artist]:
    """Return the legend's entries of the versions that runs show."""
    handles: list[Artist] = []
    for version in sorted(set().union(*map(axes.versions, runs)) - {""}):
        label = version if handles else f"réponse ou pod {version}"
        handles.append(Patch(color=style.version_colour(version), label=label))
    return handles


def lost_handle() -> Artist:
    """Return the legend's entry of lost requests."""
    return Patch(label="requête perdue", **axes.LOST)


def life_handles(colour: str = style.BLUE) -> list[Artist]:
    """Return the legend's entries of a pod's states other than ready."""
    return [
        unready_handle("démarre, pas encore prêt"),
        Patch(
            facecolor=style.lighter(colour),
            edgecolor=style.lighter(colour, 0.45),
            label="se termine",
        ),
    ]


def unready_handle(label: str) -> Artist:
    """Return the legend's entry of a pod that is not ready, whatever the reason."""
    return Patch(facecolor="white", edgecolor=style.GREY, hatch=style.STARTING_HATCH, label=label)


def death_handle() -> Artist:
    """Return the legend's entry of a container's death in a pod that goes on."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker="x",
        color=style.LOST,
        markersize=7,
        markeredgewidth=2,
        label="conteneur mort",
    )


def restart_handle() -> Artist:
    """Return the legend's entry of a restart."""
    look: dict[str, Any] = {"color": "white", "markeredgecolor": style.INK, "markersize": 8}
    return Line2D([], [], marker="o", label="redémarrage sur place", **look)


def count_handles() -> list[Artist]:
    """Return the legend's entries of the numbers of pods."""
    return [
        Line2D([], [], color=style.INK, linewidth=2.2, label="pods prêts"),
        Line2D([], [], color=style.GREY, linewidth=1.2, label="pods en tout"),
    ]


def rollout_handles(runs: Sequence[Run]) -> list[Artist]:
    """Return the legend's entries of what `ROLLOUT` shows."""
    return [*version_handles(runs), lost_handle(), *life_handles(), *count_handles()]
