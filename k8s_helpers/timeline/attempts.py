"""Things tried one after the other, and what came of each: the same rows for every experiment that is made of them."""

from __future__ import annotations

from typing import Any

from ..recording import Attempt, Recording, Run
from .story import Story


def attempt(run: Run, who: str, what: str) -> Attempt:
    """Return one of a run's attempts, by who tried what; `KeyError` where there is none."""
    for one in run.attempts:
        if (one.who, one.what) == (who, what):
            return one
    raise KeyError(f"{who} : {what}")


def attempts_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each run: its attempts in their order."""
    return {
        "runs": {
            run.name: [
                {
                    "who": one.who,
                    "what": one.what,
                    "ok": one.ok,
                    "answer": one.answer,
                    "detail": one.detail,
                }
                for one in run.attempts
            ]
            for run in recording.runs
        }
    }


def attempts_story(recording: Recording) -> Story:
    """Return each attempt's answer, and the order in which they were made."""
    verdicts: dict[str, object] = {}
    for run in recording.runs:
        for one in run.attempts:
            verdicts[f"{run.name} : {one.who} : {one.what}"] = one.answer
        verdicts[f"{run.name} : ordre"] = " / ".join(
            f"{one.who}, {one.what}" for one in run.attempts
        )
    return Story(verdicts, {})
