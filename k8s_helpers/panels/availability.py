"""The panel of slide 6.06: a percentage of availability in hours, and what services in a chain are worth together."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import UsageError
from .._french import duration, number
from . import panel

HOURS_PER_MONTH = 730.0
"""A year of 8,760 hours in twelve."""
HOURS_PER_YEAR = 8760.0
_HOUR_S = 3600.0
LEVELS = (90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 99.999)


@dataclass(frozen=True)
class Downtime:
    """How long a service may be down.

    Attributes
    ----------
    availability : float
        Of the whole, 0 to 1.
    day_s, month_s, year_s : float
        Seconds of downtime in a day of 24 h, a month of 730 h, a year of 8,760 h.
    """

    availability: float
    day_s: float
    month_s: float
    year_s: float


def downtime(percent: float, in_a_row: int = 1) -> Downtime:
    """Return what an availability leaves as downtime.

    Parameters
    ----------
    percent : float
        Availability of each service, 0 to 100.
    in_a_row : int
        How many such services a request goes through, one after the other: it needs all of them. Their failures are
        taken for independent.

    Raises
    ------
    UsageError
        A percentage or a number of services that makes no sense.
    """
    if not 0 <= percent <= 100 or in_a_row < 1:
        raise UsageError(
            "Calculer une indisponibilité",
            f"{percent} % de disponibilité, {in_a_row} service(s)",
            "Donnez un pourcentage entre 0 et 100, et au moins un service.",
        )
    whole = (percent / 100) ** in_a_row
    lost = 1 - whole
    return Downtime(
        whole,
        lost * 24 * _HOUR_S,
        lost * HOURS_PER_MONTH * _HOUR_S,
        lost * HOURS_PER_YEAR * _HOUR_S,
    )


def availability_percent(down_s: float, hours: float = HOURS_PER_MONTH) -> float:
    """Return the availability, in percent, of a service that was down for some seconds of a period.

    Raises
    ------
    UsageError
        A downtime below zero or longer than the period.
    """
    if hours <= 0 or not 0 <= down_s <= hours * _HOUR_S:
        raise UsageError(
            "Calculer une disponibilité",
            f"{down_s} s de panne en {hours} h",
            "La panne tient dans la période : donnez une durée entre 0 et celle-ci.",
        )
    return 100 * (1 - down_s / (hours * _HOUR_S))


def availability(percent: float = 99.0, in_a_row: int = 1) -> panel.Panel:
    """Return the calculator: availability ↔ downtime per day, month and year.

    Parameters
    ----------
    percent : float
        The level shown first; one of `LEVELS`.
    in_a_row : int
        How many services a request goes through, 1 to 10.
    """
    options = [(f"{_percent(level)} %", level) for level in LEVELS]
    controls = {
        "percent": panel.choice("Disponibilité", options, percent),
        "in_a_row": panel.integer("Services à la suite", in_a_row, 1, 10),
    }
    return panel.Panel("Combien d’heures de panne ?", controls, render)


def render(percent: float, in_a_row: int) -> str:
    """Return the downtime of a level as HTML."""
    down = downtime(percent, in_a_row)
    rows = [
        ["un jour (24 h)", duration(down.day_s)],
        [f"un mois ({number(HOURS_PER_MONTH)} h)", duration(down.month_s)],
        [f"une année ({number(HOURS_PER_YEAR)} h)", duration(down.year_s)],
    ]
    sentence = f"<p>À {_percent(percent)} %, il reste <strong>{duration(down.month_s)}</strong> de panne par mois.</p>"
    if in_a_row > 1:
        sentence = (
            f"<p>{in_a_row} services à la suite, chacun à {_percent(percent)} % : ensemble, "
            f"{_percent(100 * down.availability)} %, soit "
            f"<strong>{duration(down.month_s)}</strong> de panne par mois.</p>"
        )
    return panel.table("Panne permise", ["en", "au plus"], rows) + sentence


def _percent(value: float) -> str:
    return f"{round(value, 3):g}".replace(".", ",")
