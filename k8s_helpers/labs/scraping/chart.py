"""Counters as they were collected, and the rate that they give, against the traffic."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes

from ..._french import number, typeset
from ...draw import axes, figure, style
from ...measure.recording import Recording
from . import words
from .summary import ScrapingSummary, summarize

_COLOURS = (style.BLUE, style.PURPLE, "#56B4E9", style.INK, style.GREY)
_MARKERS = "osD^v"


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw the counter of each pod, one mark a collection, and below the sum of their rates.

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    (run,) = figure.runs_of(recording, "les métriques relevées")[:1]
    summary = summarize(run)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(11.0, 6.2)
        chart.text(0.012, 0.95, words.verdict(recording), **style.HEAD)
        upper, lower = chart.subplots(
            2,
            1,
            sharex=True,
            gridspec_kw={"left": 0.075, "right": 0.8, "top": 0.86, "bottom": 0.09, "hspace": 0.36},
        )
        _counters(upper, summary)
        _rates(lower, summary)
        for ax in (upper, lower):
            ax.set_xlim(0, run.ended_s)
            if summary.deleted_s is not None:
                ax.axvline(summary.deleted_s, color=style.VERMILION, linewidth=1.5, linestyle="--")
        lower.set_xlabel(axes.X_LABEL)
    chart.alternative = words.alternative(recording)
    return chart


def _counters(ax: Axes, summary: ScrapingSummary) -> None:
    ax.set_title(typeset(words.COUNTERS), loc="left", fontsize=11, color=style.INK)
    for index, (pod, samples) in enumerate(summary.series.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        times, values = [s.at_s for s in samples], [s.value for s in samples]
        marker = _MARKERS[index % len(_MARKERS)]
        ax.plot(times, values, marker=marker, markersize=4.5, color=colour, label=pod)
    ax.set_ylim(0, 1.25 * max(s.value for row in summary.series.values() for s in row) or 1)
    ax.set_ylabel("requêtes comptées")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9.5)
    if summary.deleted_s is not None:
        ax.text(
            summary.deleted_s,
            0.93,
            f"  {words.DELETED}",
            transform=ax.get_xaxis_transform(),
            fontsize=10,
            color=style.VERMILION,
        )


def _rates(ax: Axes, summary: ScrapingSummary) -> None:
    ax.set_title(typeset(words.RATES), loc="left", fontsize=11, color=style.INK)
    steady = summary.steady
    for rate in summary.rates:
        good = rate in steady
        ax.bar(
            rate.start_s,
            rate.per_s,
            width=rate.end_s - rate.start_s,
            align="edge",
            color=style.lighter(style.BLUE, 0.35) if good else "white",
            edgecolor=style.BLUE,
            hatch="" if good else style.LOST_HATCH,
        )
    ax.axhline(summary.sent_per_s, color=style.INK, linewidth=2)
    sent = typeset(f"  trafic envoyé : {number(summary.sent_per_s, 0)} requêtes/s")
    ax.text(
        1.0, summary.sent_per_s, sent, transform=ax.get_yaxis_transform(), va="center", fontsize=9.5
    )
    ax.set_ylim(0, 1.4 * max([summary.sent_per_s, *(rate.per_s for rate in summary.rates)]))
    ax.set_ylabel("requêtes / s")
