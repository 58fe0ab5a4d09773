"""Which database has which note, and how much of them a reader sees: solutions A and B side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .._french import NO_BREAK, count, number, typeset
from ..recording import Recording, Run
from ..timeline.cohabitation import CohabitationSummary, cohabitation_summary
from ..timeline.told import told
from . import figure, style

TITLES = {
    "A": "Solution A : site et base dans le même pod",
    "B": "Solution B : un pod pour le site, un pour la base",
}
_COLOURS = (style.BLUE, style.GREEN, style.PURPLE, style.GREY)


def cohabitation(recording: Recording) -> figure.DescribedFigure:
    """Draw each solution's notes: a row a database, a square a note that it has.

    Parameters
    ----------
    recording : Recording
        Of the experiment "cohabitation".
    """
    found = [cohabitation_summary(run) for run in recording.runs]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, 4.4)
        grid = chart.add_gridspec(
            1, max(1, len(found)), left=0.08, right=0.985, top=0.76, bottom=0.12, wspace=0.2
        )
        rows = max((len(one.databases) for one in found), default=1)
        for index, (run, one) in enumerate(zip(recording.runs, found, strict=True)):
            _panel(chart.add_subplot(grid[0, index]), run, one, rows)
    chart.alternative = _alternative(recording, found)
    return chart


def _panel(ax: Axes, run: Run, one: CohabitationSummary, rows: int) -> None:
    left = told(run, "kept")
    for row, (name, notes) in enumerate(one.databases.items()):
        gone = bool(left) and name != left[-1]["database"]
        colour = _COLOURS[row % len(_COLOURS)]
        look: dict[str, Any] = {
            "facecolor": style.lighter(colour, 0.75) if gone else colour,
            "edgecolor": colour,
            "hatch": style.LOST_HATCH if gone else None,
            "linewidth": 0.8,
        }
        ax.bar(notes, 0.72, width=0.82, bottom=row - 0.36, **look)
        words = count(len(notes), "note") + ("\nperdues" if gone else "")
        ax.annotate(
            words,
            (one.notes + 0.8, row),
            va="center",
            fontsize=9,
            color=style.VERMILION if gone else style.TEXT,
            fontweight="bold" if gone else "normal",
        )
    ax.set_ylim(rows - 0.4, -0.75)
    ax.set_xlim(0.2, one.notes * 1.14 + 0.9)
    ax.set_yticks(range(len(one.databases)), [f"base …{name[-5:]}" for name in one.databases])
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("numéro de la note, dans l’ordre où les visiteurs les ont écrites")
    for row, (text, look) in enumerate(_head(run.name, one)):
        ax.annotate(
            text,
            (0, 1),
            xytext=(0, 10 + 15 * (3 - row)),
            xycoords="axes fraction",
            textcoords="offset points",
            va="baseline",
            **look,
        )


def _head(name: str, one: CohabitationSummary) -> list[tuple[str, dict[str, Any]]]:
    bad = one.seen_share < 1
    big: dict[str, Any] = {"fontsize": 13, "fontweight": "bold", "color": style.INK}
    bold: dict[str, Any] = {
        "fontsize": 10.5,
        "fontweight": "bold",
        "color": style.VERMILION if bad else style.GREEN,
    }
    small: dict[str, Any] = {"fontsize": 9.5, "color": style.TEXT}
    return [
        (typeset(TITLES.get(name, name)), big),
        (_verdict(one), bold),
        (
            f"{count(one.replicas, 'pod')} du site, {count(len(one.databases), 'base')} de données · "
            f"{count(one.answers, 'réponse')} à « montrez toutes les notes »".replace(
                "réponses", "réponses différentes"
            ),
            small,
        ),
        (_shrunk(one), small),
    ]


def _verdict(one: CohabitationSummary) -> str:
    if one.seen_share == 1:
        return "chaque lecteur voit toutes les notes"
    return (
        f"un lecteur ne voit que {number(100 * one.seen_share, 0)}{NO_BREAK}% des notes, en moyenne"
    )


def _shrunk(one: CohabitationSummary) -> str:
    if not one.lost:
        return "retour à un seul pod du site : aucune note perdue".replace(" :", f"{NO_BREAK}:")
    return (
        f"retour à un seul pod{NO_BREAK}: {count(one.lost, 'note perdue', 'notes perdues')} "
        f"sur {number(one.notes)}, avec les bases supprimées (hachures)"
    )


def _alternative(recording: Recording, found: Sequence[CohabitationSummary]) -> str:
    sentences = [
        f"{TITLES.get(one.solution, one.solution)} : {count(len(one.databases), 'base')} pour "
        f"{one.notes} notes ; {_verdict(one)} ; {_shrunk(one)}."
        for one in found
    ]
    return typeset(
        f"Deux façons de ranger un site et sa base, {recording.where}. " + " ".join(sentences)
    )
