"""The outcome turned round: the disk answers at once, and the calls leave together."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Mark, Recording, Run

CLAIMS = ("de leur temps à attendre le disque", "l’un après l’autre")


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    return replace(run, marks=tuple(map(_mark, run.marks)))


def _mark(mark: Mark) -> Mark:
    facts = dict(mark.facts)
    if facts.get("kind") == "internal":
        facts["end_s"] = facts["start_s"]
    if facts.get("kind") == "client":
        facts["end_s"] -= facts["start_s"]
        facts["start_s"] = 0.0
    return replace(mark, facts=facts)
