"""Two machines' clocks brought together: how far one is ahead of the other, and how fast that changes. Pure.

Each machine's `time.monotonic` begins where it likes. Of an exchange (asked here, answered there, heard here) the
answer was given somewhere between asking and hearing: the shortest of several exchanges says best when.
Source: https://www.rfc-editor.org/rfc/rfc5905#section-8
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """A question and its answer: when it was asked and heard by our clock, and given by the other one, in seconds."""

    asked_s: float
    given_s: float
    heard_s: float

    @property
    def lasted_s(self) -> float:
        """From asking to hearing."""
        return self.heard_s - self.asked_s


@dataclass(frozen=True)
class Offset:
    """How far the other clock is ahead of ours.

    Attributes
    ----------
    at_s : float
        When, by our clock.
    ahead_s : float
        By how much.
    uncertainty_s : float
        It is not further off than this.
    """

    at_s: float
    ahead_s: float
    uncertainty_s: float

    @classmethod
    def best(cls, exchanges: Iterable[Exchange]) -> Offset:
        """Return what the shortest of the exchanges says; `ValueError` without any."""
        best = min(exchanges, key=lambda exchange: exchange.lasted_s)
        middle_s = (best.asked_s + best.heard_s) / 2
        return cls(middle_s, best.given_s - middle_s, best.lasted_s / 2)


@dataclass(frozen=True)
class Clocks:
    """The other clock against ours, from one measure of it or from two.

    Attributes
    ----------
    first, last : Offset
        Before and after; the same where there is one only.
    """

    first: Offset
    last: Offset

    @property
    def drift(self) -> float:
        """By how many seconds a second the other clock gains on ours."""
        lasted_s = self.last.at_s - self.first.at_s
        return (self.last.ahead_s - self.first.ahead_s) / lasted_s if lasted_s > 0 else 0.0

    @property
    def uncertainty_s(self) -> float:
        """Instants are not further off than this."""
        return max(self.first.uncertainty_s, self.last.uncertainty_s)

    def ours(self, their_s: float) -> float:
        """Return what our clock showed when the other one showed `their_s`."""
        since_s = their_s - self.first.ahead_s - self.first.at_s
        return self.first.at_s + since_s / (1 + self.drift)
