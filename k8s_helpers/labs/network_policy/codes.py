"""Codes and facts of the attempts of the lab `network_policy`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from ...analysis.attempts import attempt
from ...measure.recording import Run


class Who(StrEnum):
    """Under which policy something is tried."""

    NO_POLICY = "no-policy"
    DENY_ALL = "deny-all"


class What(StrEnum):
    """What is tried."""

    CREATE = "create-policy"
    CALL = "call-server"


class Outcome(StrEnum):
    """What comes of it."""

    CREATED = "created"
    ANSWERED = "answered"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls that were made one after the other; as text they are the detail of an attempt.

    Attributes
    ----------
    answered, made : int
        How many of how many got their answer.
    last : str
        The pod that answered the last one, or why none did.
    """

    answered: int
    made: int
    last: str

    def __str__(self) -> str:
        return f"{self.answered}/{self.made} {self.last}"

    @classmethod
    def read(cls, detail: str) -> Self:
        """Return what a detail says."""
        share, _, last = detail.partition(" ")
        answered, _, made = share.partition("/")
        return cls(int(answered), int(made), last)


def calls(run: Run, who: str) -> Calls:
    """Return what came of a client's calls under a policy: "no-policy" or "deny-all".

    Raises
    ------
    RecordingError
        Nobody called under it.
    """
    return Calls.read(attempt(run, who, What.CALL).detail)
