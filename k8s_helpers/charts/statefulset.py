"""StatefulSet and Deployment side by side: a row a name, and who bears it when."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes

from .. import timeline
from .._french import count, seconds, typeset
from ..recording import Recording, Run
from ..timeline.statefulset import StatefulSetSummary, statefulset_summary
from . import axes, columns, figure, style

TITLES = {
    "ordered": "StatefulSet",
    "parallel": "StatefulSet, Parallel",
    "deployment": "Deployment",
}
_SHORTEST_BAR = 0.6
"""Share of the run from which a bar has room for its name."""


def statefulset(recording: Recording) -> figure.DescribedFigure:
    """Draw each variant in a column: the lives of pods by name, how many were ready.

    Parameters
    ----------
    recording : Recording
        Of the experiment "statefulset".
    """
    rows = (columns.Row(named_pods, 2.2), columns.Row(axes.replicas, 0.8))
    found = [statefulset_summary(run) for run in recording.runs]
    handles = [
        *columns.version_handles(recording.runs),
        *columns.life_handles(),
        *columns.count_handles(),
    ]
    heads = [_head(one) for one in found]
    chart = columns.draw(recording.runs, rows, heads, handles, named_row=0)
    chart.alternative = _alternative(recording, found, heads)
    return chart


def named_pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods, those of one name in one row, in the order in which names first came."""
    with matplotlib.rc_context(style.RC):
        ax = axes.new(ax)
        lives = sorted(timeline.lives(run), key=lambda life: life.created_s)
        names = list(dict.fromkeys(life.pod for life in lives))
        for life in lives:
            axes.life(ax, life, names.index(life.pod), run.ended_s)
        for row, name in enumerate(names):
            _name(ax, name, row, [life for life in lives if life.pod == name], run.ended_s)
        ax.set_ylim(max(len(names), 1) - 0.3, -1.9)
        ax.set_yticks([])
        ax.set_ylabel("pods, par nom")
        axes.seconds_axis(ax, run)
    return ax


def _name(ax: Axes, name: str, row: int, lives: Sequence[timeline.PodLife], ended_s: float) -> None:
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


def _head(one: StatefulSetSummary) -> columns.Head:
    stable = one.same_name and one.kept_notes
    verdict = (
        "mort d’un pod : même nom, mêmes notes"
        if stable
        else "mort d’un pod : autre nom, notes perdues"
    )
    order = "un par un" if one.waits else "tous à la fois"
    made = "" if one.ready_s is None else f" en {seconds(one.ready_s)}"
    lines = [
        f"créés {order}{made}",
        f"mis à jour : {_order(one)}",
        f"demandes gardées à un seul pod : {one.claims}",
    ]
    return columns.Head(
        TITLES.get(one.variant, one.variant),
        typeset(verdict),
        not stable,
        tuple(map(typeset, lines)),
    )


def _order(one: StatefulSetSummary) -> str:
    if not one.ordinals:
        return "nouveaux noms"
    last, *rest = (*one.partitioned, *one.updated)
    return f"{last} seul (partition), puis {', '.join(rest)}"


def _alternative(
    recording: Recording, found: Sequence[StatefulSetSummary], heads: Sequence[columns.Head]
) -> str:
    sentences = [
        f"{head.title} : {count(len(one.created), 'pod')} ; {head.verdict} ; {' ; '.join(head.lines)}."
        for one, head in zip(found, heads, strict=True)
    ]
    return typeset(
        f"Une base de données tenue de {count(len(found), 'façon')}, {recording.where}. "
        + " ".join(sentences)
    )
