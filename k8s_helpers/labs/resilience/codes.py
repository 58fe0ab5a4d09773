"""What recordings of this lab name: codes, for whoever reads them."""

from dataclasses import dataclass
from enum import StrEnum


class Caller(StrEnum):
    """How the calling service takes care of itself; runs have these names."""

    CARELESS = "careless"
    RETRY = "retry"
    BREAKER = "breaker"


class FaultMark(StrEnum):
    """What the called service is told to do; the marks hold `ReceivedCalls`."""

    FLAKY = "flaky"
    WELL = "well"
    STUCK = "stuck"
    MENDED = "mended"


@dataclass(frozen=True, slots=True)
class ReceivedCalls:
    """How many calls the called service had received when a mark was made."""

    received: int
