"""A leak against its limit: memory over time, deaths, back-offs; one row a variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from .. import _french, timeline
from ..recording import Recording, Run, Sample
from ..timeline import BackOffWait, Interval, LeakLife, MemorySummary, memory_summary
from . import axes, figure, style
from . import memory_words as told

_ROW_IN = 3.55
_HEAD_IN = 0.75
_HEAD_ROOM = 1.34
"""Top of the axes, as a multiple of the limit: names of lines and deaths stand above it."""
_NAMES_ROOM = 1.12
"""End of the time axis, as a multiple of the measure: the names of the bounds stand after it."""
_ROOMY_WAIT = 0.05
"""Share of the time axis that a wait must last for words to fit into it."""
_FORECAST_AT = 0.06
"""Height of the predicted restarts, as a share of the limit."""


def memory(recording: Recording) -> figure.DescribedFigure:
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
    summaries = [memory_summary(run) for run in runs]
    height_in = _HEAD_IN + _ROW_IN * len(runs)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, height_in)
        rows = chart.subplots(
            len(runs),
            1,
            squeeze=False,
            gridspec_kw={
                "left": 0.055,
                "right": 0.985,
                "top": 1 - 1.35 / height_in,
                "bottom": 0.5 / height_in,
                "hspace": 0.52,
            },
        )[:, 0]
        end_s = max(run.ended_s for run in runs)
        for ax, run, summary in zip(rows, runs, summaries, strict=True):
            leak(run, summary, ax)
            ax.set_xlim(0, figure.until(end_s * _NAMES_ROOM))
            _heading(ax, summary)
        rows[-1].set_xlabel(axes.X_LABEL)
        topped = any(one.name == "metrics_bytes" for run in runs for one in run.samples)
        _legend(chart, summaries, topped=topped)
    chart.alternative = told.alternative(recording)
    return chart


def leak(run: Run, summary: MemorySummary, ax: Axes) -> None:
    """Draw one variant on axes of its own."""
    ax.set_ylim(0, _HEAD_ROOM * summary.limit_bytes)
    for index, wait in enumerate(summary.waits):
        _wait(ax, wait, summary, run.ended_s, first=index == 0)
    for life in _stretches(run, summary):
        _memory(ax, timeline.samples_of(run.samples, life), life.end_s)
    seen = [one for one in run.samples if one.name == "metrics_bytes"]
    ax.plot(
        [one.at_s for one in seen],
        [one.value for one in seen],
        linestyle="none",
        marker="o",
        markersize=3.5,
        markerfacecolor="white",
        markeredgecolor=style.GREY,
        zorder=4,
    )
    for death in summary.lives:
        _death(ax, death)
    _bounds(ax, summary)
    ax.set_ylabel("mémoire (Mio)")
    ax.yaxis.set_major_locator(MultipleLocator(summary.limit_bytes / 4))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / told.MIB:.0f}"))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _french.number(value)))
    ax.xaxis.set_major_locator(MaxNLocator(14, integer=True, steps=[1, 2, 5, 10]))


def _stretches(run: Run, summary: MemorySummary) -> list[Interval]:
    """Return when the container lived, the life that goes on included."""
    last_s = summary.lives[-1].end_s if summary.lives else 0.0
    again = [one.at_s for one in run.pods if one.kind == "started" and one.at_s > last_s]
    return [*summary.lives, *(Interval(at_s, run.ended_s) for at_s in again[:1])]


def _memory(ax: Axes, samples: Sequence[Sample], end_s: float) -> None:
    """Draw what one life used; dotted from its last word to its death."""
    used = [(one.at_s, one.value) for one in samples if one.name == "memory_bytes"]
    heap = [(one.at_s, one.value) for one in samples if one.name == "heap_bytes"]
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
    killed = life.reason == "OOMKilled"
    ax.plot(
        [life.end_s],
        [life.peak_bytes or 0],
        marker="X",
        markersize=11,
        color=style.VERMILION if killed else style.INK,
        markeredgecolor="white",
        zorder=6,
        clip_on=False,
    )


def _wait(
    ax: Axes, wait: BackOffWait, summary: MemorySummary, ended_s: float, *, first: bool
) -> None:
    """Shade a back-off and write in it who died, what the kubelet imposes, and what it came to."""
    life = next(life for life in summary.lives if life.end_s == wait.start_s)
    ax.axvspan(wait.start_s, wait.end_s, color=style.LIGHT, alpha=0.75, linewidth=0, zorder=0)
    died = told.death(life)
    if first:
        text = f"{died}{_french.NO_BREAK}: redémarré aussitôt"
        _write(ax, wait.start_s, 1.27 * summary.limit_bytes, text, "left")
    elif wait.length_s >= _ROOMY_WAIT * ended_s:
        length = f"mesuré {_french.seconds(wait.length_s)}"
        lines = [died, f"attente {_french.number(wait.delay_s)}{_french.NO_BREAK}s"]
        lines += [length] if wait.over else ["…"]
        middle_s = (wait.start_s + wait.end_s) / 2
        _write(ax, middle_s, 0.66 * summary.limit_bytes, "\n".join(lines), "center")
    if wait.over:
        lo_s, hi_s = (wait.start_s + bound for bound in wait.predicted)
        height = _FORECAST_AT * summary.limit_bytes
        ax.plot([lo_s, hi_s], [height] * 2, color=style.GREEN, linewidth=4, zorder=5, alpha=0.9)
        ax.plot(
            [wait.end_s],
            [height],
            marker="^",
            markersize=9,
            color=style.GREEN,
            markeredgecolor="white",
            zorder=6,
        )


def _write(ax: Axes, at_s: float, height: float, text: str, side: str) -> None:
    ax.text(
        at_s,
        height,
        text,
        ha=side,
        va="center",
        fontsize=9.5,
        color=style.TEXT,
        linespacing=1.35,
        zorder=7,
    )


def _bounds(ax: Axes, summary: MemorySummary) -> None:
    """Draw the limit and the heap's own bound; where that is beyond the axes, say so."""
    ax.axhline(summary.limit_bytes, color=style.VERMILION, linewidth=2.0, zorder=4)
    limit = f"limite{_french.NO_BREAK}: {told.mebibytes(summary.limit_bytes)}"
    _name(ax, summary.limit_bytes, limit, style.VERMILION)
    heap = f"tas{_french.NO_BREAK}: {told.mebibytes(summary.heap_bytes)}"
    if summary.heap_bytes < 0.9 * _HEAD_ROOM * summary.limit_bytes:
        ax.axhline(summary.heap_bytes, color=style.PURPLE, linewidth=1.4, linestyle="--", zorder=4)
        _name(ax, summary.heap_bytes, heap, style.PURPLE)
    else:
        _name(ax, 1.17 * summary.limit_bytes, f"↑ {heap}", style.PURPLE)


