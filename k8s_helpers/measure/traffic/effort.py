"""How well the generator kept to its plan, told from the records themselves. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._french import number, seconds
from ..recording import Request

LATE_S = 0.5
"""A load most of whose requests leave later than that is another load."""

_THROTTLED = 0.05
"""Share of the measure from which a processor limit counts as what holds back."""


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

    @property
    def fell_short(self) -> bool:
        """Whether what was sent is not the load that was planned."""
        return self.unsent > 0 or self.lag_p99_s > LATE_S


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


def shortfall(made: Effort, parameters: Mapping[str, Any], lasted_s: float) -> str:
    """Say in French what was really sent where that is not the load that was planned; "" where it is.

    Parameters
    ----------
    made : Effort
        Of the run.
    parameters : mapping
        The run's: where its traffic left from.
    lasted_s : float
        How long the run took.
    """
    if not made.fell_short:
        return ""
    words = (
        f"charge trop forte pour {_who(parameters, lasted_s)} : {number(made.sent)} requêtes envoyées sur "
        f"{number(made.planned)} prévues"
    )
    return words + (
        f", jusqu’à {seconds(made.lag_max_s)} de retard" if made.lag_p99_s > LATE_S else ""
    )


def _who(parameters: Mapping[str, Any], lasted_s: float) -> str:
    if parameters.get("sent_from") != "pod":
        return "cette machine"
    limit, held_s = parameters.get("cpu_limit"), parameters.get("throttled_s") or 0.0
    if limit is None or held_s < _THROTTLED * lasted_s:
        return "le pod d’où elle part"
    return f"le pod d’où elle part (limité à {number(limit)} processeur, ce qui l’a retenu {seconds(held_s)})"
