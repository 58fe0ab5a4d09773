"""What the experiment did and what broke in the cluster, as vertical lines whose names keep clear of one another."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.text import Text

from .. import _french
from ..recording import Run
from . import style

NAMES = {
    "apply": "kubectl apply",
    "switch": "bascule",
    "switch-back": "retour",
    "delete": "kubectl delete pod",
    "kill": "le processus meurt",
    "scale": "kubectl scale",
    "image": "kubectl set image",
    "stop": "arrêt",
    "start": "redémarrage",
    "label": "kubectl label",
    "undo": "rollout undo",
    "partition": "partition",
    "update": "mise à jour",
    "scale-down": "un seul pod",
    "break": "la sonde se casse",
    "repair": "réparation",
    "rolled-out": "rollout terminé",
}
_LINES = {"switch": "-", "switch-back": "--", "stop": "--", "start": "-", "undo": "-"}
_INCIDENT = "-."
_LEVELS = 2
_BASELINE_PT = -11.0
_PITCH_PT = 13.0


class _Line(NamedTuple):
    at_s: float
    name: str
    style: str
    colour: str


def _lines(run: Run) -> list[_Line]:
    """Return the marks that have a name, and the first incident of each component, in the order of time."""
    found = [
        _Line(mark.at_s, NAMES[mark.kind], _LINES.get(mark.kind, ":"), style.INK)
        for mark in run.marks
        if mark.kind in NAMES
    ]
    first = {one.component: one for one in reversed(run.incidents)}
    found += [
        _Line(one.at_s, f"incident{_french.NO_BREAK}: {name}", _INCIDENT, style.VERMILION)
        for name, one in first.items()
    ]
    return sorted(found)


def lines(ax: Axes, run: Run) -> None:
    """Draw a vertical line at each named mark and at each component's first incident."""
    for line in _lines(run):
        ax.axvline(line.at_s, color=line.colour, linestyle=line.style, linewidth=1.3)


def names(ax: Axes, run: Run) -> None:
    """Write each line's name beside it at the top of the axes, a line lower where it would touch another one."""
    written: list[Text] = []
    for line in _lines(run):
        text = ax.annotate(
            line.name,
            (line.at_s, 1.0),
            xycoords=ax.get_xaxis_transform(),
            xytext=(4, _BASELINE_PT),
            textcoords="offset points",
            va="baseline",
            color=style.TEXT if line.colour == style.INK else line.colour,
            fontsize=9,
            zorder=3,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
        _keep_clear(text, written)
        written.append(text)


def _keep_clear(text: Text, others: list[Text]) -> None:
    """Turn a name to the left of its line where it would leave the axes, and lower it off the other names."""
    box = text.get_window_extent()
    assert text.axes is not None
    if box.x1 > text.axes.bbox.x1:
        text.set_horizontalalignment("right")
        text.set_position((-4, _BASELINE_PT))
    for level in range(1, _LEVELS + 1):
        box = text.get_window_extent()
        if not any(box.overlaps(other.get_window_extent()) for other in others):
            return
        text.set_position((text.get_position()[0], _BASELINE_PT - _PITCH_PT * level))
