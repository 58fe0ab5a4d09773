"""What one more node changed, in French words."""

from __future__ import annotations

from ..._french import count, seconds, typeset
from ...measure.recording import Recording
from .summary import AddedNodeSummary, summarize


def verdict(summary: AddedNodeSummary) -> str:
    """Tell who waited, who landed on the node and who still waits."""
    waiting = f"{count(summary.waiting, 'pod')} sur {summary.replicas} sans nœud"
    if summary.placed_s is None:
        return typeset(f"{count(summary.waiting, 'pod')} sans nœud : aucun nœud n’est venu")
    ready, still = summary.ready, summary.still_waiting
    there = "1 y est prêt" if ready == 1 else f"{ready} y sont prêts"
    rest = f"{still} attend{'' if still == 1 else 'ent'} encore" if still else "plus aucun n’attend"
    return typeset(f"{waiting} ; un nœud de plus : {there} en {seconds(summary.placed_s)}, {rest}")


def departure(summary: AddedNodeSummary) -> str:
    """Tell what became of the node's pods when it left."""
    if summary.left_s is None or not summary.gone:
        return "Le nœud n’est pas reparti"
    after = f"de nouveau {count(summary.waiting_after, 'pod')}"
    if not summary.waiting_after:
        after = "plus aucun pod"
    left = f"Le nœud repart en {seconds(summary.left_s)}"
    return typeset(f"{left} ; {_eviction(summary)} : {after} sans nœud")


def _eviction(summary: AddedNodeSummary) -> str:
    if summary.evicted < summary.landed:
        kept = summary.landed - summary.evicted
        return f"{kept} de ses pods n’{'a' if kept == 1 else 'ont'} pas été expulsé{'s' if kept > 1 else ''}"
    if summary.replaced < summary.evicted:
        return "ses pods, expulsés, ne sont pas tous remplacés"
    return "ses pods, expulsés, sont remplacés" if summary.evicted else "il n’avait pas de pods"


def alternative(recording: Recording) -> str:
    """Return the text alternative of the chart."""
    run = recording.runs[0]
    summary = summarize(run)
    full = "un cluster plein" if summary.waiting else "un cluster qui a de la place"
    head = f"Un nœud rejoint {full}"
    if summary.joined_s is None:
        head = f"Aucun nœud n’a rejoint {full}"
    return typeset(
        f"{head}, {recording.where}, en {seconds(run.ended_s)} : la vie de chaque pod, et son nœud. "
        f"{verdict(summary)}. {departure(summary)}. L’ordonnanceur disait : {summary.message}"
    )
