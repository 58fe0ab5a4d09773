"""The outcome turned round: who was answered is lost, and the called service is never called."""

from __future__ import annotations

from dataclasses import replace

import synthetic

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "un appel sur trois échoue : 22 perdues sur 61",
    "un appel sur trois échoue : 1 perdue sur 64",
    "le catalogue reçoit 125 appels",
    "le catalogue reçoit 20 appels",
)


def opposite(recording: Recording) -> Recording:
    return replace(
        recording,
        runs=tuple(
            replace(
                run,
                requests=synthetic.inverted(run.requests),
                marks=tuple(replace(mark, facts={"received": 0}) for mark in run.marks),
            )
            for run in recording.runs
        ),
    )
