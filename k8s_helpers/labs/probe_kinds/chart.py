"""Four kinds of probes in four lanes on one clock: what the program said, what each saw, what the kubelet did."""

from __future__ import annotations

import textwrap
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from ..._french import typeset
from ...analysis.pods import PodLife, lives
from ...draw import axes, figure, style
from ...draw.axes import write
from ...measure.recording import Recording, Run
from . import words
from .codes import KindMark
from .summary import KindSummary, complaints, mark_s, pod_of, summarize

_LANE_IN, _LEGEND_IN, _FOOT_IN = 1.35, 1.05, 0.6
_BAR = 0.36
_SAID_CHARS = 62
_LEAVES, _DIES = style.VERMILION, style.PURPLE


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each kind of probe in a lane of its own.

    Parameters
    ----------
    recording : Recording
        Of the experiment "probe_kinds".

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    run = figure.runs_of(recording, "les genres de sondes")[0]
    kinds = list(run.parameters["kinds"])
    summaries = {summary.kind: summary for summary in summarize(run)}
    height_in = _LANE_IN * len(kinds) + _LEGEND_IN + _FOOT_IN
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, height_in)
        top, bottom = 1 - _LEGEND_IN / height_in, _FOOT_IN / height_in
        ax = chart.add_axes((0.165, bottom, 0.44, top - bottom))
        _axes(ax, run, len(kinds))
        for lane, kind in enumerate(kinds):
            _lane(ax, run, kind, lane)
            _label(ax, kind, words.asked(run.parameters["kinds"][kind]["asks"]), lane)
            if kind in summaries:
                _outcome(ax, run, summaries[kind], lane)
        _legend(chart)
        look: dict[str, Any] = {"fontsize": 13, "fontweight": "bold", "color": style.INK}
        title = words.title(summaries.values())
        chart.text(0.165, 1 - 0.22 / height_in, title, va="center", **look)
    chart.alternative = words.alternative(recording, summaries.values())
    return chart


def _zero_s(run: Run) -> float:
    return min((mark.at_s for mark in run.marks if mark.kind == KindMark.FAIL), default=0.0)


def _axes(ax: Axes, run: Run, lanes: int) -> None:
    zero_s = _zero_s(run)
    ax.set_xlim(-min(zero_s, 3.0), max(run.ended_s - zero_s, 5.0))
    ax.set_ylim(lanes - 0.5, -0.5)
    ax.set_yticks([])
    axes.ruled(ax)
    ax.set_xlabel("secondes depuis que les programmes se disent en panne")
    for lane in range(1, lanes):
        ax.axhline(lane - 0.5, color=style.LIGHT, linewidth=1)


def _label(ax: Axes, kind: str, asks: str, lane: int) -> None:
    lines = [line for part in asks.split(", ") for line in textwrap.wrap(part, 24)]
    look: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "ha": "right"}
    write(ax, kind, (0, lane), (-10, 10), size=13, bold=True, colour=style.INK, **look)
    write(ax, "\n".join(lines), (0, lane), (-10, -6 - 6 * len(lines)), size=9, **look)


def _lane(ax: Axes, run: Run, kind: str, lane: int) -> None:
    """Draw the pod's life: Ready or not, failures that the kubelet told, kills, and what was done to it."""
    zero_s = _zero_s(run)
    for life in lives(run):
        if life.pod == pod_of(kind):
            _bars(ax, run, life, lane)
    failures = [event.at_s - zero_s for event in complaints(run, kind) if event.at_s >= zero_s]
    look: dict[str, Any] = {"marker": "x", "color": _LEAVES, "s": 34, "linewidths": 1.8}
    ax.scatter(failures, [lane + 0.33] * len(failures), zorder=4, **look)
    for what, text in ((KindMark.FAIL, words.FAILS), (KindMark.BREAK, words.BREAKS.get(kind))):
        at_s = mark_s(run, what, kind)
        if at_s is not None and text:
            _done(ax, at_s - zero_s, text, lane)


def _bars(ax: Axes, run: Run, life: PodLife, lane: int) -> None:
    zero_s = _zero_s(run)
    start_s = max(life.created_s - zero_s, ax.get_xlim()[0])
    ax.barh(lane, run.ended_s - zero_s - start_s, left=start_s, height=_BAR, zorder=2, **axes.DOWN)
    for ready in life.ready:
        left_s = max(ready.start_s - zero_s, start_s)
        width_s = ready.end_s - zero_s - left_s
        ax.barh(lane, width_s, left=left_s, height=_BAR, color=style.GREEN, zorder=3)


def _done(ax: Axes, at_s: float, text: str, lane: int) -> None:
    ax.plot([at_s, at_s], [lane - 0.42, lane + 0.42], color=style.INK, linestyle=":", linewidth=1.4)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    write(ax, text, (at_s, lane - 0.36), (4, 0), size=9, zorder=7, bbox=box)


def _outcome(ax: Axes, run: Run, summary: KindSummary, lane: int) -> None:
    """Draw what was foreseen under the bar, and say what came on the right."""
    origin_s = summary.break_s - _zero_s(run)
    for span, colour in ((summary.predicted_unready, _LEAVES), (summary.predicted_kill, _DIES)):
        box = (span.lo_s + origin_s, lane - _BAR / 2 - 0.05)
        width_s = span.hi_s - span.lo_s
        look: dict[str, Any] = {"alpha": 0.25, "linewidth": 0, "color": colour, "zorder": 4}
        ax.add_patch(Rectangle(box, width_s, _BAR + 0.1, **look))
    if summary.kill_s is not None:
        look = {"marker": "X", "s": 95, "color": style.INK, "edgecolors": "white"}
        ax.scatter(summary.kill_s + origin_s, lane, zorder=6, **look)
    lines = [
        (words.sees(summary), style.INK, "bold"),
        (words.left(summary), style.TEXT, "normal"),
        (words.killed(summary), style.TEXT, "normal"),
        (words.back(summary), style.TEXT, "normal"),
    ]
    said = textwrap.wrap(f"« {summary.said} »", _SAID_CHARS, max_lines=2, placeholder=" … »")
    lines += [(line, style.GREY, "normal") for line in said if summary.said]
    for index, (text, colour, weight) in enumerate(lines):
        size = 10.5 if index == 0 else 9.5
        offset_pt = (16, 36 - 14.5 * index)
        look = {"xycoords": ("axes fraction", "data"), "colour": colour, "bold": weight == "bold"}
        write(ax, typeset(text), (1, lane), offset_pt, size=size, **look)


def _legend(chart: figure.DescribedFigure) -> None:
    mark: dict[str, Any] = {"linestyle": "", "markersize": 9}
    handles: list[Patch | Line2D] = [
        Patch(color=style.GREEN, label="Ready, dans le Service"),
        Patch(label="pas Ready", **axes.DOWN),
        Line2D([], [], marker="x", color=_LEAVES, label="échec dit par le kubelet", **mark),
        Line2D([], [], marker="X", color=style.INK, label="conteneur tué", **mark),
        Patch(facecolor=_LEAVES, alpha=0.3, label="départ du Service prévu"),
        Patch(facecolor=_DIES, alpha=0.3, label="arrêt prévu"),
    ]
    chart.legend(
        handles=handles,
        loc="upper left",
        ncols=3,
        bbox_to_anchor=(0.157, 1 - 0.38 / chart.get_figheight()),
    )
