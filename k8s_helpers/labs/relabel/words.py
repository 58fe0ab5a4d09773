"""What the lab `relabel` says in French."""

from __future__ import annotations

from ..._french import NO_BREAK, count, number, seconds
from ...measure.recording import Recording
from .summary import RelabelSummary

TITLE = "Une étiquette change"
IN_SERVICE = "dans le Service (une couleur par pod)"
MOVED = "le pod dont l’étiquette change"
OUT = "hors du Service, mais vivant"


def verdict(summary: RelabelSummary) -> str:
    """Return what became of the pod."""
    if not summary.over:
        return "mesure en cours"
    if not summary.alive:
        return "le pod n’a pas survécu"
    left = (
        "resté dans le Service"
        if summary.left_s is None
        else f"hors du Service en {seconds(summary.left_s)}"
    )
    replaced = (
        "jamais remplacé"
        if summary.replaced_s is None
        else f"remplacé en {seconds(summary.replaced_s)}"
    )
    return f"{left}, {replaced}, toujours en vie"


def lines(summary: RelabelSummary) -> tuple[str, str]:
    """Return whose pod it was and is, and what clients lost and got."""
    before, after = summary.owner_before or "aucun", summary.owner_after or "aucun"
    owners = f"propriétaire{NO_BREAK}: {before}, puis {after}"
    lost = count(summary.failed, "requête perdue", "requêtes perdues")
    aside = f"réponses du pod écarté, une fois sorti{NO_BREAK}: {number(summary.answers_after)}"
    return owners if summary.over else "", f"{lost} sur {number(summary.requests)} · {aside}"


def alternative(recording: Recording, summary: RelabelSummary) -> str:
    """Return the figure in sentences."""
    facts = f"{NO_BREAK}; ".join(filter(None, (verdict(summary), *lines(summary))))
    return (
        f"Étiquette d’un pod changée sous trafic, {recording.where}. {facts}. Requêtes par seconde selon le pod "
        "qui répond, vies des pods dans le Service et hors de lui, nombre de pods."
    )
