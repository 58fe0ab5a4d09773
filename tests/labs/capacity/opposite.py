"""The outcome turned round: who was answered is lost."""

from __future__ import annotations

from dataclasses import replace

import synthetic

from k8s_helpers.measure.recording import Recording, Run

CLAIMS = ("Un pod tient 200 requêtes", "Un pod tient 400 requêtes", "95 sur 100 en moins de")


def opposite(recording: Recording) -> Recording:
    return replace(recording, runs=tuple(map(_turned, recording.runs)))


def _turned(run: Run) -> Run:
    return replace(run, requests=synthetic.inverted(run.requests))
