"""Bad versions side by side: what users got while they rolled out and on the way back."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from .. import timeline
from .._french import count, number, seconds, typeset
from ..recording import Recording, Run
from ..timeline.rollback import RollbackSummary, rollback_summary
from . import axes, columns, figure, style
from .table import Table

TITLES: Mapping[str, str] = {
    "never-ready": "Jamais prête",
    "crash": "S’arrête au démarrage",
    "no-probe": "Mauvais port, sans sonde",
}


def rollback(recording: Recording) -> figure.DescribedFigure:
    """Draw each bad version in a column of its own: requests, lives of pods, how many were ready.

    Parameters
    ----------
    recording : Recording
        Of the experiment "rollback".
    """
    runs = recording.runs
    rows = (
        columns.Row(axes.requests, 1.15),
        columns.Row(_crashing_pods, 1.6),
        columns.Row(axes.replicas, 0.85),
    )
    handles = [
        *columns.version_handles(runs),
        columns.lost_handle(),
        *columns.life_handles(),
        columns.death_handle(),
        *columns.count_handles(),
    ]
    heads = [_head(rollback_summary(run)) for run in runs]
    chart = columns.draw(runs, rows, heads, handles, named_row=1)
    chart.alternative = typeset(
        f"{count(len(runs), 'mauvaise version déployée', 'mauvaises versions déployées')} sous trafic, puis "
        f"kubectl rollout undo, {recording.where}. " + columns.sentences(heads)
    )
    return chart


def _crashing_pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods, with a cross at each death of a container in a pod that goes on."""
    ax = axes.pods(run, ax=ax)
    found = axes.in_order(timeline.lives(run))
    rows = {life.uid: row for row, life in enumerate(found)}
    ends = {life.uid: life.terminating_s for life in found}
    deaths = [
        (event.at_s, rows[event.uid])
        for event in run.pods
        if event.kind == "died" and event.at_s < (ends[event.uid] or run.ended_s)
    ]
    if deaths:
        times, places = zip(*deaths, strict=True)
        ax.plot(
            times, places, "x", color=style.VERMILION, markersize=7, markeredgewidth=2, zorder=4
        )
    return ax


def _head(summary: RollbackSummary) -> columns.Head:
    verdict = f"{count(summary.failed, 'requête')} {'perdue' if summary.failed < 2 else 'perdues'}"
    old = f"{count(summary.old_left, 'ancien pod parti', 'anciens pods partis')}"
    bad = f"{count(summary.bad_ready, 'pod v2 jugé prêt', 'pods v2 jugés prêts')}"
    back = (
        "retour jamais fini"
        if summary.back_s is None
        else f"retour fini en {seconds(summary.back_s)}"
    )
    silence = f" · {seconds(summary.outage_s)} sans réponse" if summary.outage_s else ""
    return columns.Head(
        TITLES.get(summary.version, summary.version),
        verdict,
        summary.failed > 0,
        (f"{bad} · {old}", f"{back}{silence}"),
    )


def rollback_table(recording: Recording) -> Table:
    """Return the history of the last run before and after the way back, as `kubectl rollout history` shows it."""
    run = recording.runs[-1]
    rows = [
        (
            number(one["number"]),
            one["cause"] or "–",
            one["replica_set"],
            one["image"],
            number(one["replicas"]),
            when,
        )
        for when, key in (("avant", "history_before"), ("après", "history_after"))
        for one in run.parameters.get(key, ())
    ]
    header = ("révision", "change-cause", "ReplicaSet", "image", "pods demandés", "rollout undo")
    return Table("Historique du Deployment, avant et après « rollout undo »", header, tuple(rows))