def _name(ax: Axes, height: float, text: str, colour: str) -> None:
    ax.annotate(
        text,
        (1.0, height),
        xycoords=ax.get_yaxis_transform(),
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=colour,
        fontsize=9.5,
        fontweight="bold",
        zorder=7,
    )


def _heading(ax: Axes, summary: MemorySummary) -> None:
    """Write title and verdict above a row."""
    killed = summary.reason == "OOMKilled"
    lines = [
        (told.prediction(summary), style.TEXT),
        (f"{told.peak(summary)} · {told.restarts(summary)}", style.TEXT),
        (told.verdict(summary), style.VERMILION if killed else style.INK),
        (told.title(summary), style.INK),
    ]
    for row, (text, colour) in enumerate(lines):
        bold = row >= 2
        ax.annotate(
            text[:1].upper() + text[1:],
            (0, 1),
            xytext=(0, 8 + 15.5 * row),
            xycoords="axes fraction",
            textcoords="offset points",
            va="baseline",
            fontsize=13 if row == 3 else 11 if bold else 10,
            fontweight="bold" if bold else "normal",
            color=colour,
        )


def _legend(
    chart: figure.DescribedFigure, summaries: Sequence[MemorySummary], *, topped: bool
) -> None:
    kernel = all(one.source == "cgroup" for one in summaries)
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
        Patch(color=style.LIGHT, label="attente imposée (CrashLoopBackOff)"),
        Line2D(
            [],
            [],
            color=style.GREEN,
            linewidth=4,
            marker="^",
            markersize=9,
            markeredgecolor="white",
            label="redémarrage prévu, et réel (▲)",
        ),
    ]
    if topped:
        look: Any = {"markerfacecolor": "white", "markeredgecolor": style.GREY, "markersize": 4}
        handles.append(Line2D([], [], linestyle="none", marker="o", label="kubectl top", **look))
    chart.legend(
        handles=handles,
        loc="upper center",
        ncols=len(handles),
        bbox_to_anchor=(0.5, 1.0),
        columnspacing=1.4,
        fontsize=9.5,
    )
    if any(one.stand_in for one in summaries):
        chart.text(
            0.985,
            0.006,
            told.STAND_IN,
            ha="right",
            va="bottom",
            color="white",
            fontsize=10,
            fontweight="bold",
            bbox={"facecolor": style.VERMILION, "edgecolor": "none", "pad": 3},
        )
