"""What a resize did, in French words."""

from __future__ import annotations

from ..._french import count, number, seconds, typeset
from ...measure.recording import Recording
from .summary import ResizeSummary


def verdict(summary: ResizeSummary) -> str:
    """Tell how long answers took before and after, and what became of the container."""
    if summary.before_s is None or summary.after_s is None:
        return "Pas assez de réponses pour comparer"
    same = "même conteneur" if summary.same_container else "un autre conteneur"
    return typeset(
        f"De {number(1000 * summary.before_cores)}m à {number(1000 * summary.after_cores)}m : réponse en "
        f"{seconds(summary.before_s)}, puis en {seconds(summary.after_s)} ; {same}, "
        f"{count(summary.restarts, 'redémarrage')}"
    )


def refusal(summary: ResizeSummary) -> str:
    """Tell what was said to a demand for more than the node has, and what became of the limit."""
    tried = "Demander plus que le nœud n’en a"
    kept = "la limite reste ce qu’elle était" if summary.kept else "la limite a changé"
    if summary.refused is None:
        return f"{tried} : pas encore essayé"
    said = "refusé" if summary.refused else "accepté"
    return typeset(f"{tried} : {said} ({summary.refusal}), et {kept}")


def alternative(recording: Recording, summary: ResizeSummary) -> str:
    """Return the text alternative of the chart."""
    return typeset(
        f"Pod agrandi pendant qu’il travaille, {recording.where}, en {seconds(recording.runs[0].ended_s)} : durée de "
        f"chaque réponse, et limite de processeur du conteneur. {verdict(summary)}. {refusal(summary)}."
    )
