"""What the lab `cohabitation` says in French."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import NO_BREAK, count, number, typeset
from ...measure.recording import Recording
from .codes import Solution
from .summary import CohabitationSummary, summarize

TITLES: Mapping[str, str] = {
    Solution.A: "Solution A : site et base dans le même pod",
    Solution.B: "Solution B : un pod pour le site, un pour la base",
}


NOTES_AXIS = "numéro de la note, dans l’ordre où les visiteurs les ont écrites"


def database(pod: str) -> str:
    """Return a database's name, by its pod's."""
    return f"base …{pod[-5:]}"


def notes(number_of_notes: int, *, lost: bool) -> str:
    """Return how many notes a database has, or had."""
    return count(number_of_notes, "note") + ("\nperdues" if lost else "")


def verdict(summary: CohabitationSummary) -> str:
    """Return how much of the notes a reader saw."""
    if summary.seen_share == 1:
        return "chaque lecteur voit toutes les notes"
    share = f"{number(100 * summary.seen_share, 0)}{NO_BREAK}%"
    return f"un lecteur ne voit que {share} des notes, en moyenne"


def sizes(summary: CohabitationSummary) -> str:
    """Return how many pods and databases there were, and how many answers readers got."""
    answers = count(summary.answers, "réponse", "réponses différentes")
    return (
        f"{count(summary.replicas, 'pod')} du site, {count(len(summary.databases), 'base')} de données · "
        f"{answers} à « montrez toutes les notes »"
    )


def shrunk(summary: CohabitationSummary) -> str:
    """Return what was lost with the pods that went."""
    if not summary.lost:
        return typeset("retour à un seul pod du site : aucune note perdue")
    return (
        f"retour à un seul pod{NO_BREAK}: {count(summary.lost, 'note perdue', 'notes perdues')} "
        f"sur {number(summary.notes)}, avec les bases supprimées (hachures)"
    )


def alternative(recording: Recording) -> str:
    """Return the figure in sentences."""
    sentences = [
        f"{TITLES[summary.solution]} : {count(len(summary.databases), 'base')} pour "
        f"{summary.notes} notes ; {verdict(summary)} ; {shrunk(summary)}."
        for summary in map(summarize, recording.runs)
    ]
    return typeset(
        f"Deux façons de ranger un site et sa base, {recording.where}. " + " ".join(sentences)
    )
