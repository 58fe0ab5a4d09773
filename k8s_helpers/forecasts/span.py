"""An interval in which something predicted lies."""

from __future__ import annotations

import math
from typing import NamedTuple

from .._french import NO_BREAK, number

SLACK_S = 1.0
"""What a measured instant may be outside its predicted interval: the API's times are whole seconds."""


class Span(NamedTuple):
    """An interval in which an instant or a duration lies, in seconds; `inf` is never.

    An instant counts from what its forecast begins with: the start of the container, of the run.
    """

    lo_s: float
    hi_s: float

    def holds(self, at_s: float, slack_s: float = 0.0) -> bool:
        """Whether an instant is inside, give or take some seconds."""
        return self.lo_s - slack_s <= at_s <= self.hi_s + slack_s

    def then(self, other: Span) -> Span:
        """Return the interval of what comes that much later."""
        return Span(self.lo_s + other.lo_s, self.hi_s + other.hi_s)

    def words(self) -> str:
        """Write the interval in French."""
        if math.isinf(self.hi_s):
            return f"au plus tôt à {number(round(self.lo_s, 1))}{NO_BREAK}s"
        lo, hi = (number(round(value, 1)) for value in self)
        return f"à {lo}{NO_BREAK}s" if lo == hi else f"entre {lo} et {hi}{NO_BREAK}s"

    def to_plain(self) -> list[float]:
        """Return the interval as JSON has it; it must end."""
        return [round(self.lo_s, 3), round(self.hi_s, 3)]
