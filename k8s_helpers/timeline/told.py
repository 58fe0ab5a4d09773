"""Facts that an experiment told with its marks: what a client was answered, who a pod is, how a volume is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..recording import Run


@dataclass(frozen=True, slots=True)
class Told:
    """What one mark tells.

    Attributes
    ----------
    at_s : float
        When.
    facts : dict
        The JSON object of its detail.
    """

    at_s: float
    facts: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]


def told(run: Run, kind: str) -> tuple[Told, ...]:
    """Return what the marks of a kind tell, in the order of time."""
    marks = sorted((mark for mark in run.marks if mark.kind == kind), key=lambda mark: mark.at_s)
    return tuple(Told(mark.at_s, json.loads(mark.detail)) for mark in marks)


def lapse(run: Run, start: str, end: str) -> float | None:
    """Return the seconds from the first mark of one kind to the first one of another; None where one is missing."""
    first, last = run.mark(start), run.mark(end)
    return None if first is None or last is None else last.at_s - first.at_s
