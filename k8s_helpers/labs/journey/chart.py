"""A sequence diagram from measured times: who did what after one apply."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes

from ..._french import typeset
from ...draw import boxes, figure, style
from ...measure.recording import Recording
from . import words
from .summary import Passage, passages

_LEFT, _PITCH, _TOP, _ROW = 1.5, 2.0, 1.9, 0.95


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw the sequence diagram of one apply: time goes down, each row is a step at its instant."""
    steps = passages(recording.runs[0])
    places = {name: _LEFT + 0.7 + _PITCH * index for index, name in enumerate(words.ACTORS)}
    height = _TOP + _ROW * len(steps) + 1.1
    width = _LEFT + _PITCH * len(words.ACTORS) + 1.0
    with matplotlib.rc_context(style.RC):
        chart, ax = boxes.canvas(13.0, 0.72 * height, width, height)
        ax.text(
            0.1,
            0.1,
            words.verdict(steps),
            fontsize=13,
            fontweight="bold",
            va="top",
            color=style.INK,
        )
        for name in words.ACTORS:
            x = places[name]
            colour = (
                style.BLUE if name == "api" else style.GREEN if name == "kubelet" else style.GREY
            )
            title = words.actor(recording, name)
            boxes.box(ax, (x - 0.85, 0.75, 1.7, 0.8), title, colour=colour, size=9)
            ax.plot(
                [x, x], [1.55, height - 0.85], color=style.lighter(style.GREY, 0.5), linewidth=1
            )
        before = ""
        for row, passage in enumerate(steps):
            woken = passage.step.actor not in ("you", "api", before)
            _passage(ax, places, _TOP + 0.4 + _ROW * row, passage, woken=woken)
            before = passage.step.actor
        ax.text(0.1, height - 0.6, words.resolution(steps), fontsize=9, va="top", color=style.TEXT)
    chart.alternative = words.alternative(recording, steps)
    return chart


def _passage(
    ax: Axes, places: dict[str, float], y: float, passage: Passage, *, woken: bool
) -> None:
    """Draw a step at its row: the news that woke its actor in dashes, then what the actor wrote."""
    api, actor = places["api"], places[passage.step.actor]
    text = typeset(words.STEPS[passage.step.kind])
    ax.text(
        _LEFT - 0.25,
        y,
        words.since(passage),
        ha="right",
        va="center",
        fontsize=10.5,
        fontweight="bold",
    )
    ax.text(
        ax.get_xlim()[1] - 0.1,
        y,
        passage.stamp[11:19],
        ha="right",
        va="center",
        fontsize=9,
        color=style.GREY,
    )
    if passage.step.actor == "api":
        boxes.arrow(ax, (api, y), (places["you"], y), words.ANSWER)
        ax.plot([api], [y], marker="o", markersize=7, color=style.BLUE)
        ax.text(api + 0.16, y, text, va="center", fontsize=9, color=style.INK)
        return
    if woken:
        boxes.arrow(ax, (api, y - 0.42), (actor, y - 0.3), colour=style.GREY, dashed=True)
    boxes.arrow(ax, (actor, y), (api, y), text)
