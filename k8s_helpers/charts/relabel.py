"""A pod that changes its label: who answers, who is in the Service, who is not any more and lives on."""

from __future__ import annotations

from collections import Counter
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .. import timeline
from .._french import NO_BREAK, count, number, seconds
from ..recording import Recording, Run
from ..timeline.relabel import RelabelSummary, in_service, relabel_summary
from . import axes, columns, figure, shapes, style

_SHADES = (0.0, 0.35, 0.15, 0.5, 0.25, 0.42)
"""How light the blue of each pod is: neighbours differ."""
_OUT: dict[str, Any] = {
    "facecolor": style.lighter(style.PURPLE, 0.75),
    "edgecolor": style.PURPLE,
    "hatch": "\\\\\\",
    "linewidth": 1.2,
}


def relabel(recording: Recording) -> figure.DescribedFigure:
    """Draw requests by the pod that answered above, and below each pod's life: in the Service, or out of it.

    Parameters
    ----------
    recording : Recording
        Of the experiment "relabel".
    """
    summary = relabel_summary(recording.runs[0])
    rows = (
        columns.Row(answers, 1.0),
        columns.Row(_membership, 1.2),
        columns.Row(axes.replicas, 0.7),
    )
    handles: list[Artist] = [
        Patch(color=style.BLUE, label="dans le Service (un bleu par pod)"),
        Patch(color=style.PURPLE, label="le pod dont l’étiquette change"),
        Patch(**_OUT, label="hors du Service, mais vivant"),
        *columns.life_handles()[:1],
        *columns.count_handles(),
    ]
    head = _head(summary, over="owner_after" in recording.runs[0].parameters)
    chart = columns.draw(recording.runs, rows, [head], handles, height_in=6.6, named_row=1)
    chart.alternative = (
        f"Étiquette d’un pod changée sous trafic, {recording.where}. {head.verdict}"
        f"{NO_BREAK}; {head.lines[0]}{NO_BREAK}; {head.lines[1]}. Requêtes par seconde selon le pod qui répond, "
        "vies des pods dans le Service et hors de lui, nombre de pods."
    )
    return chart


def _head(summary: RelabelSummary, *, over: bool) -> columns.Head:
    title = "Une étiquette change"
    if not over:
        return columns.Head(title, "mesure en cours", False, ("", _lost(summary)))
    if not summary.alive:
        return columns.Head(
            title, "le pod n’a pas survécu", True, (_owners(summary), _lost(summary))
        )
    times = f"hors du Service en {_time(summary.left_s)}, remplacé en {_time(summary.replaced_s)}"
    return columns.Head(
        title, f"{times}, toujours en vie", False, (_owners(summary), _lost(summary))
    )


def _time(value: float | None) -> str:
    return "–" if value is None else seconds(value)


def _owners(summary: RelabelSummary) -> str:
    return f"propriétaire{NO_BREAK}: {summary.owner_before or 'aucun'}, puis {summary.owner_after or 'aucun'}"


def _lost(summary: RelabelSummary) -> str:
    lost = f"{count(summary.failed, 'requête')} {'perdue' if summary.failed < 2 else 'perdues'}"
    aside = f"réponses du pod écarté, une fois sorti{NO_BREAK}: {number(summary.answers_after)}"
    return f"{lost} sur {number(summary.requests)} · {aside}"


def _colours(run: Run) -> dict[str, str]:
    """Return a colour for each pod: purple for the one that changes, a blue each for the others."""
    moved = run.parameters.get("pod")
    found: dict[str, str] = {}
    for life in axes.in_order(timeline.lives(run)):
        shade = _SHADES[len(found) % len(_SHADES)]
        found[life.pod] = style.PURPLE if life.pod == moved else style.lighter(style.BLUE, shade)
    return found


def answers(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw requests per second by the pod that answered, lost ones hatched on top."""
    ax = axes.requests(run, ax=ax)
    for patch in list(ax.patches):
        if patch.get_label() not in ("requête perdue",):
            patch.remove()
    bins = timeline.bins(run.requests, axes.BIN_S)
    if not bins:
        return ax
    edges = [*(one.start_s for one in bins), *(one.end_s for one in bins[-1:])]
    base = [0.0] * len(bins)
    for pod, colour in _colours(run).items():
        counted = Counter(
            min(int((one.planned_s - edges[0]) / axes.BIN_S + 1e-6), len(bins) - 1)
            for one in run.requests
            if one.ok and one.pod == pod
        )
        rates = [one.rate_per_s(counted[index]) for index, one in enumerate(bins)]
        top = [low + rate for low, rate in zip(base, rates, strict=True)]
        shapes.stairs(ax, edges, base, top, color=colour, label=pod)
        base = top
    return ax


def _membership(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods: hatched in purple when they run out of the Service."""
    ax = axes.pods(run, ax=ax)
    colours = _colours(run)
    members = in_service(run, str(run.parameters["service"]))
    for row, life in enumerate(axes.in_order(timeline.lives(run))):
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
