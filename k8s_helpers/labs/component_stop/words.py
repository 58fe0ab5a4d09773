"""What the lab `component_stop` says in French."""

from __future__ import annotations

from ..._french import count, number, seconds
from ...measure.recording import Recording
from .summary import StopSummary

WAITING = "en attente d’un nœud"
STOPPED = "composant arrêté"


def intro(recording: Recording) -> str:
    """Return what the figure shows."""
    stops = count(len(recording.runs), "arrêt")
    return f"{stops} d’un composant du plan de contrôle, {recording.where}. "


def title(summary: StopSummary) -> str:
    """Return what was stopped, and for how long."""
    return f"{summary.component} arrêté {seconds(summary.away_s)}"


def verdict(summary: StopSummary) -> str:
    """Return what did not happen meanwhile."""
    if summary.pending:
        return f"{count(summary.pending, 'pod')} sans nœud : Pending"
    if summary.missing and not summary.created:
        return f"{count(summary.missing, 'pod supprimé', 'pods supprimés')}, aucun remplaçant"
    return "rien ne manque"


def lines(summary: StopSummary) -> tuple[str, str]:
    """Return when it was caught up, and what clients lost."""
    back = (
        "rien n’est rattrapé"
        if summary.caught_up_s is None
        else f"rattrapé en {seconds(summary.caught_up_s)} après le redémarrage"
    )
    lost = count(summary.failed, "requête perdue", "requêtes perdues")
    return back, f"{lost} sur {number(summary.requests)}"
