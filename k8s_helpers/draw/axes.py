"""The three views of one update, each on axes of its own, and what all axes are made of: bars, stairs, the time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from .. import _french, analysis
from ..analysis.pods import PhaseKind
from ..measure.recording import PodEventKind, Run
from . import figure, style

BIN_S = 0.5
_BINS_S = 25.0
"""A run this long at most has bins of `BIN_S`; those of one twice as long are twice as long."""
BAR = 0.62
"""Share of a row that a pod's bar takes."""

LOST: Mapping[str, Any] = {
    "facecolor": style.LOST,
    "edgecolor": "white",
    "linewidth": 0,
    "hatch": style.LOST_HATCH,
}
"""Of requests that were lost."""
DOWN: Mapping[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.GREY,
    "hatch": style.STARTING_HATCH,
    "linewidth": 1.0,
}
"""Of a program that runs and serves nobody yet."""

X_LABEL = "secondes depuis le début de l’enregistrement"
FRENCH = FuncFormatter(lambda value, _: _french.number(value))
"""Writes an axis' numbers as French does."""


def requests(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw requests per second by what became of them: answered by which version, or lost (hatched)."""
    with matplotlib.rc_context(style.RC):
        ax = new(ax)
        bins = analysis.bins(run.requests, _bin_s(run.ended_s))
        edges = [*(stretch.start_s for stretch in bins), *(last.end_s for last in bins[-1:])]
        base = [0.0] * len(bins)
        for version in sorted(versions(run)):
            rates = [stretch.rate_per_s(stretch.answered.get(version, 0)) for stretch in bins]
            name = version or "réponse"
            base = _layer(ax, edges, base, rates, color=style.version_colour(version), label=name)
        rates = [stretch.rate_per_s(stretch.failed) for stretch in bins]
        _layer(ax, edges, base, rates, label="requête perdue", **LOST)
        planned = float(run.parameters.get("rate_per_s", 0.0))
        sent = (stretch.rate_per_s(_whole(stretch)) for stretch in bins)
        ax.set_ylim(0, 1.3 * max([planned, *sent]) or 1.0)
        ax.set_ylabel("requêtes / s")
        seconds_axis(ax, run)
        _outages(ax, run, words=True)
    return ax


def _bin_s(length_s: float) -> float:
    """Return how long the bins of a run are: longer ones where many would make a bar code of chance."""
    return BIN_S * 2.0 ** max(0, math.ceil(math.log2(max(length_s, 1.0) / _BINS_S)))


def _layer(
    ax: Axes, edges: list[float], base: list[float], rates: list[float], **look: Any
) -> list[float]:
    """Draw rates on top of others, and return the new top."""
    top = [low + rate for low, rate in zip(base, rates, strict=True)]
    if any(rates):
        stairs(ax, edges, base, top, **look)
    return top


def pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the life of each pod, one row each: dotted while not ready, solid when ready, light while it ends."""
    with matplotlib.rc_context(style.RC):
        ax = new(ax)
        rows = in_order(analysis.lives(run))
        for row, pod in enumerate(rows):
            life(ax, pod, row, run.ended_s)
        rows_axis(ax, len(rows))
        ax.set_yticks([])
        ax.set_ylabel("pods")
        seconds_axis(ax, run)
        _outages(ax, run, words=False)
    return ax


def rows_axis(ax: Axes, rows: int, levels: int = 2) -> None:
    """Make the vertical axis one of rows from the top, with room above them for names of marks on so many levels."""
    low, high = max(rows, 1) - 0.4, -0.6
    height_pt = ax.bbox.height * 72 / style.DPI
    names_pt = min(_PITCH_PT * levels + 4.0, 0.5 * height_pt)
    ax.set_ylim(low, high - (low - high) * names_pt / (height_pt - names_pt))


def restarting_pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods, with a mark at each restart of a container in place."""
    look = {"color": "white", "markeredgecolor": style.INK, "markersize": 9}
    return _pods_with(run, "restarted", ax, marker="o", **look)


def dying_pods(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw the lives of pods, with a cross at each death of a container in a pod that goes on."""
    look = {"color": style.VERMILION, "markersize": 7, "markeredgewidth": 2}
    return _pods_with(run, "died", ax, marker="x", **look)


def _pods_with(run: Run, kind: PodEventKind, ax: Axes | None, **look: Any) -> Axes:
    """Draw the lives of pods, and events of a kind in pods that were not told to end."""
    ax = pods(run, ax=ax)
    if points := points_of(run, kind):
        times, rows = zip(*points, strict=True)
        ax.plot(times, rows, linestyle="none", zorder=4, **look)
    return ax


def points_of(run: Run, kind: PodEventKind) -> list[tuple[float, int]]:
    """Return when, and in which row, something happened in pods that were not asked to end."""
    return [
        (event.at_s, row)
        for row, life in enumerate(in_order(analysis.lives(run)))
        for event in run.pods
        if event.uid == life.uid
        and event.kind == kind
        and event.at_s < (life.terminating_s or run.ended_s)
    ]


def life(ax: Axes, pod: analysis.PodLife, row: int, ended_s: float) -> None:
    """Draw one pod's life in a row: dotted while not ready, solid when ready, light while it ends."""
    for phase in pod.phases(ended_s):
        start_s, end_s = max(0.0, phase.start_s), min(ended_s, phase.end_s)
        if end_s > start_s:
            look = _look(phase.kind, style.version_colour(pod.version or ""))
            bar(ax, row, start_s, end_s, BAR, label=phase.kind, **look)


def replicas(run: Run, *, ax: Axes | None = None) -> Axes:
    """Draw how many pods were ready (thick) and how many there were (thin), and what the Deployment allows."""
    with matplotlib.rc_context(style.RC):
        ax = new(ax)
        steps = analysis.counts(run)
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
    answers = (request.version for request in run.requests if request.ok)
    return {version or "" for version in (*(event.version for event in run.pods), *answers)}


def in_order(lives: Iterable[analysis.PodLife]) -> list[analysis.PodLife]:
    """Return lives in the order of their rows."""
    return sorted(lives, key=_order)


def _order(life: analysis.PodLife) -> tuple[float, str, float, str]:
    """Put pods in the order in which they came, those that were there from the start in that in which they leave."""
    leaves_s = math.inf if life.terminating_s is None else life.terminating_s
    return max(0.0, life.created_s), life.version or "", leaves_s, life.pod


def new(ax: Axes | None) -> Axes:
    """Return the axes to draw on: those given, or new ones."""
    return figure.new(7.5, 2.6).subplots() if ax is None else ax


def _whole(stretch: analysis.Bin) -> int:
    return sum(stretch.answered.values()) + stretch.failed


def bar(ax: Axes, middle: float, start: float, end: float, height: float, **look: Any) -> Rectangle:
    """Draw a lying bar from `start` to `end`: it looks as one of `Axes.barh`, and costs a tenth.

    Matplotlib reckons the axes' limits anew at each of its own; here whoever draws gives the axes their limits.
    """
    if "color" in look:
        look["facecolor"] = look.pop("color")
    box = Rectangle((start, middle - height / 2), end - start, height, **look)
    ax.add_artist(box)
    return box


def stairs(
    ax: Axes, edges: Sequence[float], low: Sequence[float], high: Sequence[float], **look: Any
) -> StepPatch:
    """Fill the stretch between two values of each step, as cheaply; there is one edge more than steps."""
    look = {"baseline": low, "fill": True, "linewidth": 0, **look}
    steps = StepPatch(high, edges, **look)
    ax.add_artist(steps)
    return steps


def seconds_axis(ax: Axes, run: Run) -> None:
    """Make the horizontal axis that of a run's time."""
    ax.set_xlim(0, run.ended_s)
    ax.set_xlabel(X_LABEL)
    time_axis(ax, 6)


def time_axis(ax: Axes, ticks: int = 10) -> None:
    """Make the horizontal axis one of whole seconds, with so many ticks at most."""
    ax.xaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FRENCH)


