"""The slow program (slide 4.06) in a manifest: which image it runs and how long its start takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..forecasts.probe_spec import Answers
from ..forecasts.span import Span

STARTS = {True: Span(1.0, 25.0), False: Span(0.0, 4.0)}
"""What a start takes beside the delay, on a machine that may be busy: Spring Boot's, and its stand-in's."""
_DELAY = "DELAY_SECONDS"
LOADED = "12 articles"
"""What its page says once its start has loaded the catalogue."""
LIVENESS, READINESS = "/actuator/health/liveness", "/actuator/health/readiness"


def fit(container: dict[str, Any], image: str, delay_s: float) -> None:
    """Give a container the program's image and delay, in place."""
    container["image"] = image
    others = [variable for variable in container.get("env") or () if variable.get("name") != _DELAY]
    container["env"] = [*others, {"name": _DELAY, "value": f"{delay_s:g}"}]


def answers(container: Mapping[str, Any], delay_s: float, starts: Span) -> Answers:
    """Return what is known of the program: it listens before its delay, or after it where `LISTEN` is "late"."""
    late = any(
        variable.get("name") == "LISTEN" and variable.get("value") == "late"
        for variable in container.get("env") or ()
    )
    over = Span(starts.lo_s + delay_s, starts.hi_s + delay_s)
    listens = over if late else starts
    return Answers(listens, {LIVENESS: listens, READINESS: over, "/": over})
