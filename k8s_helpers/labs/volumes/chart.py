"""What survives what, as a board: a row a place, a column a disruption."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ...draw import figure, style
from ...measure.recording import Recording
from . import words
from .summary import VolumesSummary, summarize


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw which place kept what was written in it, after each disruption."""
    summary = summarize(recording)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(11.5, 5.0)
        _board(chart.add_axes((0.2, 0.02, 0.79, 0.7)), summary)
        chart.text(0.012, 0.94, words.TITLE, **style.HEAD)
        chart.text(0.012, 0.885, words.verdict(summary), **style.BELOW)
        if not summary.read_only_enforced:
            chart.text(0.99, 0.01, words.NOT_TRIED, ha="right", fontsize=9, color=style.TEXT)
    chart.alternative = words.alternative(recording, summary)
    return chart


def _board(ax: Axes, summary: VolumesSummary) -> None:
    columns = [
        (float(at), words.DISRUPTIONS[disruption]) for at, disruption in enumerate(summary.survives)
    ]
    apart = len(columns) + 0.25
    for row, (place, (title, about)) in enumerate(words.PLACES.items()):
        for (at, _), kept in zip(columns, summary.survives.values(), strict=True):
            _cell(ax, row, at, kept[place], words.KEPT)
        if summary.refused is not None:
            _cell(ax, row, apart, place not in summary.refused, words.ALLOWED)
        ax.text(-0.62, row - 0.1, title, ha="right", va="center", fontsize=11, fontweight="bold")
        ax.text(-0.62, row + 0.2, about, ha="right", va="center", fontsize=9, color=style.TEXT)
    if summary.refused is not None:
        columns.append((apart, words.READ_ONLY))
    for at, title in columns:
        ax.text(at, -0.6, title, ha="center", va="bottom", fontsize=10, color=style.INK)
    ax.set_xlim(-0.55, len(columns) - 0.2)
    ax.set_ylim(len(words.PLACES) - 0.45, -0.55)
    ax.set_axis_off()


def _cell(ax: Axes, row: float, column: float, good: bool, names: Mapping[bool, str]) -> None:
    colour = style.GREEN if good else style.VERMILION
    ax.add_patch(
        Rectangle(
            (column - 0.47, row - 0.42),
            0.94,
            0.84,
            facecolor=style.lighter(colour, 0.8),
            edgecolor=colour,
            linewidth=1.4,
            hatch=None if good else style.LOST_HATCH,
        )
    )
    ax.text(
        column,
        row,
        f"{'✔' if good else '✘'} {names[good]}",
        ha="center",
        va="center",
        fontsize=11,
        fontweight="bold",
        color=style.INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2.0, "alpha": 0.85},
    )