def ruled(ax: Axes, ticks: int = 10) -> None:
    """Make axes ready for rows: a line at each tick of time, none beside the rows' names."""
    time_axis(ax, ticks)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=style.LIGHT, linewidth=0.8, zorder=0)
    ax.set_axisbelow(True)


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
    outages = analysis.outages(run.requests)
    for stretch in outages:
        ax.axvspan(stretch.start_s, stretch.end_s, color=style.OUTAGE, zorder=0, linewidth=0)
    if words and outages:
        longest = max(outages, key=lambda stretch: stretch.length_s)
        late = longest.start_s > 0.55 * run.ended_s
        ax.annotate(
            f"{_french.seconds(longest.length_s)} sans réponse",
            (longest.end_s if late else longest.start_s, 0.97),
            xycoords=ax.get_xaxis_transform(),
            xytext=(-3 if late else 3, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="top",
            color=style.LOST_TEXT,
            fontweight="bold",
            fontsize=10.5,
        )


def _band(ax: Axes, run: Run, peak: int) -> float:
    """Shade what `maxUnavailable` and `maxSurge` allow; return the top of what is drawn."""
    surge, unavailable = (
        run.parameters.get(name) for name in ("max_surge_pods", "max_unavailable_pods")
    )
    if surge is None or unavailable is None:
        return float(peak)
    replicas = run.parameters["replicas"]
    low, high = replicas - unavailable, replicas + surge
    ax.add_patch(
        Rectangle((0, low), run.ended_s, high - low, color=style.LIGHT, zorder=0, linewidth=0)
    )
    ax.text(
        0.99,
        0.97,
        f"maxUnavailable {unavailable} … maxSurge {surge}",
        transform=ax.transAxes,
        ha="right",
        va="top",
        color=style.GREY,
        fontsize=9,
    )
    return float(max(peak, high))


# What the experiment did and what broke in the cluster: vertical lines whose names keep clear of one another.

MARKS = {
    "apply": "kubectl apply",
    "switch": "bascule",
    "switch-back": "retour",
    "delete": "kubectl delete pod",
    "kill": "le processus meurt",
    "scale": "kubectl scale",
    "image": "kubectl set image",
    "stop": "arrêt",
    "start": "redémarrage",
    "label": "kubectl label",
    "undo": "rollout undo",
    "partition": "partition",
    "update": "mise à jour",
    "scale-down": "un seul pod",
    "break": "la sonde se casse",
    "repair": "réparation",
    "rolled-out": "rollout terminé",
    "flaky": "échecs",
    "well": "fin",
    "stuck": "bloqué",
    "mended": "réparé",
}
_LINES = {"switch": "-", "switch-back": "--", "stop": "--", "start": "-", "undo": "-"}
_INCIDENT = "-."
_LEVELS = 2
_BASELINE_PT = -11.0
_PITCH_PT = 13.0
_APART_PX = 8.0
"""Between two names on one level: closer ones read as one."""


class _Line(NamedTuple):
    at_s: float
    name: str
    style: str
    colour: str


def _lines(run: Run) -> list[_Line]:
    """Return the marks that have a name, and the first incident of each component, in the order of time."""
    lines = [
        _Line(mark.at_s, MARKS[mark.kind], _LINES.get(mark.kind, ":"), style.INK)
        for mark in run.marks
        if mark.kind in MARKS
    ]
    first = {incident.component: incident.at_s for incident in reversed(run.incidents)}
    lines += [
        _Line(at_s, f"incident{_french.NO_BREAK}: {name}", _INCIDENT, style.VERMILION)
        for name, at_s in first.items()
    ]
    return sorted(lines)


def mark_lines(ax: Axes, run: Run) -> None:
    """Draw a vertical line at each named mark and at each component's first incident."""
    for line in _lines(run):
        ax.axvline(line.at_s, color=line.colour, linestyle=line.style, linewidth=1.3)


def mark_names(ax: Axes, run: Run) -> None:
    """Write each line's name beside it at the top of the axes, a line lower where it would touch another one."""
    written: list[Text] = []
    for line in _lines(run):
        text = ax.annotate(
            line.name,
            (line.at_s, 1.0),
            xycoords=ax.get_xaxis_transform(),
            xytext=(4, _BASELINE_PT),
            textcoords="offset points",
            va="baseline",
            color=style.TEXT if line.colour == style.INK else line.colour,
            fontsize=9,
            zorder=3,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
        _keep_clear(text, written)
        written.append(text)


def _keep_clear(text: Text, others: list[Text]) -> None:
    """Turn a name to the left of its line where it would leave the axes, and lower it off the other names."""
    box = text.get_window_extent()
    assert text.axes is not None
    if box.x1 > text.axes.bbox.x1:
        text.set_horizontalalignment("right")
        text.set_position((-4, _BASELINE_PT))
    for level in range(1, _LEVELS + 1):
        box = text.get_window_extent()
        wide = Bbox.from_extents(box.x0 - _APART_PX, box.y0, box.x1 + _APART_PX, box.y1)
        if not any(wide.overlaps(other.get_window_extent()) for other in others):
            return
        text.set_position((text.get_position()[0], _BASELINE_PT - _PITCH_PT * level))


def write(
    ax: Axes,
    text: str,
    at: tuple[float, float],
    offset_pt: tuple[float, float] = (0, 0),
    *,
    size: float = 9.5,
    colour: str = style.TEXT,
    bold: bool = False,
    **look: Any,
) -> None:
    """Write a text beside a point.

    Parameters
    ----------
    at : tuple of float
        The point, on the axes' own scales; `xycoords` says which other ones.
    offset_pt : tuple of float
        From there, to the right and upwards.
    """
    look = {"va": "center", "annotation_clip": False, **look}
    ax.annotate(
        text,
        at,
        xytext=offset_pt,
        textcoords="offset points",
        fontsize=size,
        fontweight="bold" if bold else "normal",
        color=colour,
        **look,
    )
