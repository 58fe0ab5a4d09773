"""A node that joins a full cluster: each pod in a row, waiting, then on which node."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .._french import count, seconds, typeset
from ..recording import Recording, Run
from ..timeline.added_node import AddedNodeSummary, added_node_summary, bindings
from ..timeline.pods import PodLife, lives
from . import axes, figure, style

_WIDTH_IN = 11.5
_ROW_IN = 0.34
_WAITING: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.VERMILION,
    "hatch": "xxx",
    "linewidth": 1.0,
}
_ENDING: dict[str, Any] = {"facecolor": style.LIGHT, "edgecolor": style.GREY, "linewidth": 0.8}
_MARKS = {"add": "nœud demandé", "joined": "nœud Ready", "remove": "départ du nœud"}


def added_node(recording: Recording) -> figure.DescribedFigure:
    """Draw each pod's life: while it waits for a node, then on the first nodes or on the one that joined.

    Parameters
    ----------
    recording : Recording
        Of the experiment "added_node".

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    run = figure.runs_of(recording, "un nœud ajouté")[0]
    found = added_node_summary(run)
    rows = axes.in_order(lives(run))
    with matplotlib.rc_context(style.RC):
        height_in = 2.15 + _ROW_IN * max(4, len(rows))
        chart = figure.new(_WIDTH_IN, height_in)
        ax = chart.add_axes((0.045, 0.55 / height_in, 0.94, 1 - 2.05 / height_in))
        _pods(ax, run, rows)
        _stay(ax, run)
        axes.seconds_axis(ax, run)
        for line, text in enumerate((_verdict(found), _went(found))):
            chart.text(
                0.012,
                1 - (0.34 + 0.28 * line) / height_in,
                text,
                fontsize=12.5 if line == 0 else 10.5,
                fontweight="bold" if line == 0 else "normal",
                color=style.INK if line == 0 else style.TEXT,
            )
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
    chart.alternative = typeset(
        f"Un nœud rejoint un cluster plein, {recording.where}, en {seconds(run.ended_s)} : la vie de "
        f"chaque pod, et son nœud. {_verdict(found)}. {_went(found)}. L’ordonnanceur disait : {found.message}"
    )
    return chart


def _pods(ax: Axes, run: Run, rows: Sequence[PodLife]) -> None:
    bound = bindings(run)
    joined = run.parameters.get("joined")
    for row, life in enumerate(rows):
        at_s, node = bound.get(life.uid, (math.inf, ""))
        alive_until_s = min(
            (one for one in (life.terminating_s, life.gone_s) if one is not None),
            default=run.ended_s,
        )
        placed_s = min(at_s, alive_until_s)
        on_node = {"color": style.GREEN if node == joined else style.BLUE}
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
    begin, end = run.mark("joined"), run.mark("removed")
    if begin:
        end_s = end.at_s if end else run.ended_s
        ax.axvspan(
            begin.at_s, end_s, color=style.lighter(style.GREEN, 0.86), zorder=-1, linewidth=0
        )
    for kind, words in _MARKS.items():
        if (mark := run.mark(kind)) is None:
            continue
        ax.axvline(mark.at_s, color=style.INK, linestyle=":", linewidth=1.2)
        ax.annotate(
            words,
            (mark.at_s, 1),
            # The two first come soon after each other: on two lines.
            xytext=(0, 14 if kind == "add" else 2),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=9.5,
            color=style.TEXT,
        )


def _verdict(found: AddedNodeSummary) -> str:
    if found.placed_s is None:
        return typeset(f"{count(found.waiting, 'pod')} sans nœud : aucun nœud n’est venu")
    still = found.still_waiting
    there = "1 y est prêt" if found.landed == 1 else f"{found.landed} y sont prêts"
    rest = f"{still} attend{'' if still == 1 else 'ent'} encore" if still else "plus aucun n’attend"
    return typeset(
        f"{count(found.waiting, 'pod')} sur {found.replicas} sans nœud ; un nœud de plus : {there} "
        f"en {seconds(found.placed_s)}, {rest}"
    )


def _went(found: AddedNodeSummary) -> str:
    if found.left_s is None:
        return "Le nœud n’est pas reparti"
    return typeset(
        f"Le nœud repart en {seconds(found.left_s)} ; ses pods, expulsés, sont remplacés : de nouveau "
        f"{count(found.waiting_after, 'pod')} sans nœud"
    )
