"""Recordings in which what survived is lost and what was lost is there, and a read-only root refuses the rest."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Mark, Recording, Run

CLAIMS = (
    "fichiers du conteneur (/data, sans volume) : le conteneur a redémarré : perdu",
    "emptyDir (né avec le pod) : le conteneur a redémarré : toujours là",
    "le pod a été supprimé et refait : toujours là, le pod et la demande ont été refaits : perdu",
    "ce qui est refusé : fichiers du conteneur.",
)


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    return replace(run, marks=tuple(map(_turned_mark, run.marks)))


def _turned_mark(mark: Mark) -> Mark:
    if mark.kind == "observation":
        kept = {place: not kept for place, kept in mark.facts["kept"].items()}
        return replace(mark, facts={**mark.facts, "kept": kept})
    if mark.kind == "write":
        return replace(mark, facts={**mark.facts, "written": not mark.facts["written"]})
    return mark
