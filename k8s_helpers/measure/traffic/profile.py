"""When requests leave: a rate over time, and the instants that follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..._errors import UsageError
from .generator.plan import instants


@dataclass(frozen=True)
class Profile:
    """A rate of requests over time: straight lines between points, constant after the last one.

    Attributes
    ----------
    points : tuple of (float, float)
        `(at_s, rate_per_s)`, in order of time and beginning at 0. Two points of the same instant make a step.

    Raises
    ------
    UsageError
        Points out of order, a first point after 0, a rate that is negative or no number.

    Examples
    --------
    >>> Profile.constant(50)
    Profile(points=((0.0, 50.0),))
    >>> ramp = Profile(((0, 10), (30, 100)))
    >>> steps = Profile(((0, 10), (30, 10), (30, 100)))
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        times = [at_s for at_s, _ in self.points]
        rates = [rate for _, rate in self.points]
        if not times or times[0] != 0 or times != sorted(times):
            found = f"les instants reçus sont {times}"
        elif not all(math.isfinite(value) and value >= 0 for value in (*times, *rates)) or not any(
            rates
        ):
            found = f"les débits reçus sont {rates}"
        else:
            return
        raise UsageError(
            "Préparer le trafic",
            found,
            "Donnez des instants croissants à partir de 0 et des débits positifs, en requêtes par seconde.",
        )

    @classmethod
    def constant(cls, rate_per_s: float) -> Profile:
        """Return the same rate for ever."""
        return cls(((0.0, float(rate_per_s)),))

    @classmethod
    def step(
        cls,
        rate_per_s: float,
        *,
        base_per_s: float = 1.0,
        at_s: float = 5.0,
        length_s: float = 40.0,
    ) -> Profile:
        """Return a rate that jumps up at an instant, stays, and falls back at once.

        Parameters
        ----------
        rate_per_s, base_per_s : float
            Requests per second: high, and before and after.
        at_s, length_s : float
            When it jumps, and how long it stays, in seconds.
        """
        _check_shape(rate_per_s, base_per_s, at_s, length_s)
        return cls(_plateau(rate_per_s, base_per_s, at_s, 0.0, length_s))

    @classmethod
    def ramp(
        cls,
        rate_per_s: float,
        *,
        base_per_s: float = 1.0,
        at_s: float = 5.0,
        rise_s: float = 30.0,
        hold_s: float = 20.0,
    ) -> Profile:
        """Return a rate that climbs in a straight line, stays up for `hold_s`, and falls back at once."""
        _check_shape(rate_per_s, base_per_s, at_s, rise_s, hold_s)
        return cls(_plateau(rate_per_s, base_per_s, at_s, rise_s, hold_s))

    @classmethod
    def peak(
        cls,
        rate_per_s: float,
        *,
        base_per_s: float = 1.0,
        at_s: float = 5.0,
        length_s: float = 20.0,
    ) -> Profile:
        """Return a rate that climbs to its top and comes down again in straight lines, `length_s` seconds in all."""
        _check_shape(rate_per_s, base_per_s, at_s, length_s)
        return cls(
            (
                (0.0, base_per_s),
                (at_s, base_per_s),
                (at_s + length_s / 2, rate_per_s),
                (at_s + length_s, base_per_s),
            )
        )

    @classmethod
    def saw_tooth(
        cls,
        rate_per_s: float,
        *,
        base_per_s: float = 1.0,
        at_s: float = 5.0,
        tooth_s: float = 15.0,
        teeth: int = 3,
    ) -> Profile:
        """Return a rate that climbs in a straight line and falls back at once, several times in a row."""
        _check_shape(rate_per_s, base_per_s, at_s, tooth_s, teeth)
        points = [(0.0, base_per_s), (at_s, base_per_s)]
        for tooth in range(1, int(teeth) + 1):
            end_s = at_s + tooth * tooth_s
            points += [(end_s, rate_per_s), (end_s, base_per_s)]
        return cls(tuple(points))

    @property
    def highest_per_s(self) -> float:
        """The highest rate, in requests per second."""
        return max(rate for _, rate in self.points)

    def instants(self) -> Iterator[float]:
        """Yield the planned instant of each request, in seconds from the start; see `generator.plan.instants`."""
        return instants(self.points)


def _plateau(
    rate_per_s: float, base_per_s: float, at_s: float, rise_s: float, hold_s: float
) -> tuple[tuple[float, float], ...]:
    """Return the points of a rate that climbs for `rise_s`, stays for `hold_s` and falls back at once."""
    top_s = at_s + rise_s
    rates = (base_per_s, base_per_s, rate_per_s, rate_per_s, base_per_s)
    return tuple(zip((0.0, at_s, top_s, top_s + hold_s, top_s + hold_s), rates, strict=True))


def _check_shape(rate_per_s: float, base_per_s: float, at_s: float, *lengths: float) -> None:
    if 0 <= base_per_s < rate_per_s and at_s >= 0 and all(length > 0 for length in lengths):
        return
    raise UsageError(
        "Préparer un profil de charge",
        f"débit de {base_per_s!r} à {rate_per_s!r} requêtes par seconde, à partir de {at_s!r} s, durées {lengths!r}",
        "Donnez un débit haut au-dessus du débit de base, un début qui n’est pas négatif et des durées positives.",
    )
