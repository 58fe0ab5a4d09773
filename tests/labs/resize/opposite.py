"""The outcome turned round: another container, no refusal, a limit that has changed."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers.measure.recording import Recording

CLAIMS = ("même conteneur", "0 redémarrage", "refusé (403)", "la limite reste ce qu’elle était")


def opposite(recording: Recording) -> Recording:
    (run,) = recording.runs
    parameters = {
        **run.parameters,
        "same_container": False,
        "restarts": 1,
        "limit_after_refusal_cores": 1000.0,
    }
    attempts = tuple(replace(attempt, ok=True, answer="resized") for attempt in run.attempts)
    return replace(recording, runs=(replace(run, parameters=parameters, attempts=attempts),))
