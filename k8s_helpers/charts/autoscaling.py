"""An autoscaler under load on one clock: what was sent, what was measured, what was decided, what clients waited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .. import _french, timeline
from .._french import NO_BREAK, count, number, seconds, typeset
from ..forecasts.scaling_course import ScalingForecast
from ..recording import Recording, Run
from ..timeline import autoscaling as measured
from . import axes, figure, shapes, style

_WIDTH_IN, _HEIGHT_IN = 11.5, 9.0
_HEIGHTS = (0.8, 1.1, 1.5, 0.8)
_LETTER_IN = 0.075
"""Mean width of a letter of the notes, font size 9: measuring each text would cost more than the rest of the chart."""
_NOTE_ROWS = 4


def autoscaling(
    recording: Recording, *, predictions: Mapping[str, object] | None = None
) -> figure.DescribedFigure:
    """Draw what an autoscaler did with a load.

    From top to bottom, on one clock: requests planned and sent; the pods' CPU against its target, with the tolerance;
    pods wanted and pods there, with the forecast and each decision's formula; answer times.

    Parameters
    ----------
    recording : Recording
        Of the experiment "autoscaling"; its first run is drawn.
    predictions : mapping, optional
        What the student predicted: `replicas` at the plateau.

    Returns
    -------
    DescribedFigure
        A matplotlib figure with a text alternative.

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    run = figure.runs_of(recording, "l’autoscaler")[0]
    forecast = measured.forecast_of(run)
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
        load(run, ax=rows[0])
        cpu(run, ax=rows[1])
        pods_wanted(run, forecast=forecast, ax=rows[2])
        latency(run, ax=rows[3])
        for ax in rows[:-1]:
            ax.set_xlabel("")
            ax.tick_params(axis="x", labelbottom=False)
        for line, (text, size) in enumerate(
            zip(_title(run, predictions), (12.5, 10.5), strict=True)
        ):
            chart.text(
                0.012,
                0.965 - 0.033 * line,
                text,
                fontsize=size,
                fontweight="bold" if line == 0 else "normal",
                color=style.INK if line == 0 else style.TEXT,
            )
    chart.alternative = alternative(recording, predictions)
    return chart


