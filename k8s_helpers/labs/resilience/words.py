"""What a failing service costs, in French words."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import count, number, seconds, typeset
from .codes import Caller
from .summary import CallerSummary

CALLERS: Mapping[str, str] = {
    Caller.CARELESS: "aucune précaution",
    Caller.RETRY: "délai et nouvel essai",
    Caller.BREAKER: "coupe-circuit en plus",
}
"""The callers, as the student chooses among them."""


def title(caller: str) -> str:
    """Name a caller at the head of its column."""
    return CALLERS[caller].capitalize()


def verdict(summary: CallerSummary) -> str:
    """Tell what clients lost while one call in three failed."""
    lost = count(summary.flaky_lost, "perdue", "perdues")
    return typeset(f"un appel sur trois échoue : {lost} sur {number(summary.flaky)}")


def stuck(summary: CallerSummary) -> str:
    """Tell what clients lost while the called service did not answer, and how long they waited to learn it."""
    lost = count(summary.stuck_lost, "perdue", "perdues")
    wait = "" if summary.stuck_wait_s is None else f", en {seconds(summary.stuck_wait_s)}"
    return typeset(f"catalogue bloqué : {lost} sur {number(summary.stuck)}{wait}")


def calls(summary: CallerSummary) -> str:
    """Tell how many calls the service that does not answer received."""
    received = count(summary.stuck_calls, "appel")
    requests = count(summary.stuck, "requête")
    return f"pendant ce blocage, le catalogue reçoit {received} pour {requests}"
