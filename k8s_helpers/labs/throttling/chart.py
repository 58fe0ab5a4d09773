"""The same work under several processor limits: each answer's time as a point, one row a limit."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ...draw import axes, figure, style
from ...draw.axes import write
from ...measure.recording import Recording
from . import words
from .summary import ThrottlingSummary, summarize

_WIDTH_IN = 10.5
_ROW_IN = 0.95


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw the time of each answer under each limit, the median, and what was predicted of the work alone.

    Parameters
    ----------
    recording : Recording
        Of the experiment "throttling".

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    runs = figure.runs_of(recording, "le bridage du processeur")
    summaries = [summarize(run) for run in runs]
    title, verdict = words.title(runs[0].parameters["cpu_ms"]), words.verdict(summaries)
    height_in = 2.0 + _ROW_IN * len(summaries)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, height_in)
        ax = chart.add_axes((0.1, 0.55 / height_in, 0.87, 1 - 1.6 / height_in))
        for row, summary in enumerate(summaries):
            _times(ax, summary, row)
        ax.set_ylim(len(summaries) - 0.4, -0.6)
        ax.set_yticks(range(len(summaries)), [words.name(run.name) for run in runs])
        ax.set_xlim(left=0)
        ax.set_xlabel("durée d’une réponse (ms)")
        ax.xaxis.set_major_formatter(axes.FRENCH)
        chart.text(0.012, 1 - 0.35 / height_in, title, fontsize=13, fontweight="bold")
        chart.text(0.012, 1 - 0.65 / height_in, verdict, fontsize=11, fontweight="bold")
        foreseen = "prévu pour le calcul seul (tranches de 100 ms)"
        chart.legend(
            handles=[
                Line2D([], [], linestyle="none", marker="o", color=style.BLUE, label="une réponse"),
                Line2D([], [], color=style.INK, linewidth=3, label="médiane"),
                Line2D([], [], color=style.GREEN, linewidth=5, label=foreseen),
            ],
            loc="upper right",
            ncols=3,
            bbox_to_anchor=(0.985, 1 - 0.75 / height_in),
        )
    chart.alternative = f"{title}, {recording.where}. {verdict}. {words.sentences(summaries)}"
    return chart


def _times(ax: Axes, summary: ThrottlingSummary, row: int) -> None:
    times = [1000 * value for value in summary.latencies_s]
    ax.plot(times, [row] * len(times), "o", color=style.BLUE, alpha=0.45, markersize=8)
    lo, hi = (1000 * bound for bound in summary.predicted)
    ax.plot([lo, hi], [row - 0.3] * 2, color=style.GREEN, linewidth=5, marker="|")
    median_s = summary.percentile_s(0.5)
    if median_s is not None:
        ax.plot([1000 * median_s] * 2, [row - 0.2, row + 0.2], color=style.INK, linewidth=3)
    write(ax, words.times(summary), (0, row + 0.38), (6, 0), xycoords=("axes fraction", "data"))
