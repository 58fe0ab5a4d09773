"""A pod resized while it works: each answer's time, and the limit that its container has."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.axes import Axes

from ...draw import axes, figure, style
from ...measure.recording import Recording, Run
from . import words
from .codes import LIMIT, ResizeMark
from .summary import ResizeSummary, summarize

_WIDTH_IN, _HEIGHT_IN = 11.5, 5.0


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw the time of each answer before and after a resize, above the container's limit.

    Parameters
    ----------
    recording : Recording
        Of the experiment "resize".

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    run = figure.runs_of(recording, "un pod agrandi")[0]
    summary = summarize(run)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, _HEIGHT_IN)
        grid = chart.add_gridspec(
            2,
            1,
            height_ratios=(1.7, 1.0),
            left=0.085,
            right=0.985,
            top=0.83,
            bottom=0.11,
            hspace=0.16,
        )
        above, below = (chart.add_subplot(grid[row]) for row in range(2))
        _answers(above, run, summary)
        _limit(below, run)
        chart.text(0.012, 0.935, words.verdict(summary), fontsize=12.5, fontweight="bold")
        chart.text(0.012, 0.875, words.refusal(summary), fontsize=10.5, color=style.TEXT)
    chart.alternative = words.alternative(recording, summary)
    return chart


def _answers(ax: Axes, run: Run, summary: ResizeSummary) -> None:
    good = [request for request in run.requests if request.ok]
    times = [1000 * (request.answered_s - request.planned_s) for request in good]
    planned_s = [request.planned_s for request in good]
    look: dict[str, Any] = {
        "color": style.BLUE,
        "markersize": 7,
        "alpha": 0.75,
        "label": "une réponse",
    }
    ax.plot(planned_s, times, "o", **look)
    asked, done = run.mark(ResizeMark.ASKED), run.mark(ResizeMark.DONE)
    if asked and done:
        spans = (
            (0.0, asked.at_s, summary.predicted_before),
            (done.at_s, run.ended_s, summary.predicted_after),
        )
        for index, (begin_s, end_s, predicted) in enumerate(spans):
            low, high = (1000 * bound for bound in predicted)
            ax.fill_between(
                [begin_s, end_s],
                low,
                max(high, low + 8),
                color=style.lighter(style.GREEN, 0.6),
                linewidth=0,
                label=None if index else "prévu pour le calcul seul",
            )
    ax.set_ylim(0, 1.3 * max(times, default=1.0))
    ax.set_ylabel("réponse, ms")
    _finish(ax, run)
    ax.set_xlabel("")
    ax.tick_params(axis="x", labelbottom=False)
    ax.legend(loc="upper right", ncols=2)


def _limit(ax: Axes, run: Run) -> None:
    seen = [(sample.at_s, 1000 * sample.value) for sample in run.samples if sample.name == LIMIT]
    if seen:
        ax.step(
            [0.0, *(at_s for at_s, _ in seen), run.ended_s],
            [seen[0][1], *(value for _, value in seen), seen[-1][1]],
            where="post",
            color=style.INK,
            linewidth=2.4,
        )
        ax.set_ylim(0, 1.25 * max(value for _, value in seen))
    ax.set_ylabel("limite, millièmes\nde processeur")
    _finish(ax, run)


def _finish(ax: Axes, run: Run) -> None:
    ax.set_xlim(0, run.ended_s)
    ax.set_xlabel(axes.X_LABEL)
    ax.xaxis.set_major_formatter(axes.FRENCH)
    ax.yaxis.set_major_formatter(axes.FRENCH)
    if asked := run.mark(ResizeMark.ASKED):
        ax.axvline(asked.at_s, color=style.VERMILION, linestyle=":", linewidth=1.6)
