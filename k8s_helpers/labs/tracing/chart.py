"""A waterfall: each span a bar at its instant, under the one that asked for it."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from ...draw import figure, style
from ...measure.recording import Recording, Run
from . import words
from .codes import TraceSpan
from .summary import depth, summarize

_ROW_IN, _HEAD_IN, _GAP_IN, _TOP_IN, _BOTTOM_IN = 0.36, 0.34, 0.12, 0.92, 0.62
_COLOURS = {"site": style.BLUE, "base": style.PURPLE}
_WAITS: Any = {"facecolor": "white", "hatch": "////", "linewidth": 1.2}


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw the trace of each request, all on one scale of milliseconds.

    Raises
    ------
    RecordingError
        Where the recording holds no trace.
    """
    runs = figure.runs_of(recording, "les traces")
    sizes = [len(summarize(run).spans) * _ROW_IN for run in runs]
    height = _TOP_IN + _BOTTOM_IN + sum(size + _HEAD_IN + _GAP_IN for size in sizes)
    end_s = max(summarize(run).lasts_s for run in runs) or 0.001
    with matplotlib.rc_context(style.RC):
        chart = figure.new(11.0, height)
        chart.text(0.012, 1 - 0.3 / height, words.verdict(recording), **style.HEAD)
        top = height - _TOP_IN
        for run, size in zip(runs, sizes, strict=True):
            top -= _HEAD_IN
            ax = chart.add_axes((0.25, (top - size) / height, 0.66, size / height))
            _trace(ax, run, end_s, last=run is runs[-1])
            ax.set_title(words.heading(run), loc="left", x=-0.36, fontsize=11.5, color=style.INK)
            top -= size + _GAP_IN
        _legend(chart, height)
    chart.alternative = words.alternative(recording)
    return chart


def _trace(ax: Axes, run: Run, end_s: float, *, last: bool) -> None:
    spans = summarize(run).spans
    for row, span in enumerate(spans):
        ax.barh(row, 1000 * span.lasts_s, left=1000 * span.start_s, height=0.62, **_look(span))
        text = words.milliseconds(span.lasts_s)
        ax.text(1000 * span.end_s + 8 * end_s, row, text, va="center", fontsize=10, color=style.INK)
    ax.set_yticks(
        range(len(spans)),
        ["   " * depth(spans, span) + words.label(span) for span in spans],
        ha="left",
    )
    ax.tick_params(axis="y", length=0, labelsize=10, pad=192)
    ax.set_ylim(len(spans) - 0.45, -0.55)
    ax.set_xlim(0, 1000 * end_s * 1.08)
    ax.grid(axis="x", color=style.LIGHT)
    ax.set_axisbelow(True)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.tick_params(axis="x", labelbottom=last)
    if last:
        ax.set_xlabel("millisecondes depuis l’arrivée de la requête au site")


def _look(span: TraceSpan) -> dict[str, Any]:
    colour = _COLOURS.get(span.service, style.GREY)
    if span.kind == "client":
        return {**_WAITS, "edgecolor": colour}
    return {"color": colour if span.kind == "server" else style.lighter(colour, 0.45)}


def _legend(chart: figure.DescribedFigure, height: float) -> None:
    handles = [
        *(Patch(color=_COLOURS[name], label=title) for name, title in words.SERVICES.items()),
        Patch(**_WAITS, edgecolor=style.BLUE, label=words.WAITING),
        Patch(color=style.lighter(style.PURPLE, 0.45), label=words.DISK),
    ]
    chart.legend(
        handles=handles, loc="upper left", ncols=4, bbox_to_anchor=(0.005, 1 - 0.4 / height)
    )
