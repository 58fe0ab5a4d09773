"""What an experiment tells wherever it is measured, and whether two recordings of it tell the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TOLERANCE = 0.2
"""Share by which durations may differ without a reason."""
RESOLUTION_S = 1.0
"""Durations that differ by less are not told apart: probes have whole seconds, and so have the API's times."""


@dataclass(frozen=True, slots=True)
class Story:
    """What does not depend on where an experiment is measured.

    Attributes
    ----------
    verdicts : mapping of str to object
        By a French name; must be equal everywhere: counts of restarts, orders of events, who loses requests.
    durations_s : mapping of str to float
        By a French name; may differ by `TOLERANCE`.
    """

    verdicts: Mapping[str, object]
    durations_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that two stories do not tell alike; None where one of them does not tell it."""

    name: str
    one: object
    other: object


def differences(one: Story, other: Story) -> Iterator[Difference]:
    """Yield what two stories tell differently, verdicts first."""
    for name in {**one.verdicts, **other.verdicts}:
        pair = one.verdicts.get(name), other.verdicts.get(name)
        if pair[0] != pair[1]:
            yield Difference(name, *pair)
    for name in {**one.durations_s, **other.durations_s}:
        times = one.durations_s.get(name), other.durations_s.get(name)
        if not _alike(*times):
            yield Difference(name, *times)


def _alike(one_s: float | None, other_s: float | None) -> bool:
    if one_s is None or other_s is None:
        return one_s is other_s
    gap_s = abs(one_s - other_s)
    return gap_s < RESOLUTION_S or gap_s <= TOLERANCE * max(one_s, other_s)
