"""A node that joins a full cluster: each pod in a row, waiting, then on which node."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ...analysis.pods import PodLife, lives
from ...draw import axes, figure, style
from ...measure.recording import Recording, Run
from . import words
from .codes import NodeMark
from .summary import bindings, summarize

_WIDTH_IN = 11.5
_ROW_IN = 0.34
_WAITING: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.VERMILION,
    "hatch": "xxx",
    "linewidth": 1.0,
}
_ENDING: dict[str, Any] = {"facecolor": style.LIGHT, "edgecolor": style.GREY, "linewidth": 0.8}
_MARKS = {
    NodeMark.ADD: "nœud demandé",
    NodeMark.JOINED: "nœud Ready",
    NodeMark.REMOVE: "départ du nœud",
}


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each pod's life: while it waits for a node, then on the first nodes or on the one that joined.

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    run = figure.runs_of(recording, "un nœud ajouté")[0]
    summary = summarize(run)
    rows = axes.in_order(lives(run))
    with matplotlib.rc_context(style.RC):
        height_in = 2.15 + _ROW_IN * max(4, len(rows))
        chart = figure.new(_WIDTH_IN, height_in)
        ax = chart.add_axes((0.045, 0.55 / height_in, 0.94, 1 - 2.05 / height_in))
        _pods(ax, run, rows)
        _stay(ax, run)
        axes.seconds_axis(ax, run)
        chart.text(0.012, 1 - 0.34 / height_in, words.verdict(summary), **style.HEAD)
        chart.text(0.012, 1 - 0.62 / height_in, words.departure(summary), **style.BELOW)
        chart.legend(
            handles=[
                Patch(**_WAITING, label="Pending : sans nœud"),
                Patch(color=style.BLUE, label="sur un nœud de départ"),
                Patch(color=style.GREEN, label="sur le nœud ajouté"),
                Patch(**_ENDING, label="s’arrête"),
            ],
            loc="upper left",
            ncols=4,
            bbox_to_anchor=(0.005, 1 - 0.72 / height_in),
        )
    chart.alternative = words.alternative(recording)
    return chart


def _pods(ax: Axes, run: Run, rows: Sequence[PodLife]) -> None:
    bound = bindings(run)
    for row, life in enumerate(rows):
        at_s, joined = bound.get(life.uid, (math.inf, False))
        alive_until_s = min(
            (end_s for end_s in (life.terminating_s, life.gone_s) if end_s is not None),
            default=run.ended_s,
        )
        placed_s = min(at_s, alive_until_s)
        on_node = {"color": style.GREEN if joined else style.BLUE}
        end_s = run.ended_s if life.gone_s is None else life.gone_s
        for start_s, stop_s, look in (
            (max(0.0, life.created_s), placed_s, _WAITING),
            (placed_s, alive_until_s, on_node),
            (alive_until_s, end_s, _ENDING),
        ):
            if stop_s > start_s:
                ax.barh(row, stop_s - start_s, left=start_s, height=axes.BAR, **look)
    ax.set_ylim(max(len(rows), 1) - 0.4, -0.7)
    ax.set_yticks([])
    ax.set_ylabel("pods")


def _stay(ax: Axes, run: Run) -> None:
    """Shade while the node is there, and name what was done."""
    begin, end = run.mark(NodeMark.JOINED), run.mark(NodeMark.REMOVED)
    if begin:
        end_s = end.at_s if end else run.ended_s
        ax.axvspan(
            begin.at_s, end_s, color=style.lighter(style.GREEN, 0.86), zorder=-1, linewidth=0
        )
    for kind, label in _MARKS.items():
        if (mark := run.mark(kind)) is None:
            continue
        ax.axvline(mark.at_s, color=style.INK, linestyle=":", linewidth=1.2)
        ax.annotate(
            label,
            (mark.at_s, 1),
            # The two first come soon after each other: on two lines.
            xytext=(0, 14 if kind is NodeMark.ADD else 2),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=9.5,
            color=style.TEXT,
        )