def load(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the planned rate and the rate that really left, in requests per second."""
    ax = _new(ax)
    points = run.parameters["points"]
    times = [at_s for at_s, _ in points] + [run.ended_s]
    rates = [rate for _, rate in points] + [points[-1][1]]
    left = [one for one in run.requests if one.error != "unsent"]
    # The last stretch may be too short for a rate.
    bins = [one for one in timeline.bins(left, 1.0) if one.length_s > 0.5]
    if bins:
        edges = [*(one.start_s for one in bins), bins[-1].end_s]
        sent = [one.rate_per_s(sum(one.answered.values()) + one.failed) for one in bins]
        ground = [0.0] * len(bins)
        sent_look = {"color": style.lighter(style.BLUE, 0.55), "label": "vraiment envoyées"}
        shapes.stairs(ax, edges, ground, sent, **sent_look)
        lost = [one.rate_per_s(one.failed) for one in bins]
        if any(lost):
            shapes.stairs(
                ax,
                edges,
                ground,
                lost,
                facecolor=style.VERMILION,
                edgecolor="white",
                linewidth=0,
                hatch=style.LOST_HATCH,
                label="perdues",
            )
    ax.plot(times, rates, color=style.INK, linewidth=1.6, label="prévues")
    ax.set_ylim(0, 1.35 * max(rates))
    ax.set_ylabel("requêtes / s")
    _finish(ax, run)
    return ax


def cpu(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the pods' mean CPU in percent of their request, the target with its tolerance, and what the HPA saw."""
    ax = _new(ax)
    told = run.parameters
    target = told["target_percent"]
    low, high = 0.9 * target, 1.1 * target
    ax.axhspan(
        low, high, color=style.lighter(style.GREEN, 0.75), linewidth=0, label="tolérance de ±10 %"
    )
    ax.axhline(target, color=style.GREEN, linewidth=1.6, label=f"cible{NO_BREAK}: {target} %")
    seen = measured.utilization(run)
    ax.plot(
        [at_s for at_s, _ in seen],
        [percent for _, percent in seen],
        color=style.BLUE,
        linewidth=1.8,
        label="CPU mesuré (moyenne des pods)",
    )
    decided = [one for one in measured.scalings(run) if one.percent is not None]
    ax.plot(
        [one.at_s for one in decided],
        [one.percent or 0 for one in decided],
        "D",
        color=style.VERMILION,
        markersize=6.5,
        label="ce que l’autoscaler a vu en décidant",
    )
    top = max(
        [1.6 * target, *(percent for _, percent in seen), *(one.percent or 0 for one in decided)]
    )
    ax.set_ylim(0, 1.3 * top)
    ax.set_ylabel("CPU, % de requests")
    _finish(ax, run)
    return ax


def pods_wanted(
    run: Run, *, forecast: ScalingForecast | None = None, ax: Axes | None = None
) -> Axes:
    """Draw pods wanted and pods there, the forecast as a band, and the formula of each decision."""
    ax = _new(ax)
    forecast = forecast or measured.forecast_of(run)
    bounds = [one for one in forecast.replicas if one.at_s < run.ended_s]
    times = [*(one.at_s for one in bounds), run.ended_s]
    ax.fill_between(
        times,
        [*(one.fewest - 0.12 for one in bounds), bounds[-1].fewest - 0.12],
        [*(one.most + 0.12 for one in bounds), bounds[-1].most + 0.12],
        step="post",
        color=style.LIGHT,
        linewidth=0,
        label="prévision",
    )
    predicted = measured.predicted_replicas(run)
    ax.axhline(
        predicted,
        color=style.PURPLE,
        linestyle="--",
        linewidth=1.3,
        label=f"plateau prévu{NO_BREAK}: {predicted}",
    )
    thin: dict[str, Any] = {"color": style.VERMILION, "linewidth": 2.0, "label": "réplicas voulus"}
    thick: dict[str, Any] = {"color": style.INK, "linewidth": 2.6, "label": "réplicas réels"}
    for steps, look in ((measured.wanted(run), thin), (measured.running(run), thick)):
        if steps:
            ax.step(
                [*(at_s for at_s, _ in steps), run.ended_s],
                [*(value for _, value in steps), steps[-1][1]],
                where="post",
                alpha=0.9,
                **look,
            )
    highest = max([predicted, forecast.peak[1], *(value for _, value in measured.running(run))])
    rows = _notes(ax, run, highest)
    # One row more, for the legend.
    ax.set_ylim(0, highest + 1.2 + 0.17 * (highest + 1) * (rows + 1.2))
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_yticks(range(0, highest + 1, max(1, (highest + 1) // 5)))
    ax.set_ylabel("nombre de pods")
    _finish(ax, run, columns=4)
    return ax


def _notes(ax: Axes, run: Run, highest: int) -> int:
    """Write each decision's formula above its instant, in rows that keep clear of one another; return how many."""
    width_s = _LETTER_IN * run.ended_s / (0.9 * _WIDTH_IN)
    ends: list[float] = []
    for one in measured.scalings(run):
        words = one.words
        length_s = len(words) * width_s
        begin_s = max(0.0, min(one.at_s, run.ended_s - length_s))
        row = next((row for row, end_s in enumerate(ends) if end_s < begin_s), len(ends))
        if row >= _NOTE_ROWS:
            continue
        ends[row:] = [begin_s + length_s, *ends[row + 1 :]]
        y = highest + 0.45 + 0.17 * (highest + 1) * row
        ax.plot([one.at_s, one.at_s], [one.desired, y], ":", color=style.VERMILION, linewidth=1)
        paper = {"facecolor": "white", "linewidth": 0, "pad": 1.0}
        ax.text(
            begin_s, y, words, fontsize=9, color=style.VERMILION, va="bottom", bbox=paper, zorder=4
        )
    return len(ends)


def latency(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw median and 99th percentile of the answer times, in milliseconds."""
    ax = _new(ax)
    found = measured.percentiles(run.requests)
    times = [one.at_s for one in found]
    p99 = [1000 * one.p99_s for one in found]
    ax.plot(times, p99, color=style.PURPLE, linewidth=1.4, linestyle="--", label="p99")
    ax.plot(
        times,
        [1000 * one.p50_s for one in found],
        color=style.BLUE,
        linewidth=2.0,
        label="p50 (médiane)",
    )
    ax.set_ylim(0, 1.25 * max(p99, default=1.0))
    ax.set_ylabel("réponse, ms")
    _finish(ax, run)
    return ax


def _new(ax: Axes | None) -> Axes:
    return figure.new(9.0, 3.0).subplots() if ax is None else ax


def _finish(ax: Axes, run: Run, columns: int = 2) -> None:
    ax.set_xlim(0, figure.until(run.ended_s))
    ax.set_xlabel(axes.X_LABEL)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _french.number(value)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _french.number(value)))
    for kind in ("load", "load-end"):
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


# --- words


def verdict(run: Run) -> str:
    """Tell in one sentence what the autoscaler did, beside what was predicted."""
    found = measured.autoscaling_summary(run)
    same = found.plateau_replicas == found.predicted_replicas
    words = (
        f"{count(found.plateau_replicas, 'pod')} au plateau, "
        f"{'comme prévu' if same else f'{number(found.predicted_replicas)} prévus'}"
    )
    if found.max_replicas > found.plateau_replicas:
        words += f" (un moment {number(found.max_replicas)})"
    if found.first_scale_up_s is None:
        words += " ; aucun ajout"
    else:
        words += f" ; premier ajout {seconds(found.first_scale_up_s)} après la charge"
    if found.back_to_min_s is None:
        return typeset(words + f" ; pas revenu à {found.min_replicas} pendant la mesure")
    return typeset(
        words + f" ; retour à {found.min_replicas} en {seconds(found.back_to_min_s)} après sa fin"
    )


def sent_words(run: Run) -> str | None:
    """Say what was really sent where the machine could not send the load; None where it could."""
    effort = measured.autoscaling_summary(run).effort
    late = effort.lag_p99_s > 0.5
    if not effort.unsent and not late:
        return None
    words = (
        f"charge trop forte pour cette machine : {number(effort.sent)} requêtes envoyées sur "
        f"{number(effort.planned)} prévues"
    )
    return typeset(words + (f", jusqu’à {seconds(effort.lag_max_s)} de retard" if late else ""))


def _title(run: Run, predictions: Mapping[str, object] | None) -> tuple[str, str]:
    told = [measured.plateau_of(run).words]
    guess = (predictions or {}).get("replicas")
    if guess is not None and guess is not ...:
        told.insert(0, f"vous aviez prévu{NO_BREAK}{guess} pods")
    if sent := sent_words(run):
        told = [sent]
    return verdict(run), " · ".join(told)


def alternative(recording: Recording, predictions: Mapping[str, object] | None = None) -> str:
    """Return the text alternative: the verdict, the forecast and each decision."""
    run = recording.runs[0]
    decisions: Sequence[str] = [
        f"à {seconds(one.at_s)}, de {one.current} à {one.desired} ({one.words})"
        for one in measured.scalings(run)
    ]
    head, told = _title(run, predictions)
    made = " ; ".join(decisions) or "aucune"
    return typeset(
        f"Autoscaler sous charge « {run.parameters['profile']} », {recording.where}, pendant "
        f"{seconds(run.ended_s)} : requêtes envoyées, CPU des pods contre la cible de "
        f"{run.parameters['target_percent']} %, pods voulus et réels, temps de réponse. {head}. {told}. "
        f"Décisions : {made}."
    )
