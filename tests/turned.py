"""Recordings of attempts whose outcome is turned round: what was possible is not, and the other way about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from k8s_helpers.measure.recording import Attempt, Recording


def turned(recording: Recording, answers: Mapping[str, str]) -> Recording:
    """Return a recording in which every attempt came to its opposite.

    Parameters
    ----------
    recording : Recording
        Of a lab that is made of attempts.
    answers : mapping of str to str
        The opposite of each answer.
    """

    def turn(attempt: Attempt) -> Attempt:
        return replace(attempt, ok=not attempt.ok, answer=answers[attempt.answer])

    runs = tuple(replace(run, attempts=tuple(map(turn, run.attempts))) for run in recording.runs)
    return replace(recording, runs=runs)
