"""An autoscaler under load on one clock: what was sent, what was measured, what was decided, what clients waited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ... import analysis
from ..._french import NO_BREAK, seconds
from ...draw import axes, figure, style
from ...draw.table import Table
from ...measure.recording import Recording, Run
from . import summary, words
from .codes import LoadMark
from .forecast import ScalingFacts

_WIDTH_IN, _HEIGHT_IN = 11.5, 9.0
_HEIGHTS = (0.8, 1.1, 1.5, 0.8)
_LETTER_IN = 0.075
"""Mean width of a letter of the notes, font size 9: measuring each text would cost more than the rest of the chart."""
_NOTE_ROWS = 4


def draw(
    recording: Recording, *, predictions: Mapping[str, object] | None = None
) -> figure.DescribedFigure:
    """Draw what an autoscaler did with a load.

    From top to bottom, on one clock: requests planned and sent; the pods' CPU against its target, with the tolerance;
    pods wanted and pods there, with the forecast and each decision's formula; answer times.

    Parameters
    ----------
    recording : Recording
        Its first run is drawn.
    predictions : mapping, optional
        What the student predicted: `replicas` at the plateau.

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    run = figure.runs_of(recording, "l’autoscaler")[0]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, _HEIGHT_IN)
        grid = chart.add_gridspec(
            4,
            1,
            height_ratios=_HEIGHTS,
            left=0.075,
            right=0.985,
            top=0.885,
            bottom=0.06,
            hspace=0.2,
        )
        rows = [chart.add_subplot(grid[row]) for row in range(4)]
        for ax, view in zip(rows, (_load, _cpu, _pods, _latency), strict=True):
            view(ax, run)
        for ax in rows[:-1]:
            ax.set_xlabel("")
            ax.tick_params(axis="x", labelbottom=False)
        head, below = words.title(run, predictions)
        chart.text(0.012, 0.965, head, **style.HEAD)
        chart.text(0.012, 0.965 - 0.033, below, **style.BELOW)
    chart.alternative = words.alternative(recording, predictions)
    return chart


def _load(ax: Axes, run: Run) -> None:
    """Draw the planned rate and the rate that really left, in requests per second."""
    points = ScalingFacts.of(run).points
    times = [at_s for at_s, _ in points] + [run.ended_s]
    rates = [rate for _, rate in points] + [points[-1][1]]
    left = [request for request in run.requests if request.error != "unsent"]
    # The last stretch may be too short for a rate.
    bins = [stretch for stretch in analysis.bins(left, 1.0) if stretch.length_s > 0.5]
    if bins:
        edges = [*(stretch.start_s for stretch in bins), bins[-1].end_s]
        ground = [0.0] * len(bins)
        sent = [
            stretch.rate_per_s(sum(stretch.answered.values()) + stretch.failed) for stretch in bins
        ]
        light = style.lighter(style.BLUE, 0.55)
        axes.stairs(ax, edges, ground, sent, color=light, label="vraiment envoyées")
        lost = [stretch.rate_per_s(stretch.failed) for stretch in bins]
        if any(lost):
            axes.stairs(ax, edges, ground, lost, label="perdues", **axes.LOST)
    ax.plot(times, rates, color=style.INK, linewidth=1.6, label="prévues")
    ax.set_ylim(0, 1.35 * max(rates))
    ax.set_ylabel("requêtes / s")
    _finish(ax, run)


def _cpu(ax: Axes, run: Run) -> None:
    """Draw the pods' mean CPU in percent of their request, the target with its tolerance, and what the HPA saw."""
    scaler = ScalingFacts.of(run).scaler
    target, around = scaler.target_percent, scaler.tolerance
    ax.axhspan(
        (1 - around) * target,
        (1 + around) * target,
        color=style.lighter(style.GREEN, 0.75),
        linewidth=0,
        label=f"tolérance de ±{100 * around:g} %",
    )
    ax.axhline(target, color=style.GREEN, linewidth=1.6, label=f"cible{NO_BREAK}: {target} %")
    measured = summary.utilization(run)
    ax.plot(
        [at_s for at_s, _ in measured],
        [percent for _, percent in measured],
        color=style.BLUE,
        linewidth=1.8,
        label="CPU mesuré (moyenne des pods)",
    )
    decided = [
        (scaling.at_s, scaling.percent)
        for scaling in summary.scalings(run)
        if scaling.percent is not None
    ]
    ax.plot(
        [at_s for at_s, _ in decided],
        [percent for _, percent in decided],
        "D",
        color=style.VERMILION,
        markersize=6.5,
        label="ce que l’autoscaler a vu en décidant",
    )
    ax.set_ylim(0, 1.3 * max([1.6 * target, *(percent for _, percent in (*measured, *decided))]))
    ax.set_ylabel("CPU, % de requests")
    _finish(ax, run)


