"""A leak against its limit: memory over time, deaths, back-offs; one row a variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator

from ..._french import NO_BREAK, number, seconds
from ...analysis.pods import Interval, first_after, instants
from ...draw import axes, figure, style
from ...draw.axes import write
from ...measure.recording import Recording, Run, Sample
from . import words
from .summary import BackOffWait, LeakLife, MemorySummary, samples_of, summarize

_WIDTH_IN = 11.5
_ROW_IN = 3.55
_HEAD_IN = 1.0
_HEAD_ROOM = 1.34
"""Top of the axes, as a multiple of the limit: names of lines and deaths stand above it."""
_NAMES_ROOM = 1.12
"""End of the time axis, as a multiple of the measure: the names of the bounds stand after it."""
_ROOMY_WAIT = 0.125
_NARROW_WAIT = 0.04
"""Shares of the measure that a wait must last for all words, or its length alone, to fit into it."""
_HEAP_BOUND: Any = {"color": style.GREY, "linewidth": 1.6, "linestyle": "-."}
_FORECAST_AT = 0.06
"""Height of the predicted restarts, as a share of the limit."""
_TOP: Any = {
    "linestyle": "none",
    "marker": "o",
    "markerfacecolor": "white",
    "markeredgecolor": style.GREY,
}
"""Of what `kubectl top` says."""
_RESTART: Any = {
    "marker": "^",
    "markersize": 9,
    "markeredgecolor": "white",
    "color": style.GREEN,
}


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each variant of a leak in a row of its own, all on the same time axis.

    The container's memory and the heap against the limit and the heap's own bound; each death with its reason; each
    back-off shaded, with the delay that the kubelet imposes, and the restart that was predicted.

    Parameters
    ----------
    recording : Recording
        Of the experiment "memory".

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    runs = figure.runs_of(recording, "la fuite de mémoire")
    summaries = [summarize(run) for run in runs]
    height_in = _HEAD_IN + _ROW_IN * len(runs)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, height_in)
        places = chart.subplots(
            len(runs),
            1,
            squeeze=False,
            gridspec_kw={
                "left": 0.07,
                "right": 0.985,
                "top": 1 - 1.6 / height_in,
                "bottom": 0.5 / height_in,
                "hspace": 0.52,
            },
        )[:, 0]
        end_s = max(run.ended_s for run in runs)
        for ax, run, summary in zip(places, runs, summaries, strict=True):
            _leak(run, summary, ax)
            ax.set_xlim(0, end_s * _NAMES_ROOM)
            _heading(ax, summary)
        places[-1].set_xlabel(axes.X_LABEL)
        topped = any(sample.name == "metrics_bytes" for run in runs for sample in run.samples)
        _legend(chart, summaries, topped=topped)
        if any(summary.leak.stand_in for summary in summaries):
            _stand_in(chart)
    chart.alternative = words.alternative(recording)
    return chart


def _leak(run: Run, summary: MemorySummary, ax: Axes) -> None:
    """Draw one variant on axes of its own."""
    ax.set_ylim(0, _HEAD_ROOM * summary.limit_bytes)
    for index, wait in enumerate(summary.waits):
        _wait(ax, wait, summary, run.ended_s, first=index == 0)
    for life in _stretches(run, summary):
        _memory(ax, samples_of(run.samples, life), life.end_s)
    topped = [sample for sample in run.samples if sample.name == "metrics_bytes"]
    times = [sample.at_s for sample in topped]
    ax.plot(times, [sample.value for sample in topped], markersize=3.5, zorder=4, **_TOP)
    for death in summary.lives:
        _death(ax, death)
    _bounds(ax, summary)
    ax.set_ylabel("mémoire (Mio)")
    ax.yaxis.set_major_locator(MultipleLocator(summary.limit_bytes / 4))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / words.MIB:.0f}"))
    axes.time_axis(ax, 14)


def _stretches(run: Run, summary: MemorySummary) -> list[Interval]:
    """Return when the container lived, the life that goes on included."""
    last_s = summary.lives[-1].end_s if summary.lives else 0.0
    again_s = first_after(instants(run, "started"), last_s)
    return [*summary.lives, *([] if again_s is None else [Interval(again_s, run.ended_s)])]


def _memory(ax: Axes, samples: Sequence[Sample], end_s: float) -> None:
    """Draw what one life used; dotted from its last word to its death."""
    used, heap = (
        [(sample.at_s, sample.value) for sample in samples if sample.name == name]
        for name in ("memory_bytes", "heap_bytes")
    )
    if used:
        times, values = zip(*used, strict=True)
        end_s = max(end_s, times[-1])
        light = style.lighter(style.BLUE, 0.75)
        ax.fill_between([*times, end_s], [*values, values[-1]], color=light, linewidth=0, zorder=2)
        ax.plot(times, values, color=style.BLUE, linewidth=2.0, zorder=3)
        rest = [times[-1], end_s, end_s], [values[-1], values[-1], 0]
        ax.plot(*rest, color=style.BLUE, linewidth=1.2, linestyle=":", zorder=3)
    if heap:
        times, values = zip(*heap, strict=True)
        ax.plot(times, values, color=style.PURPLE, linewidth=1.4, linestyle=(0, (3, 1)), zorder=3)


def _death(ax: Axes, life: LeakLife) -> None:
    ax.plot(
        [life.end_s],
        [life.peak_bytes or 0],
        marker="X",
        markersize=11,
        color=style.VERMILION if life.killed else style.INK,
        markeredgecolor="white",
        zorder=6,
        clip_on=False,
    )


def _wait(
    ax: Axes, wait: BackOffWait, summary: MemorySummary, ended_s: float, *, first: bool
) -> None:
    """Shade a back-off and write in it who died, what the kubelet imposes, and what it came to."""
    life = next(life for life in summary.lives if life.end_s == wait.start_s)
    limit = summary.limit_bytes
    look: Any = {"linespacing": 1.35, "zorder": 7}
    ax.axvspan(wait.start_s, wait.end_s, color=style.LIGHT, alpha=0.75, linewidth=0, zorder=0)
    if first:
        text = f"{life.death}{NO_BREAK}: {words.first_restart(wait)}"
        write(ax, text, (wait.start_s, 1.27 * limit), **look)
    elif wait.length_s >= _NARROW_WAIT * ended_s:
        lines = [f"{number(wait.delay_s)}{NO_BREAK}s"]
        if wait.length_s >= _ROOMY_WAIT * ended_s:
            length = f"mesuré {seconds(wait.length_s)}"
            lines = [life.death, f"attente {lines[0]}", length if wait.over else "…"]
        middle_s = (wait.start_s + wait.end_s) / 2
        write(ax, "\n".join(lines), (middle_s, 0.66 * limit), ha="center", **look)
    if wait.over:
        lo_s, hi_s = (wait.start_s + bound for bound in wait.predicted)
        height = _FORECAST_AT * limit
        ax.plot([lo_s, hi_s], [height] * 2, color=style.GREEN, linewidth=4, zorder=5, alpha=0.9)
        ax.plot([wait.end_s], [height], zorder=6, **_RESTART)


def _bounds(ax: Axes, summary: MemorySummary) -> None:
    """Draw the limit and the heap's own bound; where that is beyond the axes, say so."""
    limit, heap = summary.limit_bytes, summary.leak.heap_bytes
    ax.axhline(limit, color=style.VERMILION, linewidth=2.0, zorder=4)
    _name(ax, limit, f"limite{NO_BREAK}: {words.mebibytes(limit)}", style.VERMILION)
    name = f"tas, au plus{NO_BREAK}: {words.mebibytes(heap)}"
    if heap < 0.9 * _HEAD_ROOM * limit:
        ax.axhline(heap, zorder=4, **_HEAP_BOUND)
        _name(ax, heap, name, style.INK)
    else:
        _name(ax, 1.17 * limit, f"↑ {name}", style.INK)


