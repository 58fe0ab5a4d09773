"""Steps of a canary release: the share of the requests that each version answered, against the share of its pods."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from ..._french import NO_BREAK
from ...draw import figure, style
from ...measure.recording import Recording
from . import words
from .summary import CanarySummary, summarize

_HEIGHT = 0.46


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw one bar a step: what each version answered, the share that was forecast, and how far chance moves it.

    Parameters
    ----------
    recording : Recording
        Of the experiment "canary".
    """
    steps = [summarize(run) for run in figure.runs_of(recording, "la livraison canari")]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(11.0, 1.9 + 0.85 * len(steps))
        ax = chart.subplots()
        height = chart.get_figheight()
        chart.subplots_adjust(left=0.17, right=0.975, top=1 - 0.95 / height, bottom=0.62 / height)
        for row, step in enumerate(steps):
            _bar(ax, row, step)
        ax.set_xlim(0, 1)
        ax.set_ylim(len(steps) - 0.4, -0.5)
        ax.set_yticks(range(len(steps)), [words.pods(step) for step in steps])
        ax.tick_params(axis="y", length=0, labelsize=10.5)
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=f"{NO_BREAK}%"))
        ax.set_xlabel("part des requêtes")
        chart.text(
            0.012,
            1 - 0.32 / height,
            words.title(steps),
            fontsize=13,
            fontweight="bold",
            color=style.INK,
        )
        handles = [
            Patch(color=style.version_colour("v2"), label="répondu par le canari (v2)"),
            Patch(color=style.version_colour("v1"), label="répondu par la version stable (v1)"),
            Line2D([], [], color=style.INK, linewidth=2.2, label="part prévue"),
            Patch(
                facecolor="none",
                edgecolor=style.INK,
                label="où le hasard l’emmène (999 fois sur 1 000)",
            ),
        ]
        chart.legend(
            handles=handles,
            loc="upper left",
            ncols=4,
            bbox_to_anchor=(0.005, 1 - 0.45 / height),
            fontsize=9.5,
        )
    chart.alternative = words.alternative(recording, steps)
    return chart


def _bar(ax: Axes, row: int, step: CanarySummary) -> None:
    ax.barh(row, step.share, height=_HEIGHT, color=style.version_colour("v2"))
    ax.barh(row, 1 - step.share, left=step.share, height=_HEIGHT, color=style.version_colour("v1"))
    low, high = step.interval
    ax.barh(
        row,
        high - low,
        left=low,
        height=_HEIGHT + 0.16,
        facecolor="none",
        edgecolor=style.INK,
        linewidth=1.2,
    )
    tall = (_HEIGHT + 0.16) / 2
    ax.plot([step.expected] * 2, [row - tall, row + tall], color=style.INK, linewidth=2.2)
    ax.text(
        1.0,
        row + tall + 0.02,
        words.measured(step),
        ha="right",
        va="top",
        fontsize=9.5,
        color=style.TEXT,
    )
