"""A pod that changes its label: who answers, who is in the Service, who is not any more and lives on."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ... import analysis
from ...analysis.pods import in_service
from ...draw import axes, columns, figure, style
from ...measure.recording import Recording, Run
from . import words
from .summary import summarize

_POD_COLOURS = (
    style.BLUE,
    style.GREEN,
    style.lighter(style.BLUE, 0.55),
    style.GREY,
    style.lighter(style.GREEN, 0.5),
)
"""Of the pods that stay, in their order: neighbours differ, and none looks like the one that leaves."""
_OUT: dict[str, Any] = {
    "facecolor": style.lighter(style.PURPLE, 0.75),
    "edgecolor": style.PURPLE,
    "hatch": "\\\\\\",
    "linewidth": 1.2,
}


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw requests by the pod that answered above, and below each pod's life: in the Service, or out of it."""
    summary = summarize(recording.runs[0])
    rows = (
        columns.View(_answers, 1.0),
        columns.View(_membership, 1.2),
        columns.View(axes.replicas, 0.7),
    )
    handles: list[Artist] = [
        Patch(color=style.BLUE, label=words.IN_SERVICE),
        Patch(color=style.PURPLE, label=words.MOVED),
        Patch(**_OUT, label=words.OUT),
        *columns.life_handles()[:1],
        *columns.count_handles(),
    ]
    head = columns.Head(
        words.TITLE,
        words.verdict(summary),
        summary.over and not summary.alive,
        words.lines(summary),
    )
    chart = columns.draw(recording.runs, rows, [head], handles, height_in=6.6, named_row=1)
    chart.alternative = words.alternative(recording, summary)
    return chart


def _colours(run: Run) -> dict[str, str]:
    """Return a colour for each pod: purple for the one that changes, another one each for the others."""
    moved = run.parameters.get("pod")
    others = [life.pod for life in axes.in_order(analysis.lives(run)) if life.pod != moved]
    colours = dict(zip(others, itertools.cycle(_POD_COLOURS), strict=False))
    return {**colours, str(moved): style.PURPLE}


def _answers(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw requests per second by the pod that answered, lost ones hatched on top."""
    ax = axes.requests(run, ax=ax)
    for patch in list(ax.patches):
        if patch.get_hatch() != style.LOST_HATCH:
            patch.remove()
    bins = analysis.bins(run.requests, axes.BIN_S)
    if not bins:
        return ax
    edges = [*(each.start_s for each in bins), *(each.end_s for each in bins[-1:])]
    base = [0.0] * len(bins)
    for pod, colour in _colours(run).items():
        counted = Counter(
            min(int((request.planned_s - edges[0]) / axes.BIN_S + 1e-6), len(bins) - 1)
            for request in run.requests
            if request.ok and request.pod == pod
        )
        rates = [each.rate_per_s(counted[index]) for index, each in enumerate(bins)]
        top = [low + rate for low, rate in zip(base, rates, strict=True)]
        axes.stairs(ax, edges, base, top, color=colour, label=pod)
        base = top
    return ax


def _membership(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods: hatched in purple when they run out of the Service."""
    ax = axes.pods(run, ax=ax)
    colours = _colours(run)
    members = in_service(run, str(run.parameters["service"]))
    for row, life in enumerate(axes.in_order(analysis.lives(run))):
        for stretch in life.ready:
            start_s = max(0.0, stretch.start_s)
            ax.barh(row, stretch.end_s - start_s, left=start_s, height=axes.BAR, zorder=2, **_OUT)
        for stretch in members.get(life.pod, ()):
            ax.barh(
                row,
                stretch.length_s,
                left=stretch.start_s,
                height=axes.BAR,
                facecolor=colours[life.pod],
                edgecolor=colours[life.pod],
                linewidth=1.2,
                zorder=3,
                label="in service",
            )
        start_s = max([0.0, *(stretch.start_s for stretch in members.get(life.pod, ()))])
        ax.annotate(
            life.pod,
            (start_s, row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=style.ink_on(colours[life.pod]),
            fontweight="bold",
            zorder=4,
        )
    return ax
