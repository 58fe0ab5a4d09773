"""Four kinds of probes in four lanes on one clock: what the program said, what each saw, what the kubelet did."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .. import _french
from .._french import NO_BREAK, count, seconds, typeset
from ..forecasts.span import Span
from ..recording import Recording, Run
from ..timeline.pods import PodLife, lives
from ..timeline.probe_kinds import KindSummary, kind_summaries, mark_s
from . import figure, style

_LANE_IN, _LEGEND_IN, _FOOT_IN = 1.35, 1.05, 0.6
_BAR = 0.36
_SAID_CHARS = 62
_DOWN: Mapping[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.GREY,
    "hatch": style.STARTING_HATCH,
    "linewidth": 1.0,
}
_LEAVES, _DIES = style.VERMILION, style.PURPLE
_BREAKS: Mapping[str, str] = {"tcp": "le port se ferme", "exec": "le fichier disparaît"}
_SEEN: Mapping[str, str] = {"tcp": "le port qui se ferme", "exec": "le fichier qui disparaît"}
_FAILS = "le programme se dit en panne"


def probe_kinds(recording: Recording) -> figure.DescribedFigure:
    """Draw each kind of probe in a lane of its own.

    Parameters
    ----------
    recording : Recording
        Of the experiment "probe_kinds".

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    run = figure.runs_of(recording, "les genres de sondes")[0]
    kinds = list(run.parameters["kinds"])
    found = {one.kind: one for one in kind_summaries(run)}
    height_in = _LANE_IN * len(kinds) + _LEGEND_IN + _FOOT_IN
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, height_in)
        top, bottom = 1 - _LEGEND_IN / height_in, _FOOT_IN / height_in
        ax = chart.add_axes((0.165, bottom, 0.44, top - bottom))
        _axes(ax, run, len(kinds))
        for lane, kind in enumerate(kinds):
            _lane(ax, run, kind, lane)
            _label(ax, kind, run.parameters["kinds"][kind]["asks"], lane)
            if kind in found:
                _outcome(ax, run, found[kind], lane)
        _legend(chart)
        look: dict[str, Any] = {"fontsize": 13, "fontweight": "bold", "color": style.INK}
        chart.text(0.165, 1 - 0.22 / height_in, _title(found.values()), va="center", **look)
    chart.alternative = _alternative(recording, found)
    return chart


def _zero_s(run: Run) -> float:
    return min((one.at_s for one in run.marks if one.kind == "fail"), default=0.0)


def _axes(ax: Axes, run: Run, lanes: int) -> None:
    zero_s = _zero_s(run)
    ax.set_xlim(-min(zero_s, 3.0), figure.until(max(run.ended_s - zero_s, 5.0)))
    ax.set_ylim(lanes - 0.5, -0.5)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _french.number(value)))
    ax.grid(axis="x", color=style.LIGHT, linewidth=0.8, zorder=0)
    ax.set_axisbelow(True)
    ax.set_xlabel("secondes depuis que les programmes se disent en panne")
    for lane in range(1, lanes):
        ax.axhline(lane - 0.5, color=style.LIGHT, linewidth=1)


def _label(ax: Axes, kind: str, asks: str, lane: int) -> None:
    look: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "annotation_clip": False,
        "ha": "right",
        "va": "center",
    }
    lines = [line for part in asks.split(", ") for line in textwrap.wrap(part, 24)]
    ax.annotate(
        kind, (0, lane), xytext=(-10, 10), fontsize=13, fontweight="bold", color=style.INK, **look
    )
    ax.annotate(
        "\n".join(lines),
        (0, lane),
        xytext=(-10, -6 - 6 * len(lines)),
        fontsize=9,
        color=style.TEXT,
        **look,
    )


def _lane(ax: Axes, run: Run, kind: str, lane: int) -> None:
    """Draw the pod's life: Ready or not, failures that the kubelet told, kills, and what was done to it."""
    zero_s, pod = _zero_s(run), f"sonde-{kind}"
    for life in lives(run):
        if life.pod == pod:
            _bars(ax, run, life, lane)
    failures = [
        one.at_s - zero_s for one in run.events if (one.reason, one.name) == ("Unhealthy", pod)
    ]
    failures = [at_s for at_s in failures if at_s >= 0]
    look: dict[str, Any] = {"marker": "x", "color": _LEAVES, "s": 34, "linewidths": 1.8}
    ax.scatter(failures, [lane + 0.33] * len(failures), zorder=4, **look)
    for what, text in (("fail", _FAILS), ("break", _BREAKS.get(kind))):
        at_s = mark_s(run, what, kind)
        if at_s is not None and text:
            _done(ax, at_s - zero_s, text, lane)


def _bars(ax: Axes, run: Run, life: PodLife, lane: int) -> None:
    zero_s = _zero_s(run)
    start_s = max(life.created_s - zero_s, ax.get_xlim()[0])
    ax.barh(lane, run.ended_s - zero_s - start_s, left=start_s, height=_BAR, zorder=2, **_DOWN)
    for ready in life.ready:
        left_s = max(ready.start_s - zero_s, start_s)
        width_s = ready.end_s - zero_s - left_s
        ax.barh(lane, width_s, left=left_s, height=_BAR, color=style.GREEN, zorder=3)


