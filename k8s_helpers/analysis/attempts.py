"""Things tried one after the other, and what came of each: the same rows for every lab that is made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from typing import Any

from .._errors import RecordingError
from ..measure.recording import Attempt, Recording, Run
from .story import Story

_VALUE = re.compile(r"\d+|v\d+|\?")
"""Answers that are read alike in every language: a number, a version, one that is not known."""


@dataclass(frozen=True)
class AttemptWords:
    """What the codes of one lab's attempts are called in French.

    Attributes
    ----------
    title : str
        Of the figure.
    verdict : callable
        Recording → one sentence, computed from it.
    who, what, answer : mapping of str to str
        Words by code; an answer that is a number or a version has none.
    runs : mapping of str to str
        Title of each run that has one.
    detail : callable
        Attempt → what was said there and then; otherwise as it was written.
    alarming : callable
        Attempt, by its codes → whether its outcome is bad news; otherwise what failed is. That a stranger reads a
        Secret is bad news although it succeeded, and a refusal is none.
    """

    title: str
    verdict: Callable[[Recording], str]
    who: Mapping[str, str]
    what: Mapping[str, str]
    answer: Mapping[str, str]
    runs: Mapping[str, str] = field(default_factory=dict)
    detail: Callable[[Attempt], str] = attrgetter("detail")
    alarming: Callable[[Attempt], bool] = lambda attempt: not attempt.ok

    def translate(self, run: Run) -> tuple[Attempt, ...]:
        """Return a run's attempts in French.

        Raises
        ------
        RecordingError
            A code has no word here.
        """
        return tuple(
            replace(
                attempt,
                who=self._word("who", attempt.who),
                what=self._word("what", attempt.what),
                answer=self._word("answer", attempt.answer),
                detail=self.detail(attempt),
            )
            for attempt in run.attempts
        )

    def to_json(self, recording: Recording) -> dict[str, Any]:
        """Return what `summary.json` holds of each run: its attempts in their order."""
        return {
            "runs": {run.name: list(map(_plain, self.translate(run))) for run in recording.runs}
        }

    def _word(self, name: str, code: str) -> str:
        words: Mapping[str, str] = getattr(self, name)
        if code in words:
            return words[code]
        if name == "answer" and _VALUE.fullmatch(code):
            return code
        raise RecordingError(
            f"Lire les essais de « {self.title} »",
            f"« {code} » n’est pas un mot de ce cours ; il y a : {', '.join(words)}",
            "L’enregistrement vient d’une autre version du cours : refaites la mesure.",
        )


def attempt(run: Run, who: str, what: str) -> Attempt:
    """Return one of a run's attempts, by who tried what.

    Parameters
    ----------
    run : Run
        Of a lab that is made of attempts.
    who, what : str
        Codes, as the lab's `Who` and `What` list them: "no-rights", "get-secret".

    Raises
    ------
    RecordingError
        There is none: says those that there are.
    """
    return _find(run.attempts, who, what, run.name)


def succeeded(recording: Recording, who: str, what: str) -> bool:
    """Return whether what somebody tried was possible; `RecordingError` where it was not tried, as in `attempt`."""
    tried = [attempt for run in recording.runs for attempt in run.attempts]
    return _find(tried, who, what, recording.experiment).ok


def _find(attempts: Sequence[Attempt], who: str, what: str, where: str) -> Attempt:
    for tried in attempts:
        if (tried.who, tried.what) == (who, what):
            return tried
    there = ", ".join(f"({str(tried.who)!r}, {str(tried.what)!r})" for tried in attempts)
    raise RecordingError(
        f"Chercher l’essai ({str(who)!r}, {str(what)!r}) dans « {where} »",
        f"il n’y est pas ; il y a : {there or 'aucun essai'}",
        "Choisissez l’un de ces couples, ou refaites la mesure.",
    )


def by_code(recording: Recording) -> dict[tuple[str, str], Attempt]:
    """Return each attempt by who tried what."""
    return {(tried.who, tried.what): tried for run in recording.runs for tried in run.attempts}


def to_story(recording: Recording) -> Story:
    """Return each attempt's answer, and the order in which they were made."""
    verdicts: dict[str, object] = {}
    for run in recording.runs:
        codes = [f"{run.name}.{tried.who}.{tried.what}" for tried in run.attempts]
        verdicts |= dict(zip(codes, (tried.answer for tried in run.attempts), strict=True))
        verdicts[f"{run.name}.order"] = tuple(codes)
    return Story(verdicts, {})


def _plain(tried: Attempt) -> dict[str, Any]:
    return {name: value for name, value in asdict(tried).items() if name != "at_s"}
