"""A readiness and a liveness that break, side by side: what users got, what became of the pod."""

from __future__ import annotations

from .._french import NO_BREAK, count, seconds, typeset
from ..recording import Recording, Run
from ..timeline.broken_probes import BreakSummary, break_summary
from . import axes, columns, figure
from .self_healing import restart_handle, restarting_pods


def broken_probes(recording: Recording) -> figure.DescribedFigure:
    """Draw each broken probe in a column of its own: requests, lives of the pods, how many are ready.

    Parameters
    ----------
    recording : Recording
        Of the experiment "broken_probes".
    """
    rows = (
        columns.Row(axes.requests, 1.0),
        columns.Row(restarting_pods, 1.3),
        columns.Row(axes.replicas, 0.8),
    )
    handles = [
        *columns.version_handles(recording.runs),
        columns.lost_handle(),
        *columns.life_handles()[:1],
        restart_handle(),
        *columns.count_handles(),
    ]
    heads = [_head(run) for run in recording.runs]
    chart = columns.draw(recording.runs, rows, heads, handles, named_row=1)
    chart.alternative = typeset(
        f"{count(len(heads), 'sonde')} que l’on casse sous trafic, {recording.where}. "
        + columns.sentences(heads)
    )
    return chart


def _head(run: Run) -> columns.Head:
    found = break_summary(run)
    lost = f"{count(found.failed, 'requête')} {'perdue' if found.failed < 2 else 'perdues'}"
    return columns.Head(
        f"La {run.name} se casse",
        _verdict(found),
        not found.as_predicted,
        (_instants(found), lost),
    )


def _verdict(found: BreakSummary) -> str:
    left = (
        "le pod quitte le Service" if found.left_s is not None else "le pod reste dans le Service"
    )
    return f"{left}, {count(found.restarts, 'relance')}"


def _instants(found: BreakSummary) -> str:
    decided = "jamais" if found.decided_s is None else f"après {seconds(found.decided_s)}"
    back = "" if found.back_s is None else f" ; de retour après {seconds(found.back_s)}"
    return f"conséquence {decided} (prévu {found.predicted.words()}){back}".replace(
        " ;", f"{NO_BREAK};"
    )
