"""Four kinds of probes in four lanes on one clock: what the program said, what each saw, what the kubelet did."""

from __future__ import annotations

import textwrap
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..._french import NO_BREAK, typeset
from ...analysis.pods import PodLife, lives
from ...draw import axes, figure, style
from ...draw.axes import write
from ...measure.recording import Recording, Run
from . import words
from .codes import KindMark
from .summary import KindSummary, complaints, mark_s, pod_of, summarize

_WIDTH_IN = 10.5
"""Narrow, so that its words can be read in a notebook beside the list of files."""
_LANE_IN, _LEGEND_IN, _FOOT_IN = 1.95, 1.3, 0.6
_BAR = 0.17
_LIFE = 0.19
"""Where a lane has its bar, below its middle; words above it, failures below."""
_BRACKET = 0.05
_SAID_CHARS = 100
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
        chart = figure.new(_WIDTH_IN, height_in)
        top, bottom = 1 - _LEGEND_IN / height_in, _FOOT_IN / height_in
        ax = chart.add_axes((0.02, bottom, 0.96, top - bottom))
        _axes(ax, run, len(kinds))
        for lane, kind in enumerate(kinds):
            _lane(ax, run, kind, lane)
            asked = words.asked(run.parameters["kinds"][kind]["asks"])
            _words(ax, f"{kind}{NO_BREAK}: {asked}", summaries.get(kind), lane)
            if kind in summaries:
                _outcome(ax, run, summaries[kind], lane)
        _legend(chart)
        look: dict[str, Any] = {"fontsize": 13, "fontweight": "bold", "color": style.INK}
        title = words.title(summaries.values())
        chart.text(0.02, 1 - 0.22 / height_in, title, va="center", **look)
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


def _words(ax: Axes, title: str, summary: KindSummary | None, lane: int) -> None:
    """Write above a lane's bar what is asked, what was seen, and what became of the pod."""
    lines = [(title, style.INK, True)]
    if summary is not None:
        course = [words.left(summary), words.killed(summary), words.back(summary)]
        said = textwrap.shorten(f"« {summary.said} »", _SAID_CHARS, placeholder=" … »")
        lines = [(f"{title} · {words.sees(summary)}", style.INK, True)]
        lines += [(" ; ".join(course), style.TEXT, False)]
        lines += [(said, style.GREY, False)] if summary.said else []
    look: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "baseline"}
    for index, (text, colour, bold) in enumerate(lines):
        size, offset_pt = (12, 10, 10)[index], (0, -16 - 15 * index)
        write(
            ax,
            typeset(text),
            (0, lane - 0.5),
            offset_pt,
            size=size,
            colour=colour,
            bold=bold,
            **look,
        )


def _lane(ax: Axes, run: Run, kind: str, lane: int) -> None:
    """Draw the pod's life: Ready or not, failures that the kubelet told, kills, and what was done to it."""
    zero_s = _zero_s(run)
    for life in lives(run):
        if life.pod == pod_of(kind):
            _bars(ax, run, life, lane)
    failures = [event.at_s - zero_s for event in complaints(run, kind) if event.at_s >= zero_s]
    look: dict[str, Any] = {"marker": "x", "color": _LEAVES, "s": 34, "linewidths": 1.8}
    ax.scatter(failures, [lane + 0.41] * len(failures), zorder=4, **look)
    for what, text in ((KindMark.FAIL, words.FAILS), (KindMark.BREAK, words.BREAKS.get(kind))):
        at_s = mark_s(run, what, kind)
        if at_s is not None and text:
            _done(ax, at_s - zero_s, text, lane)


def _bars(ax: Axes, run: Run, life: PodLife, lane: int) -> None:
    zero_s = _zero_s(run)
    start_s = max(life.created_s - zero_s, ax.get_xlim()[0])
    length_s, bar = run.ended_s - zero_s - start_s, lane + _LIFE
    ax.barh(bar, length_s, left=start_s, height=_BAR, zorder=2, **axes.DOWN)
    for ready in life.ready:
        left_s = max(ready.start_s - zero_s, start_s)
        width_s = ready.end_s - zero_s - left_s
        ax.barh(bar, width_s, left=left_s, height=_BAR, color=style.GREEN, zorder=3)


def _done(ax: Axes, at_s: float, text: str, lane: int) -> None:
    look: dict[str, Any] = {"color": style.INK, "linestyle": ":", "linewidth": 1.4}
    ax.plot([at_s, at_s], [lane - 0.1, lane + 0.47], **look)
    write(ax, text, (at_s, lane - 0.06), (4, 0), size=9.5, zorder=7)


def _outcome(ax: Axes, run: Run, summary: KindSummary, lane: int) -> None:
    """Draw what was foreseen as brackets, its leaving the Service above the bar, the kill below; and the kill."""
    origin_s, bar = summary.break_s - _zero_s(run), lane + _LIFE
    for span, colour, side in (
        (summary.predicted_unready, _LEAVES, -1),
        (summary.predicted_kill, _DIES, 1),
    ):
        near, far = (bar + side * (_BAR / 2 + gap) for gap in (0.01, _BRACKET))
        left_s, right_s = span.lo_s + origin_s, span.hi_s + origin_s
        look: dict[str, Any] = {"color": colour, "linewidth": 2.4, "zorder": 5}
        ax.plot([left_s, left_s, right_s, right_s], [near, far, far, near], **look)
    if summary.kill_s is not None:
        look = {"marker": "X", "s": 95, "color": style.INK, "edgecolors": "white"}
        ax.scatter(summary.kill_s + origin_s, bar, zorder=6, **look)


def _legend(chart: figure.DescribedFigure) -> None:
    mark: dict[str, Any] = {"linestyle": "", "markersize": 9}
    handles: list[Patch | Line2D] = [
        Patch(color=style.GREEN, label="Ready, dans le Service"),
        Patch(label="pas Ready", **axes.DOWN),
        Line2D([], [], marker="x", color=_LEAVES, label="échec dit par le kubelet", **mark),
        Line2D([], [], marker="X", color=style.INK, label="conteneur tué", **mark),
        Line2D([], [], color=_LEAVES, linewidth=2.4, label="départ du Service prévu (dessus)"),
        Line2D([], [], color=_DIES, linewidth=2.4, label="arrêt prévu (dessous)"),
    ]
    chart.legend(
        handles=handles,
        loc="upper left",
        ncols=3,
        bbox_to_anchor=(0.01, 1 - 0.38 / chart.get_figheight()),
    )
