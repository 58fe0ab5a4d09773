"""The three views of one update, each on axes of its own: requests, lives of pods, how many pods."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .. import _french, timeline
from ..recording import Run
from ..timeline import PhaseKind
from . import figure, shapes, style

BIN_S = 0.5
BAR = 0.62
"""Share of a row that a pod's bar takes."""

_LOST: Mapping[str, Any] = {
    "facecolor": style.VERMILION,
    "edgecolor": "white",
    "linewidth": 0,
    "hatch": style.LOST_HATCH,
}

X_LABEL = "secondes depuis le début de l’enregistrement"


def requests(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw requests per second by what became of them: answered by which version, or lost (hatched).

    Parameters
    ----------
    run : Run
        What was recorded.
    ax : Axes, optional
        Where to draw; new ones otherwise.
    """
    with matplotlib.rc_context(style.RC):
        ax = new(ax)
        bins = timeline.bins(run.requests, BIN_S)
        edges = [*(one.start_s for one in bins), *(one.end_s for one in bins[-1:])]
        base = [0.0] * len(bins)
        for version in sorted(versions(run)):
            rates = [one.rate_per_s(one.answered.get(version, 0)) for one in bins]
            name = version or "réponse"
            base = _layer(ax, edges, base, rates, color=style.version_colour(version), label=name)
        rates = [one.rate_per_s(one.failed) for one in bins]
        _layer(ax, edges, base, rates, label="requête perdue", **_LOST)
        planned = float(run.parameters.get("rate_per_s", 0.0))
        ax.set_ylim(
            0,
            1.3 * max([planned, *(one.rate_per_s(_whole(one)) for one in bins)], default=0.0)
            or 1.0,
        )
        ax.set_ylabel("requêtes / s")
        seconds_axis(ax, run)
        _outages(ax, run, words=True)
    return ax


def _layer(
    ax: Axes, edges: list[float], base: list[float], rates: list[float], **look: Any
) -> list[float]:
    """Draw rates on top of others, and return the new top."""
    top = [low + rate for low, rate in zip(base, rates, strict=True)]
    if any(rates):
        shapes.stairs(ax, edges, base, top, **look)
    return top


def pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the life of each pod, one row each: dotted while not ready, solid when ready, light while it ends."""
    with matplotlib.rc_context(style.RC):
        ax = new(ax)
        found = in_order(timeline.lives(run))
        for row, one in enumerate(found):
            life(ax, one, row, run.ended_s)
        ax.set_ylim(max(len(found), 1) - 0.4, -1.9)
        ax.set_yticks([])
        ax.set_ylabel("pods")
        seconds_axis(ax, run)
        _outages(ax, run, words=False)
    return ax


def life(ax: Axes, one: timeline.PodLife, row: int, ended_s: float) -> None:
    """Draw one pod's life in a row: dotted while not ready, solid when ready, light while it ends."""
    for phase in one.phases(ended_s):
        start_s, end_s = max(0.0, phase.start_s), min(ended_s, phase.end_s)
        if end_s > start_s:
            look = _look(phase.kind, style.version_colour(one.version or ""))
            shapes.bar(ax, row, start_s, end_s, BAR, label=phase.kind, **look)


def replicas(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw how many pods were ready (thick) and how many there were (thin), and what the Deployment allows."""
    with matplotlib.rc_context(style.RC):
        ax = new(ax)
        steps = timeline.counts(run)
        times = [*(step.at_s for step in steps), run.ended_s]
        totals, ready = [step.total for step in steps], [step.ready for step in steps]
        thin: dict[str, Any] = {"color": style.GREY, "linewidth": 1.2, "label": "pods en tout"}
        thick: dict[str, Any] = {"color": style.INK, "linewidth": 2.2, "label": "pods prêts"}
        for values, look in ((totals, thin), (ready, thick)):
            ax.step(times, [*values, *values[-1:]] or [0], where="post", **look)
        peak = max((step.total for step in steps), default=0)
        ax.set_ylim(0, _band(ax, run, peak) + 1.7)
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.set_ylabel("nombre de pods")
        seconds_axis(ax, run)
        _outages(ax, run, words=False)
    return ax


def versions(run: Run) -> set[str]:
    """Return all versions that a run shows, by its pods or its answers."""
    return {one.version or "" for one in run.pods} | {
        one.version or "" for one in run.requests if one.ok
    }


def in_order(lives: Iterable[timeline.PodLife]) -> list[timeline.PodLife]:
    """Return lives in the order of their rows."""
    return sorted(lives, key=_order)


def _order(life: timeline.PodLife) -> tuple[float, str, float, str]:
    """Put pods in the order in which they came, those that were there from the start in that in which they leave."""
    leaves_s = math.inf if life.terminating_s is None else life.terminating_s
    return max(0.0, life.created_s), life.version or "", leaves_s, life.pod


def new(ax: Axes | None) -> Axes:
    """Return the axes to draw on: those given, or new ones."""
    return figure.new(7.5, 2.6).subplots() if ax is None else ax


def _whole(one: timeline.Bin) -> int:
    return sum(one.answered.values()) + one.failed


def seconds_axis(ax: Axes, run: Run) -> None:
    """Make the horizontal axis that of a run's time."""
    ax.set_xlim(0, figure.until(run.ended_s))
    ax.set_xlabel(X_LABEL)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _french.number(value)))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))


def _look(kind: PhaseKind, colour: str) -> dict[str, Any]:
    if kind == "ready":
        return {"color": colour}
    if kind == "terminating":
        return {
            "facecolor": style.lighter(colour),
            "edgecolor": style.lighter(colour, 0.45),
            "linewidth": 0.8,
        }
    return {
        "facecolor": "white",
        "edgecolor": colour,
        "hatch": style.STARTING_HATCH,
        "linewidth": 1.2,
    }


def _outages(ax: Axes, run: Run, *, words: bool) -> None:
    """Shade when nobody was answered, and say for how long above the longest of them."""
    found = timeline.outages(run.requests)
    for stretch in found:
        ax.axvspan(stretch.start_s, stretch.end_s, color=style.OUTAGE, zorder=0, linewidth=0)
    if words and found:
        longest = max(found, key=lambda stretch: stretch.length_s)
        late = longest.start_s > 0.55 * run.ended_s
        ax.annotate(
            f"{_french.seconds(longest.length_s)} sans réponse",
            (longest.end_s if late else longest.start_s, 0.97),
            xycoords=ax.get_xaxis_transform(),
            xytext=(-3 if late else 3, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="top",
            color=style.VERMILION,
            fontweight="bold",
            fontsize=10.5,
        )


def _band(ax: Axes, run: Run, peak: int) -> float:
    """Shade what `maxUnavailable` and `maxSurge` allow; return the top of what is drawn."""
    found = run.parameters
    if "max_surge_pods" not in found or "max_unavailable_pods" not in found:
        return float(peak)
    low, high = (
        found["replicas"] - found["max_unavailable_pods"],
        found["replicas"] + found["max_surge_pods"],
    )
    ax.add_patch(
        Rectangle((0, low), run.ended_s, high - low, color=style.LIGHT, zorder=0, linewidth=0)
    )
    ax.text(
        0.99,
        0.97,
        f"maxUnavailable {found['max_unavailable_pods']} … maxSurge {found['max_surge_pods']}",
        transform=ax.transAxes,
        ha="right",
        va="top",
        color=style.GREY,
        fontsize=9,
    )
    return float(max(peak, high))
