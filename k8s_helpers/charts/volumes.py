"""What survives what, as a board: a row a place, a column a death."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from .._french import typeset
from ..recording import Recording
from ..timeline.volumes import VolumesSummary, volumes_summary
from . import figure, style

PLACES = {
    "root": ("fichiers du conteneur", "/data, sans volume"),
    "emptyDir": ("emptyDir", "né avec le pod"),
    "hostPath": ("hostPath", "un dossier du nœud"),
    "claim": ("PersistentVolumeClaim", "un volume à part"),
}
MOMENTS = {
    "container": "le conteneur\na redémarré",
    "pod": "le pod a été\nsupprimé et refait",
    "claim": "le pod et la demande\nont été refaits",
}
_READ_ONLY = "écrire quand la racine\nest en lecture seule"
_NOT_TRIED = (
    "Racine en lecture seule : pas essayée ici, où le noyau refuse les espaces de noms qui l’imposeraient "
    "(docs/fidelite.md)."
)


def volumes(recording: Recording) -> figure.DescribedFigure:
    """Draw which place kept what was written in it, after each death.

    Parameters
    ----------
    recording : Recording
        Of the experiment "volumes".
    """
    found = volumes_summary(recording)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(11.5, 4.4)
        ax = chart.add_axes((0.2, 0.02, 0.79, 0.8))
        _board(ax, found)
        if not found.read_only_enforced:
            chart.text(0.99, 0.01, typeset(_NOT_TRIED), ha="right", fontsize=9, color=style.TEXT)
    chart.alternative = _alternative(recording, found)
    return chart


def _board(ax: Axes, found: VolumesSummary) -> None:
    columns = [MOMENTS[one] for one in found.survives]
    if found.refused is not None:
        columns.append(_READ_ONLY)
    for row, (place, (title, words)) in enumerate(PLACES.items()):
        for column, kept in enumerate(found.survives.values()):
            _cell(ax, row, column, kept[place], ("toujours là", "perdu"))
        if found.refused is not None:
            _cell(ax, row, len(columns) - 0.75, place not in found.refused, ("possible", "refusé"))
        ax.text(-0.62, row - 0.1, title, ha="right", va="center", fontsize=11, fontweight="bold")
        ax.text(-0.62, row + 0.2, words, ha="right", va="center", fontsize=9, color=style.TEXT)
    for column, words in enumerate(columns):
        at = column + (0.25 if words == _READ_ONLY else 0)
        ax.text(at, -0.6, words, ha="center", va="bottom", fontsize=10, color=style.INK)
    ax.set_xlim(-0.55, len(columns) - 0.2)
    ax.set_ylim(len(PLACES) - 0.45, -0.55)
    ax.set_axis_off()


def _cell(ax: Axes, row: float, column: float, good: bool, words: tuple[str, str]) -> None:
    colour = style.GREEN if good else style.VERMILION
    ax.add_patch(
        Rectangle(
            (column - 0.47, row - 0.42),
            0.94,
            0.84,
            facecolor=style.lighter(colour, 0.8),
            edgecolor=colour,
            linewidth=1.4,
            hatch=None if good else style.LOST_HATCH,
        )
    )
    ax.text(
        column,
        row,
        f"{'✔' if good else '✘'} {words[0] if good else words[1]}",
        ha="center",
        va="center",
        fontsize=11,
        fontweight="bold",
        color=style.INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2.0, "alpha": 0.85},
    )


def _alternative(recording: Recording, found: VolumesSummary) -> str:
    sentences = []
    for place, (title, words) in PLACES.items():
        told = ", ".join(
            f"{MOMENTS[event].replace(chr(10), ' ')} : {'toujours là' if kept[place] else 'perdu'}"
            for event, kept in found.survives.items()
        )
        sentences.append(f"{title} ({words}) : {told}.")
    if found.refused is not None:
        refused = ", ".join(PLACES[place][0] for place in found.refused) or "rien"
        sentences.append(f"Racine en lecture seule, ce qui est refusé : {refused}.")
    if not found.read_only_enforced:
        sentences.append(_NOT_TRIED)
    return typeset(f"Ce qui survit à quoi, {recording.where}. " + " ".join(sentences))
