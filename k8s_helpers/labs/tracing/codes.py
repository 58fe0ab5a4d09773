"""Codes and facts of the lab `tracing`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Asked(StrEnum):
    """What a client asks of the site; the name of the run."""

    ADD = "add"
    REPORT = "report"


SPAN = "span"
"""The mark of a span."""


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """A piece of work that a program noted, with OpenTelemetry's names.

    Attributes
    ----------
    service : str
        Who did it: "site" or "base".
    kind : str
        "server", "client" or "internal".
    start_s, end_s : float
        Since the start of the earliest span of its trace, by the clock of its pod's node.
    """

    service: str
    name: str
    kind: str
    span_id: str
    parent_span_id: str
    start_s: float
    end_s: float

    @property
    def lasts_s(self) -> float:
        """How long it took."""
        return self.end_s - self.start_s
