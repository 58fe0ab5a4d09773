"""What an experiment tells wherever it is measured, and whether two recordings of it tell the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

T = TypeVar("T")

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
        By a code ("scheduler.pending"); must be equal everywhere: counts of restarts, orders of events, who loses
        requests.
    durations_s : mapping of str to float
        By a code; may differ by `TOLERANCE`.
    """

    verdicts: Mapping[str, object]
    durations_s: Mapping[str, float]

    @classmethod
    def of(
        cls,
        verdicts: Mapping[str, Mapping[str, object]],
        durations_s: Mapping[str, Mapping[str, float | None]],
    ) -> Self:
        """Return the story of several runs, each with its facts by code; durations that did not come are left out."""
        return cls(
            _joined(verdicts),
            {code: value for code, value in _joined(durations_s).items() if value is not None},
        )


def _joined(runs: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    return {f"{run}.{code}": value for run, facts in runs.items() for code, value in facts.items()}


def plain(summary: object, *names: str) -> dict[str, Any]:
    """Return fields of a summary as `summary.json` has them: times and shares to three decimals."""
    values = {name: getattr(summary, name) for name in names}
    return {
        name: round(value, 3) if isinstance(value, float) else _listed(value)
        for name, value in values.items()
    }


def _listed(value: object) -> object:
    return list(map(_listed, value)) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Difference:
    """What two stories do not tell alike; None where one of them does not tell it."""

    name: str
    first: object
    second: object


def differences(first: Story, second: Story) -> Iterator[Difference]:
    """Yield what two stories tell differently, verdicts first."""
    for name in {**first.verdicts, **second.verdicts}:
        pair = first.verdicts.get(name), second.verdicts.get(name)
        if pair[0] != pair[1]:
            yield Difference(name, *pair)
    for name in {**first.durations_s, **second.durations_s}:
        times = first.durations_s.get(name), second.durations_s.get(name)
        if not _alike(*times):
            yield Difference(name, *times)


def _alike(first_s: float | None, second_s: float | None) -> bool:
    if first_s is None or second_s is None:
        return first_s is second_s
    gap_s = abs(first_s - second_s)
    return gap_s < RESOLUTION_S or gap_s <= TOLERANCE * max(first_s, second_s)
