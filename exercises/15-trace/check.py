"""Works the three figures out from the trace of the statement."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

from k8s_helpers.exercises.controls import Finding, number

PAGE = (0.0, 480.0)
CALLS = {"stock": (10.0, 170.0), "tarifs": (170.0, 420.0)}
SERVED = {"stock": (15.0, 165.0), "tarifs": (180.0, 410.0)}


def _length(part: tuple[float, float]) -> float:
    return part[1] - part[0]


WAITED = sum(map(_length, CALLS.values()))
WORK = {
    "site": _length(PAGE) - WAITED,
    **{name: _length(part) for name, part in SERVED.items()},
}
SLOWEST = max(WORK, key=lambda name: WORK[name])
AWAY = WAITED - sum(map(_length, SERVED.values()))
TOGETHER = _length(PAGE) - WAITED + max(map(_length, CALLS.values()))
CLOSE_MS = 0.5


def check(values: Mapping[str, Any]) -> Finding:
    """Return the first figure that the trace does not give."""
    service = values["service"]
    if service != SLOWEST:
        return Finding("service", f"{service} ne travaille que {number(WORK[service])} ms.")
    if not isclose(values["reseau"], AWAY, abs_tol=CLOSE_MS):
        return Finding("reseau", f"{number(values['reseau'])} ms, ce n’est pas cela.")
    if not isclose(values["ensemble"], TOGETHER, abs_tol=CLOSE_MS):
        return Finding("ensemble", f"{number(values['ensemble'])} ms, ce n’est pas cela.")
    saved = _length(PAGE) - TOGETHER
    return Finding(
        None, f"{SLOWEST} est le plus lent ; appeler ensemble ferait gagner {number(saved)} ms."
    )
