"""What the lab `self_healing` says in French."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import count, number, seconds
from ...measure.recording import Recording
from .codes import Disturbance
from .summary import HealingSummary

TITLES: Mapping[str, str] = {
    Disturbance.CONTAINER: "Un processus meurt",
    Disturbance.POD: "Un pod est supprimé",
    Disturbance.REPLICAS: "Le nombre de réplicas change",
    Disturbance.IMAGE: "L’image change",
}
STEPS: Mapping[str, str] = {
    Disturbance.CONTAINER: "arrêt du processus d’un conteneur",
    Disturbance.POD: "suppression d’un pod",
    Disturbance.REPLICAS: "nombre de réplicas modifié",
    Disturbance.IMAGE: "image modifiée",
}
"""What a measure reports while it opens a gap."""


def intro(recording: Recording) -> str:
    """Return what the figure shows."""
    return f"{count(len(recording.runs), 'écart')} à l’état désiré, {recording.where}. "


def verdict(summary: HealingSummary) -> str:
    """Return how the gap was closed."""
    restarts = count(summary.restarts, "redémarrage")
    made = count(summary.created, "nouveau pod", "nouveaux pods")
    if summary.disturbance == Disturbance.CONTAINER:
        return f"{'même pod' if summary.same_pod else made}, {restarts} sur place"
    if summary.disturbance == Disturbance.POD:
        if not summary.created:
            return "aucun nouveau pod"
        return f"{made}, {'un autre nom' if summary.renamed else 'le même nom'}"
    if summary.disturbance == Disturbance.REPLICAS:
        wished, ready = (
            " → ".join(map(str, counts)) for counts in (summary.counts, summary.reached)
        )
        if summary.follows:
            return f"le cluster suit : {wished} pods"
        return f"le cluster ne suit pas : {wished} pods demandés, {ready} prêts"
    kept = sum(replicas == 0 for _, replicas in summary.replica_sets)
    return f"{count(len(summary.replica_sets), 'ReplicaSet')}, dont {kept} gardé à 0 pod"


def lines(summary: HealingSummary) -> tuple[str, str]:
    """Return how long it took, and what clients lost."""
    back = (
        "état désiré jamais retrouvé"
        if summary.recovery_s is None
        else f"état désiré retrouvé en {seconds(summary.recovery_s)}"
    )
    lost = count(summary.failed, "requête perdue", "requêtes perdues")
    return back, f"{lost} sur {number(summary.requests)}"
