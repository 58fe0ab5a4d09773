"""How well the traffic generator kept to its plan: what a load that was too great for the machine shows in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..recording import Request


@dataclass(frozen=True)
class Effort:
    """How well the generator kept to its plan.

    Attributes
    ----------
    planned, sent, unsent : int
        Requests that were due, that left, and that did not because too many were waiting for an answer.
    lag_p99_s, lag_max_s : float
        99th percentile and maximum of (sent − planned), in seconds; 0 where nothing was sent.
    """

    planned: int
    sent: int
    unsent: int
    lag_p99_s: float
    lag_max_s: float


def effort(requests: Iterable[Request]) -> Effort:
    """Tell from the records themselves how well the generator kept to its plan."""
    records = list(requests)
    lags = sorted(
        record.sent_s - record.planned_s for record in records if record.error != "unsent"
    )
    if not lags:
        return Effort(len(records), 0, len(records), 0.0, 0.0)
    p99 = lags[max(0, math.ceil(0.99 * len(lags)) - 1)]
    return Effort(len(records), len(lags), len(records) - len(lags), p99, lags[-1])
