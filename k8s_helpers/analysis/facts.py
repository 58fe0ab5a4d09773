"""Typed facts that a lab noted with its marks (`Lane.note`), and the time between marks."""

from __future__ import annotations

from typing import TypeVar

from ..measure.recording import Mark, Run

T = TypeVar("T")


def marks(run: Run, kind: str) -> list[Mark]:
    """Return the marks of a kind, in the order of time."""
    return sorted((mark for mark in run.marks if mark.kind == kind), key=lambda mark: mark.at_s)


def facts(run: Run, kind: str, of: type[T]) -> list[T]:
    """Return what the marks of a kind hold, in the order of time, each as the dataclass that was noted."""
    return [of(**mark.facts) for mark in marks(run, kind)]


def lapse(run: Run, start: str, end: str) -> float | None:
    """Return the seconds from the first mark of one kind to the first one of another; None where one is missing."""
    starts, ends = marks(run, start), marks(run, end)
    return ends[0].at_s - starts[0].at_s if starts and ends else None
