"""Figures that others have published, drawn with their source and their date."""

from __future__ import annotations

import datetime
from typing import Any

import matplotlib

from .._french import count, duration, number, typeset
from .._quoted import Quoted
from . import figure, style

_WIDTH_IN = 9.5
_SCALE = {
    1: "1 s",
    60: "1 min",
    3600: "1 h",
    86400: "1 jour",
    604800: "1 semaine",
    7776000: "3 mois",
}
"""Ticks, in seconds, and their words."""


def survey(quoted: Quoted) -> figure.DescribedFigure:
    """Draw the challenges that a survey found, each with whom it was asked.

    Parameters
    ----------
    quoted : Quoted
        "enquete_cncf".
    """
    found = quoted["defis"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, 1.2 + 0.85 * len(found))
        height = chart.get_figheight()
        ax = chart.add_axes((0.03, 0.95 / height, 0.94, 1 - 1.0 / height))
        for row, one in enumerate(found):
            ax.barh(row, one["pourcent"], height=0.4, color=(style.BLUE, style.GREEN)[row % 2])
            ax.text(
                one["pourcent"] + 1,
                row,
                typeset(f"{one['pourcent']}\u00a0%"),
                va="center",
                fontsize=13,
                weight="bold",
            )
            ax.text(
                0,
                row - 0.29,
                f"{one['defi']}, dit par les {one['qui']}",
                va="bottom",
                fontsize=10.5,
            )
        ax.set_xlim(0, 100)
        ax.set_ylim(len(found) - 0.6, -0.75)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("part des réponses de chaque groupe (%)")
        credit(chart, quoted)
    told = " ; ".join(f"{one['defi']}, {one['pourcent']} % ({one['qui']})" for one in found)
    chart.alternative = typeset(f"Deux barres. {told}. {quoted.credit}.")
    return chart


def releases(quoted: Quoted) -> figure.DescribedFigure:
    """Draw from when to when each minor version of Kubernetes was supported.

    Parameters
    ----------
    quoted : Quoted
        "versions_kubernetes".
    """
    found = quoted["versions"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, 1.6 + 0.36 * len(found))
        height = chart.get_figheight()
        ax = chart.add_axes((0.06, 0.75 / height, 0.90, 1 - 1.3 / height))
        for row, one in enumerate(found):
            begin, end = one["sortie"], one["fin"]
            ax.barh(
                row, end - begin, left=begin, height=0.62, color=(style.BLUE, style.GREEN)[row % 2]
            )
            ax.text(
                begin + datetime.timedelta(days=8),
                row,
                f"{months(one):.0f} mois",
                va="center",
                color="white",
                fontsize=10,
            )
        ax.set_yticks(range(len(found)), [one["version"] for one in found])
        ax.set_ylim(len(found) - 0.4, -0.6)
        ax.xaxis_date()
        chart.text(
            0.02, 1 - 0.32 / height, _pace(found), fontsize=13, weight="bold", color=style.INK
        )
        credit(chart, quoted)
    chart.alternative = typeset(
        f"Une barre par version mineure, de sa sortie à la fin de son support. {_pace(found)}. {quoted.credit}."
    )
    return chart


def delays(quoted: Quoted) -> figure.DescribedFigure:
    """Draw how long it takes from wish to service in each "as a Service" model, on a scale of powers of ten.

    Parameters
    ----------
    quoted : Quoted
        "as_a_service".
    """
    found = quoted["modeles"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, 1.5 + 0.5 * len(found))
        height = chart.get_figheight()
        ax = chart.add_axes((0.11, 0.95 / height, 0.86, 1 - 1.2 / height))
        for row, one in enumerate(found):
            low_s, high_s = one["delai_s"]
            ax.barh(row, high_s - low_s, left=low_s, height=0.5, color=style.BLUE)
            told = f"{duration(low_s)} à {duration(high_s)}"
            ax.text(high_s * 1.25, row, told, va="center", fontsize=10)
        ax.set_xscale("log")
        ax.set_xlim(0.5, 2e9)
        ax.set_xticks(list(_SCALE), list(_SCALE.values()))
        ax.minorticks_off()
        ax.set_yticks(range(len(found)), [one["nom"] for one in found])
        ax.set_ylim(len(found) - 0.4, -0.6)
        ax.set_xlabel(
            "de « je le veux » à « ça tourne », ordres de grandeur (échelle logarithmique)"
        )
        credit(chart, quoted)
    told = " ; ".join(
        f"{one['nom']}, de {duration(one['delai_s'][0])} à {duration(one['delai_s'][1])}"
        for one in found
    )
    chart.alternative = typeset(
        f"Temps de déploiement, ordres de grandeur : {told}. {quoted.credit}."
    )
    return chart


def months(one: dict[str, Any]) -> float:
    """Return how long a version was supported, in months of 30.4 days."""
    return _months(one["sortie"], one["fin"])


def pace(quoted: Quoted) -> float:
    """Return the months from one minor version to the next, on average."""
    found = quoted["versions"]
    return _months(found[0]["sortie"], found[-1]["sortie"]) / (len(found) - 1)


def support(quoted: Quoted) -> float:
    """Return the months of support of a minor version, on average."""
    found = quoted["versions"]
    return sum(months(one) for one in found) / len(found)


def _months(begin: datetime.date, end: datetime.date) -> float:
    return (end - begin).days / (365.25 / 12)


def _pace(found: list[dict[str, Any]]) -> str:
    every = _months(found[0]["sortie"], found[-1]["sortie"]) / (len(found) - 1)
    kept = sum(months(one) for one in found) / len(found)
    return (
        f"{count(len(found), 'version')} : une tous les {number(every, 1)} mois, "
        f"corrigée pendant {number(kept, 0)} mois"
    )


def credit(chart: figure.DescribedFigure, quoted: Quoted) -> None:
    """Write at the foot of a figure who says so, and when."""
    chart.text(
        0.02, 0.06 / chart.get_figheight(), quoted.credit, fontsize=8.5, color=style.TEXT, wrap=True
    )
