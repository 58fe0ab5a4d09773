"""What the lab `statefulset` says in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._french import count, seconds, typeset
from ...measure.recording import Recording
from .codes import DatabaseVariant
from .summary import StatefulSetSummary

TITLES: Mapping[str, str] = {
    DatabaseVariant.ORDERED: "StatefulSet",
    DatabaseVariant.PARALLEL: "StatefulSet, Parallel",
    DatabaseVariant.DEPLOYMENT: "Deployment",
}
NAMES_AXIS = "pods, par nom"


def verdict(summary: StatefulSetSummary) -> str:
    """Return what the pod that came after a deleted one had in common with it."""
    name = "même nom" if summary.same_name else "autre nom"
    notes = "mêmes notes" if summary.kept_notes else "notes perdues"
    return typeset(f"mort d’un pod : {name}, {notes}")


def lines(summary: StatefulSetSummary) -> tuple[str, ...]:
    """Return in which order pods were created and updated, and which claims outlive them."""
    order = (
        "un par un"
        if summary.waits
        else "tous à la fois"
        if summary.at_once
        else "sans toujours attendre le précédent"
    )
    made = "" if summary.ready_s is None else f" en {seconds(summary.ready_s)}"
    facts = (
        f"créés {order}{made}",
        f"mis à jour : {_updated(summary)}",
        f"demandes gardées à un seul pod : {summary.claims}",
    )
    return tuple(map(typeset, facts))


def _updated(summary: StatefulSetSummary) -> str:
    if summary.renamed:
        return "nouveaux noms"
    alone = (
        f"{', '.join(summary.partitioned)} seul (partition), puis " if summary.partitioned else ""
    )
    return alone + ", ".join(summary.updated)


def alternative(recording: Recording, summaries: Sequence[StatefulSetSummary]) -> str:
    """Return the figure in sentences."""
    sentences = [
        f"{TITLES.get(summary.variant, summary.variant)} : {count(len(summary.created), 'pod')} ; "
        f"{verdict(summary)} ; {' ; '.join(lines(summary))}."
        for summary in summaries
    ]
    return typeset(
        f"Une base de données tenue de {count(len(summaries), 'façon')}, {recording.where}. "
        + " ".join(sentences)
    )
