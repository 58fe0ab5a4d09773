"""Disturbances side by side: what users got, which pods went and came, how many there were."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from .. import timeline
from .._french import count, number, seconds, typeset
from ..recording import Recording, Run
from ..timeline.self_healing import HealingSummary, healing_summary
from . import axes, columns, figure, style

TITLES: Mapping[str, str] = {
    "container": "Un processus meurt",
    "pod": "Un pod est supprimé",
    "replicas": "Le nombre de réplicas change",
    "image": "L’image change",
}


def self_healing(recording: Recording) -> figure.DescribedFigure:
    """Draw each disturbance in a column of its own: requests, lives of pods with restarts, how many pods.

    Parameters
    ----------
    recording : Recording
        Of the experiment "self_healing".
    """
    rows = (
        columns.Row(axes.requests, 1.0),
        columns.Row(restarting_pods, 1.6),
        columns.Row(axes.replicas, 0.85),
    )
    summaries = [healing_summary(run) for run in recording.runs]
    handles = [
        *columns.version_handles(recording.runs),
        columns.lost_handle(),
        *columns.life_handles(),
        restart_handle(),
        *columns.count_handles(),
    ]
    heads = [_head(summary) for summary in summaries]
    chart = columns.draw(recording.runs, rows, heads, handles, named_row=1)
    chart.alternative = typeset(
        f"{count(len(heads), 'écart')} à l’état désiré, {recording.where}. "
        + columns.sentences(heads)
    )
    return chart


def restarting_pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods, with a mark at each restart of a container in place."""
    ax = axes.pods(run, ax=ax)
    rows = {life.uid: row for row, life in enumerate(axes.in_order(timeline.lives(run)))}
    found = [(event.at_s, rows[event.uid]) for event in run.pods if event.kind == "restarted"]
    if found:
        times, places = zip(*found, strict=True)
        ax.plot(
            times, places, "o", color="white", markeredgecolor=style.INK, markersize=9, zorder=4
        )
    return ax


def restart_handle() -> Line2D:
    """Return the legend's entry of a restart."""
    return Line2D(
        [],
        [],
        marker="o",
        color="white",
        markeredgecolor=style.INK,
        markersize=8,
        label="redémarrage sur place",
    )


def _head(summary: HealingSummary) -> columns.Head:
    back = (
        "état désiré jamais retrouvé"
        if summary.recovery_s is None
        else f"état désiré retrouvé en {seconds(summary.recovery_s)}"
    )
    lost = f"{count(summary.failed, 'requête')} {'perdue' if summary.failed < 2 else 'perdues'}"
    return columns.Head(
        TITLES.get(summary.disturbance, summary.disturbance),
        _verdict(summary),
        summary.recovery_s is None,
        (back, f"{lost} sur {number(summary.requests)}"),
    )


def _verdict(summary: HealingSummary) -> str:
    if summary.disturbance == "container":
        return f"même pod, {count(summary.restarts, 'redémarrage')} sur place"
    if summary.disturbance == "pod":
        return f"{count(summary.created, 'nouveau pod', 'nouveaux pods')}, un autre nom"
    if summary.disturbance == "replicas":
        return "le cluster suit : " + " → ".join(map(str, summary.counts)) + " pods"
    kept = sum(replicas == 0 for _, replicas in summary.replica_sets)
    return f"{count(len(summary.replica_sets), 'ReplicaSet')}, dont {kept} gardé à 0 pod"
