"""Recordings of claims that wait for nobody, of notes that are lost, of policies that have changed places."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Mark, Recording, Run

CLAIMS = (
    "la demande attend un pod",
    "un nouveau pod relit la note",
    "Delete : la demande attend un pod",
    "le volume part avec la demande",
    "le volume reste et resservira",
    "rien n’échoue : tout attend",
)


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    """Return a run in which the pod comes last, finds nothing, fails, and no volume comes back or goes."""
    marks = [_turned_mark(mark, run.ended_s) for mark in run.marks]
    kept = [mark for mark in marks if mark.facts.get("phase") not in ("Deleted", "Released")]
    once: dict[tuple[str, str], Mark] = {}
    for mark in kept:
        facts = mark.facts
        once.setdefault((facts.get("uid", str(id(mark))), facts.get("phase", "")), mark)
    return replace(run, marks=tuple(once.values()))


def _turned_mark(mark: Mark, ended_s: float) -> Mark:
    if mark.kind == "consumer":
        return replace(mark, at_s=ended_s)
    if mark.kind == "read":
        return replace(mark, facts={**mark.facts, "kept": False})
    if mark.kind == "stuck":
        return replace(mark, facts={**mark.facts, "pod": "Failed"})
    return mark