def _pods(ax: Axes, run: Run) -> None:
    """Draw pods wanted and pods there, the forecast as a band, and the formula of each decision."""
    facts = ScalingFacts.of(run)
    forecast = facts.forecast(run.ended_s)
    bounds = [bound for bound in forecast.replicas if bound.at_s < run.ended_s]
    ax.fill_between(
        [*(bound.at_s for bound in bounds), run.ended_s],
        [bound.fewest - 0.12 for bound in (*bounds, bounds[-1])],
        [bound.most + 0.12 for bound in (*bounds, bounds[-1])],
        step="post",
        color=style.LIGHT,
        linewidth=0,
        label="prévision",
    )
    predicted = facts.predicted_replicas(run.ended_s)
    ax.axhline(
        predicted,
        color=style.PURPLE,
        linestyle="--",
        linewidth=1.3,
        label=f"plateau prévu{NO_BREAK}: {predicted}",
    )
    running = summary.running(run)
    wide: dict[str, Any] = {
        "color": style.VERMILION,
        "linewidth": 7.0,
        "alpha": 0.55,
        "label": "réplicas voulus",
    }
    thin: dict[str, Any] = {"color": style.INK, "linewidth": 2.2, "label": "réplicas réels"}
    for steps, look in ((summary.wanted(run), wide), (running, thin)):
        if steps:
            times = [*(at_s for at_s, _ in steps), run.ended_s]
            values = [*(value for _, value in steps), steps[-1][1]]
            ax.step(times, values, where="post", **look)
    highest = max([predicted, forecast.peak[1], *(value for _, value in running)])
    rows = _notes(ax, run, highest)
    # One row more, for the legend.
    ax.set_ylim(0, highest + 1.2 + 0.17 * (highest + 1) * (rows + 1.2))
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_yticks(range(0, highest + 1, max(1, (highest + 1) // 5)))
    ax.set_ylabel("nombre de pods")
    _finish(ax, run, columns=4)


def _notes(ax: Axes, run: Run, highest: int) -> int:
    """Write each decision's formula above its instant, in rows that keep clear of one another; return how many."""
    width_s = _LETTER_IN * run.ended_s / (0.9 * _WIDTH_IN)
    ends: list[float] = []
    paper = {"facecolor": "white", "linewidth": 0, "pad": 1.0}
    look: dict[str, Any] = {"color": style.VERMILION, "zorder": 4}
    for scaling in summary.scalings(run):
        length_s = len(scaling.words) * width_s
        begin_s = max(0.0, min(scaling.at_s, run.ended_s - length_s))
        row = next((row for row, end_s in enumerate(ends) if end_s < begin_s), len(ends))
        if row >= _NOTE_ROWS:
            continue
        ends[row:] = [begin_s + length_s, *ends[row + 1 :]]
        y = highest + 0.45 + 0.17 * (highest + 1) * row
        at_s = scaling.at_s
        ax.plot([at_s, at_s], [scaling.desired, y], ":", color=style.VERMILION, linewidth=1)
        ax.text(begin_s, y, scaling.words, fontsize=9, va="bottom", bbox=paper, **look)
    return len(ends)


def _latency(ax: Axes, run: Run) -> None:
    """Draw median and 99th percentile of the answer times, in milliseconds."""
    percentiles = summary.percentiles(run.requests)
    times = [stretch.at_s for stretch in percentiles]
    p99_ms = [1000 * stretch.p99_s for stretch in percentiles]
    p50_ms = [1000 * stretch.p50_s for stretch in percentiles]
    ax.plot(times, p99_ms, color=style.PURPLE, linewidth=1.4, linestyle="--", label="p99")
    ax.plot(times, p50_ms, color=style.BLUE, linewidth=2.0, label="p50 (médiane)")
    ax.set_ylim(0, 1.25 * max(p99_ms, default=1.0))
    ax.set_ylabel("réponse, ms")
    _finish(ax, run)


def _finish(ax: Axes, run: Run, columns: int = 2) -> None:
    ax.set_xlim(0, run.ended_s)
    ax.set_xlabel(axes.X_LABEL)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(axes.FRENCH)
    for kind in LoadMark:
        if mark := run.mark(kind):
            ax.axvline(mark.at_s, color=style.GREY, linestyle=":", linewidth=1.0, zorder=0)
    ax.legend(
        loc="upper right",
        ncols=columns,
        fontsize=8.5,
        handlelength=1.6,
        columnspacing=1.2,
        frameon=True,
        framealpha=1.0,
        edgecolor="none",
    )


def shortened_table(recording: Recording) -> Table:
    """Return the delays of a measured autoscaler beside Kubernetes' own."""
    shortened = ScalingFacts.of(recording.runs[0]).shortened
    rows = tuple(
        (meaning, seconds(shortened[name][0]), seconds(shortened[name][1]), name)
        for name, meaning in words.DELAYS.items()
        if name in shortened
    )
    return Table("Délais raccourcis", ("délai", "ici", "par défaut", "réglage"), rows)
