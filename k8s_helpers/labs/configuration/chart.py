"""A setting that changes under running pods: one lane a way of reading it, what it shows over time."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ... import _french
from ...draw import figure, style
from ...measure.recording import Recording, Run
from . import words
from .summary import VALUE, ConfigurationSummary, ReadBy, summarize

_HEIGHT = 0.5
_OLD, _NEW = style.BLUE, style.GREEN
_SILENCE: Any = {"facecolor": "white", "edgecolor": style.LOST, "hatch": style.LOST_HATCH}
_GAP_S = 1.0
"""Two samples further apart do not tell what was shown between them."""


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw what each way of reading the setting showed: old value, new value, nothing.

    Parameters
    ----------
    recording : Recording
        Of the experiment "configuration".
    """
    run = recording.runs[0]
    summary = summarize(run)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(12.5, 4.9)
        ax = chart.subplots()
        chart.subplots_adjust(left=0.185, right=0.985, top=0.72, bottom=0.13)
        silent = [_lane(ax, run, row, way, summary) for row, way in enumerate(words.WAYS)]
        _marks(ax, run)
        _predicted(ax, run, summary)
        ax.set_xlim(0, run.ended_s)
        ax.set_ylim(len(words.WAYS) - 0.35, -0.75)
        ax.set_yticks(range(len(words.WAYS)), list(words.WAYS.values()))
        ax.tick_params(axis="y", length=0, labelsize=11)
        ax.set_xlabel("secondes depuis le début de l’enregistrement")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _french.number(value)))
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
        title = words.title(summary)
        chart.text(0.012, 0.935, title, fontsize=14, fontweight="bold", color=style.INK)
        forecast: Any = {"fontsize": 11.5, "color": style.TEXT}
        chart.text(0.012, 0.875, words.forecast(summary, recording.provider), **forecast)
        handles = [
            Patch(color=_OLD, label="montre le réglage 1 (l’ancien)"),
            Patch(color=_NEW, label="montre le réglage 2 (le nouveau)"),
            Patch(
                facecolor="white",
                edgecolor=style.GREY,
                hatch=style.STARTING_HATCH,
                label="délai prévu du fichier monté",
            ),
        ]
        if any(silent):
            handles.append(Patch(label="pas de réponse", **_SILENCE))
        chart.legend(handles=handles, loc="upper left", ncols=4, bbox_to_anchor=(0.005, 0.86))
    chart.alternative = words.alternative(recording, summary)
    return chart


def _lane(ax: Axes, run: Run, row: int, way: ReadBy, summary: ConfigurationSummary) -> bool:
    """Draw one way, a bar in the colour of what it showed; return whether there was a time without answer."""
    silent = False
    shown = [sample for sample in run.samples if sample.name == VALUE and sample.subject == way]
    ends_s = [*(sample.at_s for sample in shown[1:]), run.ended_s]
    for sample, end_s in zip(shown, ends_s, strict=False):
        width_s = min(end_s - sample.at_s, _GAP_S)
        colour = _NEW if sample.value >= 2 else _OLD
        ax.barh(row, width_s, left=sample.at_s, height=_HEIGHT, color=colour, linewidth=0)
        if end_s > sample.at_s + _GAP_S:
            silent = True
            left_s = sample.at_s + width_s
            ax.barh(row, end_s - left_s, left=left_s, height=_HEIGHT, linewidth=0, **_SILENCE)
    at_s = min(summary.changed_s + 0.01 * run.ended_s, run.ended_s)
    delay = words.delay(summary.way(way))
    look: Any = {"va": "bottom", "fontsize": 11, "fontweight": "bold", "color": style.INK}
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    ax.text(at_s, row - 0.29, delay, bbox=box, zorder=4, **look)
    return silent


def _marks(ax: Axes, run: Run) -> None:
    for mark in run.marks:
        if mark.kind in words.MARKS:
            ax.axvline(mark.at_s, color=style.INK, linestyle=":", linewidth=1.3)
            late = mark.at_s > 0.85 * run.ended_s
            ax.annotate(
                words.MARKS[mark.kind],
                (mark.at_s, 1.0),
                xycoords=ax.get_xaxis_transform(),
                xytext=(0, 3),
                ha="right" if late else "left",
                textcoords="offset points",
                fontsize=11,
                color=style.TEXT,
            )


def _predicted(ax: Axes, run: Run, summary: ConfigurationSummary) -> None:
    """Draw the interval in which the file was forecast to follow."""
    low_s, high_s = summary.predicted_s
    start_s = summary.changed_s + low_s
    ax.barh(
        list(words.WAYS).index(ReadBy.FILE) + 0.36,
        min(summary.changed_s + high_s, run.ended_s) - start_s,
        left=start_s,
        height=0.16,
        facecolor="white",
        edgecolor=style.GREY,
        hatch=style.STARTING_HATCH,
        linewidth=1.0,
    )