def _name(ax: Axes, height: float, text: str, colour: str) -> None:
    look: Any = {"xycoords": ax.get_yaxis_transform(), "ha": "right", "va": "bottom", "zorder": 7}
    write(ax, text, (1.0, height), (-4, 3), colour=colour, bold=True, **look)


def _heading(ax: Axes, summary: MemorySummary) -> None:
    """Write title and verdict above a row."""
    killed = bool(summary.lives) and summary.lives[-1].killed
    lines = [
        (words.prediction(summary), style.TEXT, 10),
        (f"{words.peak(summary)} · {words.restarts(summary)}", style.TEXT, 10),
        (words.verdict(summary), style.VERMILION if killed else style.INK, 11),
        (words.title(summary), style.INK, 13),
    ]
    look: Any = {"xycoords": "axes fraction", "va": "baseline"}
    for row, (text, colour, size) in enumerate(lines):
        text = text[:1].upper() + text[1:]
        offset_pt = (0, 8 + 15.5 * row)
        write(ax, text, (0, 1), offset_pt, size=size, colour=colour, bold=row >= 2, **look)


def _legend(
    chart: figure.DescribedFigure, summaries: Sequence[MemorySummary], *, topped: bool
) -> None:
    kernel = all(summary.kernel_counts for summary in summaries)
    counted = "comptée par le noyau" if kernel else "mémoire propre du programme"
    handles = [
        Patch(
            facecolor=style.lighter(style.BLUE, 0.75),
            edgecolor=style.BLUE,
            linewidth=2,
            label=f"mémoire du conteneur ({counted})",
        ),
        Line2D([], [], color=style.PURPLE, linestyle=(0, (3, 1)), label="tas utilisé"),
        Line2D([], [], linestyle="none", marker="X", markersize=10, color=style.INK, label="mort"),
        Patch(color=style.LIGHT, label="attente imposée avant de redémarrer"),
        Line2D([], [], linewidth=4, label="redémarrage prévu, et réel (▲)", **_RESTART),
    ]
    if topped:
        handles.append(Line2D([], [], markersize=4, label="kubectl top", **_TOP))
    chart.legend(
        handles=handles,
        loc="upper center",
        ncols=3,
        bbox_to_anchor=(0.5, 1.0),
        columnspacing=1.4,
        fontsize=10,
    )


def _stand_in(chart: figure.DescribedFigure) -> None:
    look: Any = {"ha": "right", "va": "bottom", "color": "white", "fontsize": 10}
    box = {"facecolor": style.VERMILION, "edgecolor": "none", "pad": 3}
    chart.text(0.985, 0.006, words.STAND_IN, fontweight="bold", bbox=box, **look)
