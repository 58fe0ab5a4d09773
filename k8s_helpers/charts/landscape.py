"""Where the tools of the course stand: their levels at the CNCF over time, and a small map by need."""

from __future__ import annotations

import datetime
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch

from .._french import count, typeset
from .._quoted import Quoted
from . import figure, style
from .quoted import credit

_WIDTH_IN = 10.0
_LEVELS = {
    "gradue": ("gradué", style.GREEN, ""),
    "incubation": ("incubation", style.BLUE, ""),
    "bac": ("bac à sable", "#E69F00", "...."),
    "": ("hors de la CNCF", style.GREY, ""),
}
"""By the name that data files give a level: in French, its colour, its hatch."""


def levels(quoted: Quoted) -> figure.DescribedFigure:
    """Draw when each project joined the CNCF and reached each level.

    Parameters
    ----------
    quoted : Quoted
        "projets_cncf".
    """
    found = quoted["projets"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, 1.6 + 0.36 * len(found))
        height = chart.get_figheight()
        ax = chart.add_axes((0.27, 0.75 / height, 0.71, 1 - 1.35 / height))
        for row, one in enumerate(found):
            _stretches(ax, row, one, quoted.date)
        ax.set_yticks(range(len(found)), [f"{one['nom']} ({one['role']})" for one in found])
        ax.set_ylim(len(found) - 0.4, -0.6)
        ax.set_xlim(_day(datetime.date(2016, 1, 1)), _day(quoted.date) + 60)
        ax.xaxis_date()
        ax.tick_params(axis="y", length=0)
        _legend(chart, ("bac", "incubation", "gradue"))
        credit(chart, quoted)
    told = " ; ".join(_history(one) for one in found)
    chart.alternative = typeset(
        f"Une ligne par projet, de son entrée à la CNCF à aujourd’hui. {told}. {quoted.credit}."
    )
    return chart


def landscape(quoted: Quoted) -> figure.DescribedFigure:
    """Draw a map of tools: a box a need, a label a tool, coloured by its level.

    Parameters
    ----------
    quoted : Quoted
        "paysage".
    """
    needs = quoted["besoins"]
    columns, rows = 4, -(-len(needs) // 4)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, 0.95 + 2.15 * rows)
        height = chart.get_figheight()
        ax = chart.add_axes((0.01, 0.4 / height, 0.98, 1 - 0.9 / height))
        ax.set_xlim(0, columns)
        ax.set_ylim(rows, 0)
        ax.axis("off")
        for index, need in enumerate(needs):
            _box(ax, index % columns, index // columns, need)
        used = {one.get("niveau", "") for need in needs for one in need["outils"]}
        _legend(chart, tuple(name for name in _LEVELS if name in used))
        credit(chart, quoted)
    told = ". ".join(
        f"{need['besoin']} : "
        + ", ".join(f"{one['nom']} ({_level(one)[0]})" for one in need["outils"])
        for need in needs
    )
    chart.alternative = typeset(
        f"{count(len(needs), 'besoin')}, et les outils du cours pour chacun. {told}. {quoted.credit}."
    )
    return chart


def _level(tool: dict[str, Any]) -> tuple[str, str, str]:
    return _LEVELS[tool.get("niveau", "")]


def _box(ax: Axes, column: int, row: int, need: dict[str, Any]) -> None:
    frame = FancyBboxPatch(
        (column + 0.04, row + 0.05),
        0.92,
        0.88,
        boxstyle="round,pad=0,rounding_size=0.04",
        facecolor="#F9FAFB",
        edgecolor=style.LIGHT,
    )
    ax.add_patch(frame)
    ax.text(
        column + 0.5,
        row + 0.14,
        need["besoin"],
        ha="center",
        va="center",
        fontsize=11.5,
        weight="bold",
    )
    for place, one in enumerate(need["outils"]):
        _, colour, _ = _level(one)
        y = row + 0.24 + 0.168 * place
        box = FancyBboxPatch(
            (column + 0.1, y),
            0.8,
            0.135,
            boxstyle="round,pad=0,rounding_size=0.03",
            facecolor=style.lighter(colour),
            edgecolor=colour,
            linewidth=1.2,
        )
        ax.add_patch(box)
        ax.text(column + 0.5, y + 0.068, one["nom"], ha="center", va="center", fontsize=10.5)


def _stretches(ax: Axes, row: int, one: dict[str, Any], today: datetime.date) -> None:
    """Draw one project's levels, each from its date to the next one's."""
    steps = _steps(one)
    ends = [when for when, _ in steps[1:]] + [today]
    for (begin, level), end in zip(steps, ends, strict=True):
        _, colour, hatch = _LEVELS[level]
        ax.barh(
            row,
            (end - begin).days,
            left=_day(begin),
            height=0.62,
            color=colour,
            hatch=hatch,
            edgecolor="white",
        )


def _day(when: datetime.date) -> float:
    """Return a date as matplotlib counts them: days since 1970."""
    return float((when - datetime.date(1970, 1, 1)).days)


def _steps(one: dict[str, Any]) -> list[tuple[datetime.date, str]]:
    """Return when a project reached each of its levels, in order.

    Who graduated without a date of incubation of its own came in at that level.
    """
    straight = one.get("au_depart") or (
        "incubation" if "gradue" in one and "incubation" not in one else "bac"
    )
    steps = [(one["entree"], straight)]
    steps += [(one[level], level) for level in ("incubation", "gradue") if level in one]
    return steps


def _history(one: dict[str, Any]) -> str:
    steps = ", ".join(f"{_LEVELS[level][0]} en {when.year}" for when, level in _steps(one))
    return f"{one['nom']} : {steps}"


def _legend(chart: figure.DescribedFigure, names: tuple[str, ...]) -> None:
    handles = [
        Patch(
            facecolor=_LEVELS[name][1],
            hatch=_LEVELS[name][2],
            edgecolor="white",
            label=_LEVELS[name][0],
        )
        for name in names
    ]
    chart.legend(handles=handles, loc="upper center", ncols=len(names), bbox_to_anchor=(0.5, 1.0))
