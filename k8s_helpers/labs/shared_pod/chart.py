"""A pod with two containers: what lies between them, and what each keeps."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes

from ...draw import boxes, figure, style
from ...measure.recording import Recording
from . import words
from .codes import Aspect
from .summary import Trial, trials


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw the pod, its two containers, what is shared between them and what is not."""
    tried = {trial.aspect: trial for trial in trials(recording.runs[0])}
    with matplotlib.rc_context(style.RC):
        chart, ax = boxes.canvas(12.0, 6.4, 12.0, 7.4)
        verdict = words.verdict(list(tried.values()))
        ax.text(0.1, 0.12, verdict, fontsize=13, fontweight="bold", va="top")
        boxes.box(ax, (0.2, 0.75, 11.6, 6.5), "Pod « duo »", colour=style.BLUE, title=True)
        for left, name in ((0.5, "site"), (8.5, "voisin")):
            boxes.box(
                ax,
                (left, 1.4, 3.0, 5.6),
                f"Conteneur « {name} »",
                colour=style.PURPLE,
                title=True,
                fill="white",
            )
        note = words.note(recording)
        ax.text(6.0, 1.05, note, ha="center", va="center", fontsize=9, color=style.TEXT)
        for row, aspect in enumerate((Aspect.NETWORK, Aspect.PORTS, Aspect.VOLUME)):
            _between(ax, 1.9 + 1.02 * row, tried[aspect])
        for row, aspect in enumerate((Aspect.ROOT, Aspect.PROCESSES)):
            _apart(ax, 5.05 + 0.95 * row, tried[aspect])
    chart.alternative = words.alternative(recording)
    return chart


def _between(ax: Axes, top: float, trial: Trial) -> None:
    """Draw what should be common as a bar from one container to the other."""
    colour = style.GREEN if trial.shared else style.VERMILION
    boxes.box(ax, (0.8, top, 10.4, 0.86), words.lines(trial), colour=colour, size=9.5)


def _apart(ax: Axes, top: float, trial: Trial) -> None:
    """Draw what should be each one's own as two boxes with the finding between them."""
    colour = style.VERMILION if trial.shared else style.GREY
    own = words.OWN[trial.aspect]
    for left in (0.8, 8.8):
        boxes.box(ax, (left, top, 2.4, 0.8), own, colour=colour, dashed=True, size=9.5)
    text = words.lines(trial)
    ax.text(6.0, top + 0.4, text, ha="center", va="center", fontsize=9.5, linespacing=1.35)
