"""The outcome turned round: who was answered is lost, no update ends."""

from __future__ import annotations

from dataclasses import replace

import synthetic

from k8s_helpers.measure.recording import Recording, Run

CLAIMS = ("aucune erreur", "rollout terminé après")


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    return replace(run, requests=synthetic.inverted(run.requests), marks=run.marks[:1])
