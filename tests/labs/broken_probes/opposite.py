"""The outcome turned round: no pod leaves its Service or is restarted, and who was answered is lost."""

from __future__ import annotations

from dataclasses import replace

import synthetic

from k8s_helpers.measure.recording import Recording

CLAIMS = (
    "le pod quitte le Service",
    "1 relance",
    "conséquence après",
    "de retour après",
    "0 requête perdue",
)


def opposite(recording: Recording) -> Recording:
    return replace(
        recording,
        runs=tuple(
            replace(
                run, requests=synthetic.inverted(run.requests), pods=(), endpoints=(), events=()
            )
            for run in recording.runs
        ),
    )
