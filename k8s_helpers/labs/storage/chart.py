"""Phases of pods, claims and volumes on one clock, a panel a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..._french import typeset
from ...analysis.pods import lives
from ...draw import axes, figure, style
from ...measure.recording import Recording, Run
from . import words
from .summary import summarize, volume_lives

_POD_PHASES = {
    "starting": "Pending",
    "ready": "Running",
    "unready": "Running",
    "terminating": "Terminating",
}
_GOOD = ("Bound", "Running")
_WAITING = ("Pending", "Released", "Available")
_CHARACTER = 0.0066
"""Width of a character of a mark's name, as a share of the panel's."""
_NARROWEST_NAME = 0.075
"""Share of the panel's width from which a phase has room for its name."""


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each run in a panel: when pod, claim and volume were in which phase."""
    runs = recording.runs
    with matplotlib.rc_context(style.RC):
        chart = figure.new(14.0, 0.6 + 2.9 * max(1, len(runs)))
        grid = chart.add_gridspec(
            max(1, len(runs)), 1, left=0.1, right=0.985, top=0.935, bottom=0.06, hspace=0.62
        )
        end_s = max((run.ended_s for run in runs), default=1.0)
        for index, run in enumerate(runs):
            ax = chart.add_subplot(grid[index, 0])
            _panel(ax, run, end_s)
            if index < len(runs) - 1:
                ax.set_xlabel("")
    chart.alternative = words.alternative(recording)
    return chart


def _panel(ax: Axes, run: Run, end_s: float) -> None:
    for kind, phase, start_s, length_s in _stretches(run):
        row = list(words.ROWS).index(kind)
        ax.barh(row, length_s, left=start_s, height=0.62, **_look(kind, phase))
        if length_s > _NARROWEST_NAME * end_s:
            ax.text(
                start_s + length_s / 2,
                row,
                phase,
                ha="center",
                va="center",
                fontsize=9.5,
                color="white" if phase in _GOOD else style.INK,
                bbox=None
                if phase in _GOOD
                else {"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            )
    _marks(ax, run, end_s)
    ax.set_xlim(0, end_s)
    ax.set_ylim(2.5, -1.6)
    ax.set_yticks(range(3), list(words.ROWS.values()))
    ax.set_xlabel(axes.X_LABEL)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.xaxis.set_major_formatter(axes.FRENCH)
    summary = summarize(run)
    title = typeset(words.TITLES.get(run.name, run.name))
    ax.set_title(title, loc="left", fontweight="bold", pad=22)
    ax.annotate(
        words.verdict(summary),
        (0, 1),
        xytext=(0, 7),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=10,
        fontweight="bold",
        color=style.LOST_TEXT if summary.bind_s is None else style.TEXT,
    )


def _stretches(run: Run) -> Iterator[tuple[str, str, float, float]]:
    """Yield kind, phase, start and length of each stretch of pods, claims and volumes."""
    for life in lives(run):
        for phase in life.phases(run.ended_s):
            start_s = max(0.0, phase.start_s)
            yield "Pod", _POD_PHASES[phase.kind], start_s, phase.end_s - start_s
    for volume in volume_lives(run):
        for stretch in volume.phases:
            yield volume.kind, stretch.phase, stretch.start_s, stretch.length_s


def _look(kind: str, phase: str) -> dict[str, Any]:
    if phase in _GOOD:
        return {"color": style.GREEN if kind == "Pod" else style.BLUE}
    if phase in _WAITING:
        return {
            "facecolor": "white",
            "edgecolor": style.GREY,
            "hatch": style.STARTING_HATCH,
            "linewidth": 1.2,
        }
    return {"facecolor": style.LIGHT, "edgecolor": style.GREY, "linewidth": 0.8}


def _marks(ax: Axes, run: Run, end_s: float) -> None:
    """Write what was done at the top, on two lines where names would touch."""
    lines_end = [-1.0, -1.0, -1.0]
    """Where the last name of each line ends, as a share of the panel's width."""
    for mark in run.marks:
        if mark.kind not in words.MARKS:
            continue
        ax.axvline(mark.at_s, color=style.INK, linestyle=":", linewidth=1.0, zorder=0)
        at, width = mark.at_s / end_s, _CHARACTER * len(words.MARKS[mark.kind])
        late = at + width > 1
        begins = at - width if late else at
        line = next((free for free, end in enumerate(lines_end) if end < begins), 2)
        lines_end[line] = begins + width
        ax.annotate(
            words.MARKS[mark.kind],
            (mark.at_s, 1),
            xytext=(-3 if late else 3, -9 - 11 * line),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=8.5,
            ha="right" if late else "left",
            color=style.TEXT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
        )
