"""A growing load on one pod: what was asked for against what was answered, and how long answers took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes

from ..._french import number
from ...draw import figure, style
from ...measure.recording import Recording
from . import words
from .summary import SLOW_S, CapacityStep, capacity_steps

_WIDTH_IN, _HEIGHT_IN = 9.5, 4.6


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw each step of load: requests asked for and answered per second on the left, latency on the right.

    Parameters
    ----------
    recording : Recording
        Of the experiment "capacity".
    """
    steps = capacity_steps(recording)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, _HEIGHT_IN)
        rates, waits = chart.subplots(1, 2)
        chart.subplots_adjust(left=0.08, right=0.985, top=0.8, bottom=0.14, wspace=0.22)
        _rates(rates, steps)
        _waits(waits, steps)
        labels = [number(step.rate_per_s) for step in steps]
        for ax in (rates, waits):
            ax.set_xticks(range(len(steps)), labels)
            ax.set_xlabel("requêtes demandées par seconde")
        verdict = words.verdict(recording, steps)
        chart.text(0.02, 0.93, verdict, fontsize=13, color=style.INK, weight="bold")
        chart.text(0.02, 0.865, words.conditions(recording), fontsize=10, color=style.TEXT)
    chart.alternative = words.alternative(recording, steps)
    return chart


def _rates(ax: Axes, steps: Sequence[CapacityStep]) -> None:
    """Draw what was asked for beside what was answered."""
    asked = [step.rate_per_s for step in steps]
    answered = [step.answered_per_s for step in steps]
    places = range(len(steps))
    look: dict[str, Any] = {"facecolor": "white", "edgecolor": style.GREY, "hatch": "...."}
    ax.bar([place - 0.2 for place in places], asked, 0.38, label="demandées", **look)
    ax.bar([place + 0.2 for place in places], answered, 0.38, color=style.BLUE, label="servies")
    ax.set_ylabel("requêtes par seconde")
    ax.set_ylim(top=max(asked, default=1.0) * 1.25)
    ax.legend(loc="upper left")


def _waits(ax: Axes, steps: Sequence[CapacityStep]) -> None:
    """Draw how long answers took, and from where on that is too long."""
    half, slow = ([_ms(step.p50_s) for step in steps], [_ms(step.p95_s) for step in steps])
    ax.plot(half, "o-", color=style.BLUE, label="une réponse sur deux")
    ax.plot(slow, "s--", color=style.VERMILION, label="95 réponses sur 100")
    limit_ms = 1000 * SLOW_S
    ax.axhline(limit_ms, color=style.GREY, linewidth=1, linestyle=":")
    ax.text(0, limit_ms * 1.1, "trop lent au-dessus", fontsize=9, color=style.TEXT)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(lambda value, place: number(value))
    ax.set_ylabel("temps de réponse (ms)")
    ax.set_ylim(top=max([limit_ms, *(value for value in slow if not math.isnan(value))]) * 8)
    ax.legend(loc="upper left", ncols=1)


def _ms(time_s: float | None) -> float:
    return math.nan if time_s is None else 1000 * time_s
