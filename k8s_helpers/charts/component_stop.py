"""A component's absence: what users got, pods that wait for a node, pods that nobody replaces."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .. import timeline
from .._french import count, number, seconds, typeset
from ..recording import Recording, Run
from ..timeline.component_stop import StopSummary, away, stop_summary, waits
from . import axes, columns, figure, style

_WAITING: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.VERMILION,
    "hatch": "xxx",
    "linewidth": 1.2,
}


def component_stop(recording: Recording) -> figure.DescribedFigure:
    """Draw each stop in a column of its own, the component's absence shaded.

    Parameters
    ----------
    recording : Recording
        Of the experiment "component_stop".
    """
    rows = (
        columns.Row(_shaded(axes.requests), 1.0),
        columns.Row(_shaded(_waiting_pods), 1.5),
        columns.Row(_shaded(axes.replicas), 0.85),
    )
    runs = recording.runs
    handles = [
        *columns.version_handles(runs),
        columns.lost_handle(),
        Patch(**_WAITING, label="en attente d’un nœud"),
        *columns.life_handles(),
        *columns.count_handles(),
        Patch(color=style.LIGHT, label="composant arrêté"),
    ]
    heads = [_head(stop_summary(run)) for run in runs]
    chart = columns.draw(runs, rows, heads, handles, named_row=1)
    chart.alternative = typeset(
        f"{count(len(runs), 'arrêt')} d’un composant du plan de contrôle, {recording.where}. "
        + columns.sentences(heads)
    )
    return chart


def _shaded(view: Any) -> Any:
    """Return a view with the component's absence behind it."""

    def draw(run: Run, *, ax: Axes | None = None) -> Axes:
        drawn: Axes = view(run, ax=ax)
        gap = away(run)
        drawn.axvspan(gap.start_s, gap.end_s, color=style.LIGHT, zorder=-1, linewidth=0)
        return drawn

    return draw


def _waiting_pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods, and when they waited for a node."""
    ax = axes.pods(run, ax=ax)
    waiting = waits(run)
    for row, life in enumerate(axes.in_order(timeline.lives(run))):
        wait = waiting.get(life.uid)
        if wait is not None:
            ax.barh(row, wait.length_s, left=wait.start_s, height=axes.BAR, zorder=3, **_WAITING)
    return ax


def _head(summary: StopSummary) -> columns.Head:
    back = (
        "rien n’est rattrapé"
        if summary.caught_up_s is None
        else f"rattrapé en {seconds(summary.caught_up_s)} après le redémarrage"
    )
    lost = f"{count(summary.failed, 'requête')} {'perdue' if summary.failed < 2 else 'perdues'}"
    return columns.Head(
        f"{summary.component} arrêté {seconds(summary.away_s)}",
        _verdict(summary),
        True,
        (back, f"{lost} sur {number(summary.requests)}"),
    )


def _verdict(summary: StopSummary) -> str:
    if summary.pending:
        return f"{count(summary.pending, 'pod')} sans nœud : Pending"
    if summary.missing and not summary.created:
        return f"{count(summary.missing, 'pod supprimé', 'pods supprimés')}, aucun remplaçant"
    return "rien ne manque"
