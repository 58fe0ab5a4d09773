"""A growing load on one pod: what was asked for against what was answered, and how long answers took."""

from __future__ import annotations

import math

import matplotlib

from .._french import NO_BREAK, number, seconds
from ..recording import Recording
from ..timeline.capacity import SLOW_S, CapacityStep, capacity_steps, sustained_per_s
from . import figure, style

_WIDTH_IN, _HEIGHT_IN = 9.5, 4.6


def capacity(recording: Recording) -> figure.DescribedFigure:
    """Draw each step of load: requests asked for and answered per second on the left, latency on the right.

    Parameters
    ----------
    recording : Recording
        Of the experiment "capacity".
    """
    steps = capacity_steps(recording)
    places = range(len(steps))
    labels = [number(one.rate_per_s) for one in steps]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, _HEIGHT_IN)
        rates, waits = chart.subplots(1, 2)
        chart.subplots_adjust(left=0.08, right=0.985, top=0.8, bottom=0.14, wspace=0.22)
        rates.bar(
            [one - 0.2 for one in places],
            [one.rate_per_s for one in steps],
            0.38,
            facecolor="white",
            edgecolor=style.GREY,
            hatch="....",
            label="demandées",
        )
        rates.bar(
            [one + 0.2 for one in places],
            [one.answered_per_s for one in steps],
            0.38,
            color=style.BLUE,
            label="servies",
        )
        rates.set_ylabel("requêtes par seconde")
        rates.legend(loc="upper left")
        slow = [1000 * one.p95_s if math.isfinite(one.p95_s) else math.nan for one in steps]
        half = [1000 * one.p50_s if math.isfinite(one.p50_s) else math.nan for one in steps]
        waits.plot(places, half, "o-", color=style.BLUE, label="une réponse sur deux")
        waits.plot(places, slow, "s--", color=style.VERMILION, label="95 réponses sur 100")
        waits.axhline(1000 * SLOW_S, color=style.GREY, linewidth=1, linestyle=":")
        waits.text(0, 1000 * SLOW_S * 1.1, "trop lent au-dessus", fontsize=9, color=style.TEXT)
        waits.set_yscale("log")
        waits.yaxis.set_major_formatter(lambda value, place: number(value))
        waits.set_ylabel("temps de réponse (ms)")
        waits.legend(loc="upper left", ncols=1)
        for ax in (rates, waits):
            ax.set_xticks(list(places), labels)
            ax.set_xlabel("requêtes demandées par seconde")
        waits.set_ylim(top=max([1000 * SLOW_S, *(one for one in slow if one == one)]) * 8)
        rates.set_ylim(top=max((one.rate_per_s for one in steps), default=1.0) * 1.25)
        chart.text(
            0.02, 0.93, _verdict(recording, steps), fontsize=13, color=style.INK, weight="bold"
        )
        chart.text(
            0.02,
            0.865,
            "un seul pod, client et pod sur la même machine",
            fontsize=10,
            color=style.TEXT,
        )
    chart.alternative = _alternative(recording, steps)
    return chart


def _verdict(recording: Recording, steps: tuple[CapacityStep, ...]) -> str:
    best = number(sustained_per_s(recording))
    if steps and steps[-1].kept_up:
        return f"Un pod tient {best} requêtes par seconde, et ce n’est pas sa limite"
    return f"Un pod tient {best} requêtes par seconde sur cette machine"


def _alternative(recording: Recording, steps: tuple[CapacityStep, ...]) -> str:
    told = [_verdict(recording, steps) + "."]
    for one in steps:
        waited = seconds(one.p95_s) if math.isfinite(one.p95_s) else "aucune réponse"
        lack = f", {number(one.unsent)} que le client n’a pas pu envoyer" if one.unsent else ""
        told.append(
            f"À {number(one.rate_per_s)} demandées par seconde{NO_BREAK}: {number(one.answered_per_s, 0)} servies, "
            f"95 sur 100 en moins de {waited}{lack}."
        )
    return " ".join(told)