def _done(ax: Axes, at_s: float, text: str, lane: int) -> None:
    ax.plot([at_s, at_s], [lane - 0.42, lane + 0.42], color=style.INK, linestyle=":", linewidth=1.4)
    ax.annotate(
        text,
        (at_s, lane - 0.36),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=style.TEXT,
        zorder=7,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )


def _outcome(ax: Axes, run: Run, found: KindSummary, lane: int) -> None:
    """Draw what was foreseen under the bar, and say what came on the right."""
    origin_s = found.break_s - _zero_s(run)
    for span, colour in ((found.predicted_unready, _LEAVES), (found.predicted_kill, _DIES)):
        box = (span.lo_s + origin_s, lane - _BAR / 2 - 0.05)
        width_s = span.hi_s - span.lo_s
        look: dict[str, Any] = {"alpha": 0.25, "linewidth": 0, "color": colour, "zorder": 4}
        ax.add_patch(Rectangle(box, width_s, _BAR + 0.1, **look))
    if found.kill_s is not None:
        look = {"marker": "X", "s": 95, "color": style.INK, "edgecolors": "white"}
        ax.scatter(found.kill_s + origin_s, lane, zorder=6, **look)
    rows = [
        (_sees(found), style.INK, "bold"),
        (_instant("hors du Service", found.left_s, found.predicted_unready), style.TEXT, "normal"),
        (_instant("conteneur tué", found.kill_s, found.predicted_kill), style.TEXT, "normal"),
        (_back(found), style.TEXT, "normal"),
    ]
    said = textwrap.wrap(f"« {found.said} »", _SAID_CHARS, max_lines=2, placeholder=" … »")
    rows += [(line, style.GREY, "normal") for line in said if found.said]
    for index, (text, colour, weight) in enumerate(rows):
        ax.annotate(
            typeset(text),
            (1, lane),
            xycoords=("axes fraction", "data"),
            xytext=(16, 36 - 14.5 * index),
            textcoords="offset points",
            va="center",
            fontsize=10.5 if index == 0 else 9.5,
            fontweight=weight,
            color=colour,
            annotation_clip=False,
        )


def _sees(found: KindSummary) -> str:
    if found.sees_the_program:
        return "Voit la panne du programme"
    return f"Ne voit que {_SEEN.get(found.kind, 'la panne suivante')}"


def _instant(words: str, at_s: float | None, span: Span) -> str:
    told = f"jamais {words}" if at_s is None else f"{words} après {seconds(at_s)}"
    return f"{told} (prévu {span.words()})"


def _back(found: KindSummary) -> str:
    back = "" if found.back_s is None else f" ; de retour après {seconds(found.back_s)}"
    return f"{count(found.restarts, 'relance')}{back}"


def _title(found: Iterable[KindSummary]) -> str:
    sees = [one.kind for one in found if one.sees_the_program]
    blind = [one.kind for one in found if not one.sees_the_program]
    parts = [
        f"{' et '.join(kinds)} {words if len(kinds) > 1 else word}"
        for kinds, word, words in (
            (sees, "la voit", "la voient"),
            (blind, "regarde ailleurs", "regardent ailleurs"),
        )
        if kinds
    ]
    return typeset("La même panne dans chaque pod : " + " ; ".join(parts))


def _legend(chart: figure.DescribedFigure) -> None:
    mark: dict[str, Any] = {"linestyle": "", "markersize": 9}
    handles: list[Patch | Line2D] = [
        Patch(color=style.GREEN, label="Ready, dans le Service"),
        Patch(label="pas Ready", **_DOWN),
        Line2D([], [], marker="x", color=_LEAVES, label="échec dit par le kubelet", **mark),
        Line2D([], [], marker="X", color=style.INK, label="conteneur tué", **mark),
        Patch(facecolor=_LEAVES, alpha=0.3, label="départ du Service prévu"),
        Patch(facecolor=_DIES, alpha=0.3, label="arrêt prévu"),
    ]
    chart.legend(
        handles=handles,
        loc="upper left",
        ncols=3,
        bbox_to_anchor=(0.157, 1 - 0.38 / chart.get_figheight()),
    )


def _alternative(recording: Recording, found: Mapping[str, KindSummary]) -> str:
    told = [f"{_title(found.values())} ({recording.where})."]
    for one in found.values():
        left = _instant("hors du Service", one.left_s, one.predicted_unready)
        killed = _instant("conteneur tué", one.kill_s, one.predicted_kill)
        said = f" Le kubelet dit : « {one.said} »." if one.said else ""
        told.append(
            f"{one.kind} ({one.asks}){NO_BREAK}: {_sees(one).lower()} ; {left} ; {killed} ; {_back(one)}.{said}"
        )
    return typeset(" ".join(told))
