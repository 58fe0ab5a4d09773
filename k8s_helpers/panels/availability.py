"""The panel of slide 6.06: a percentage of availability, in hours."""

from __future__ import annotations

from .._french import duration, number
from . import panel
from .downtime import HOURS_PER_MONTH, HOURS_PER_YEAR, downtime

LEVELS = (90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 99.999)


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
    found = downtime(percent, in_a_row)
    rows = [
        ["un jour (24 h)", duration(found.day_s)],
        [f"un mois ({number(HOURS_PER_MONTH)} h)", duration(found.month_s)],
        [f"une année ({number(HOURS_PER_YEAR)} h)", duration(found.year_s)],
    ]
    told = f"<p>À {_percent(percent)} %, il reste <strong>{duration(found.month_s)}</strong> de panne par mois.</p>"
    if in_a_row > 1:
        told = (
            f"<p>{in_a_row} services à la suite, chacun à {_percent(percent)} % : ensemble, "
            f"{_percent(100 * found.availability)} %, soit "
            f"<strong>{duration(found.month_s)}</strong> de panne par mois.</p>"
        )
    return panel.table("Panne permise", ["en", "au plus"], rows) + told


def _percent(value: float) -> str:
    return f"{round(value, 3):g}".replace(".", ",")
