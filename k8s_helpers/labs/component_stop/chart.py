"""A component's absence: what users got, pods that wait for a node, pods that nobody replaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ... import analysis
from ..._french import typeset
from ...draw import axes, columns, figure, style
from ...measure.recording import Recording, Run
from . import words
from .summary import away, summarize, waits

_WAITING: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.VERMILION,
    "hatch": "xxx",
    "linewidth": 1.2,
}


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each stop in a column of its own, the component's absence shaded."""
    rows = (
        columns.View(_shaded(axes.requests), 1.0),
        columns.View(_shaded(_waiting_pods), 1.5),
        columns.View(_shaded(axes.replicas), 0.85),
    )
    runs = recording.runs
    handles = [
        *columns.version_handles(runs),
        columns.lost_handle(),
        Patch(**_WAITING, label=words.WAITING),
        *columns.life_handles(),
        *columns.count_handles(),
        Patch(color=style.LIGHT, label=words.STOPPED),
    ]
    heads = [
        columns.Head(
            words.title(summary),
            words.verdict(summary),
            bool(summary.pending or summary.missing),
            words.lines(summary),
        )
        for summary in map(summarize, runs)
    ]
    chart = columns.draw(runs, rows, heads, handles, named_row=1)
    chart.alternative = typeset(words.intro(recording) + columns.sentences(heads))
    return chart


def _shaded(view: Callable[..., Axes]) -> Callable[..., Axes]:
    """Return a view with the component's absence behind it."""

    def draw(run: Run, *, ax: Axes | None = None) -> Axes:
        drawn = view(run, ax=ax)
        gap = away(run)
        drawn.axvspan(gap.start_s, gap.end_s, color=style.LIGHT, zorder=-1, linewidth=0)
        return drawn

    return draw


def _waiting_pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods, and when they waited for a node."""
    ax = axes.pods(run, ax=ax)
    waiting = waits(run)
    for row, life in enumerate(axes.in_order(analysis.lives(run))):
        if wait := waiting.get(life.uid):
            ax.barh(row, wait.length_s, left=wait.start_s, height=axes.BAR, zorder=3, **_WAITING)
    return ax
