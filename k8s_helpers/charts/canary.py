"""Steps of a canary release: the share of the requests that each version answered, against the share of its pods."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from .. import _french
from .._french import NO_BREAK, count, number
from ..recording import Recording
from ..timeline.canary import CanarySummary, canary_summary
from . import figure, style

_HEIGHT = 0.46


def canary(recording: Recording) -> figure.DescribedFigure:
    """Draw one bar a step: what each version answered, the share that was forecast, and how far chance moves it.

    Parameters
    ----------
    recording : Recording
        Of the experiment "canary".
    """
    steps = [canary_summary(run) for run in recording.runs]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(11.0, 1.9 + 0.85 * len(steps))
        ax = chart.subplots()
        height = chart.get_figheight()
        chart.subplots_adjust(left=0.17, right=0.975, top=1 - 0.95 / height, bottom=0.62 / height)
        for row, step in enumerate(steps):
            _bar(ax, row, step)
        ax.set_xlim(0, 1)
        ax.set_ylim(len(steps) - 0.4, -0.5)
        ax.set_yticks(range(len(steps)), [_pods(step) for step in steps])
        ax.tick_params(axis="y", length=0, labelsize=10.5)
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=f"{NO_BREAK}%"))
        ax.set_xlabel("part des requêtes")
        chart.text(
            0.012, 1 - 0.32 / height, _title(steps), fontsize=13, fontweight="bold", color=style.INK
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
    chart.alternative = _alternative(recording, steps)
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
        f"mesuré {_percent(step.share)}, prévu {_percent(step.expected)} "
        f"({_percent(low)} à {_percent(high)}), {count(step.answered, 'requête')}",
        ha="right",
        va="top",
        fontsize=9.5,
        color=style.TEXT,
    )


def _pods(step: CanarySummary) -> str:
    return f"{count(step.canary, 'pod')} sur {step.stable + step.canary}"


def _percent(share: float) -> str:
    return f"{number(100 * share, 1)}{NO_BREAK}%"


def _title(steps: list[CanarySummary]) -> str:
    """Tell in one line whether shares are those of the pods."""
    good = sum(step.as_expected for step in steps)
    lost = sum(step.failed for step in steps)
    tail = "" if not lost else f", {count(lost, 'requête')} perdue{'s' if lost > 1 else ''}"
    if good == len(steps):
        return f"La part du canari est celle de ses pods, au hasard près{tail}"
    return f"La part du canari s’écarte de celle de ses pods dans {count(len(steps) - good, 'étape')}{tail}"


def _alternative(recording: Recording, steps: list[CanarySummary]) -> str:
    told = [
        f"{_pods(step)}{NO_BREAK}: {_percent(step.share)} de {count(step.answered, 'requête')}, prévu "
        f"{_percent(step.expected)}, entre {_percent(step.interval[0])} et {_percent(step.interval[1])}."
        for step in steps
    ]
    head = f"Étapes d’une livraison canari derrière un seul Service ({recording.where})."
    return _french.typeset(f"{head} {_title(steps)}. {' '.join(told)}")
