"""How a quota fills up, in French words."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import NO_BREAK, number
from ...measure.recording import Run
from .codes import QuotaRun

RUNS: Mapping[str, str] = {
    QuotaRun.FILL: "quota",
    QuotaRun.NO_REQUESTS: "sans-requests",
    QuotaRun.LIMIT_RANGE: "limitrange",
}
RESOURCES: Mapping[str, str] = {
    "requests.cpu": "requests, processeur",
    "requests.memory": "requests, mémoire",
    "limits.cpu": "limits, processeur",
    "limits.memory": "limits, mémoire",
}
"""The lines of a quota."""


def verdict(run: Run) -> str:
    """Tell how many pods were accepted, which were not, and whether it was for the quota."""
    steps = run.parameters["steps"]
    taken = sum(step["accepted"] for step in steps)
    s = "s" if taken > 1 else ""
    words = f"{number(taken)} pod{s} accepté{s}"
    refused = [step for step in steps if not step["accepted"]]
    if not refused:
        return words
    full = all("exceeded quota" in step["message"] for step in refused)
    why = "le quota est plein" if full else "le quota n’y est pour rien"
    return f"{words}, {', '.join(step['pod'] for step in refused)} refusé{NO_BREAK}: {why}"
