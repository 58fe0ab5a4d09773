"""Recordings of two solutions that have changed places."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "même pod : 3 bases",
    "un pour la base : 1 base pour",
)


def opposite(recording: Recording) -> Recording:
    first, second = recording.runs
    runs = replace(second, name=first.name), replace(first, name=second.name)
    return replace(recording, runs=runs)
