"""What probes will ask and what follows, drawn before anything has happened: one life of a container, tick by tick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from .._french import NO_BREAK, count, number, typeset
from ..draw import axes, figure, style
from ..forecasts.probe_spec import KINDS, Answers
from ..forecasts.probe_ticks import ProbeCheck, ProbeCourse
from ..forecasts.probes import Forecast
from ..forecasts.span import Span

_WIDTH_IN = 11.0
_ROW_IN, _LEGEND_IN, _FOOT_IN = 0.5, 0.78, 0.62
_BAR = 0.56
_PROGRAM, _POD = "programme", "pod"

_CLOSED: Mapping[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.GREY,
    "hatch": style.STARTING_HATCH,
    "linewidth": 1.0,
}
_OPEN: Mapping[str, Any] = {"facecolor": style.lighter(style.BLUE), "edgecolor": style.BLUE}
_GOOD: Mapping[str, Any] = {"facecolor": style.BLUE}
_UNREADY: Mapping[str, Any] = {"facecolor": style.LIGHT}
_READY: Mapping[str, Any] = {"facecolor": style.GREEN}
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "passed": {"marker": "o", "color": style.BLUE, "s": 42},
    "failed": {"marker": "x", "color": style.VERMILION, "s": 46, "linewidths": 2.0},
    "silent": {"marker": "|", "color": style.GREY, "s": 46, "linewidths": 1.2},
}


def probe_timeline(
    course: ProbeCourse, foreseen: Forecast, answers: Answers, good_s: float
) -> figure.DescribedFigure:
    """Draw one life of a container: the program, whether its pod is Ready, each tick of its probes.

    Parameters
    ----------
    course : ProbeCourse
        Of `forecasts.probe_ticks.simulate`.
    foreseen : Forecast
        Of `forecasts.probes.forecast`: drawn as brackets, since ticks may fall otherwise.
    answers : Answers
        Of the program.
    good_s : float
        From when the program serves its clients well.
    """
    kinds = [kind for kind in KINDS if any(check.kind == kind for check in course.checks)]
    rows = {name: float(place) for place, name in enumerate((_PROGRAM, _POD, *kinds))}
    height_in = _ROW_IN * len(rows) + _LEGEND_IN + _FOOT_IN
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, height_in)
        ax = chart.add_axes(
            (0.1, _FOOT_IN / height_in, 0.88, 1 - (_LEGEND_IN + _FOOT_IN) / height_in)
        )
        _bars(ax, course, answers.listens.lo_s, good_s)
        for check in course.checks:
            ax.scatter(check.at_s, rows[check.kind], zorder=4, **_LOOKS[_look(check)])
        _bracket(ax, foreseen.ready, course.ready_s, 1.0, style.GREEN)
        _bracket(ax, foreseen.kill, course.killed_s, 0.0, style.VERMILION)
        if course.killed_s is not None:
            ax.scatter(
                course.killed_s,
                0,
                marker="X",
                s=120,
                color=style.INK,
                edgecolors="white",
                zorder=6,
            )
            if course.killed_s < good_s:
                _missed(ax, good_s)
        ax.set_yticks(list(rows.values()), list(rows), fontsize=11)
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(rows) - 0.5, -0.62)
        ax.set_xlim(0, course.until_s)
        axes.ruled(ax, 12)
        ax.set_xlabel("secondes depuis le démarrage du conteneur")
        _legend(chart)
    chart.alternative = alternative(course, foreseen)
    return chart


def _look(check: ProbeCheck) -> str:
    return "silent" if not check.asked else "passed" if check.ok else "failed"


def _bars(ax: Axes, course: ProbeCourse, listens_s: float, good_s: float) -> None:
    end_s = course.until_s if course.killed_s is None else course.killed_s
    ready_s = end_s if course.ready_s is None else course.ready_s
    for row, stretches in (
        (0.0, ((0.0, listens_s, _CLOSED), (listens_s, good_s, _OPEN), (good_s, end_s, _GOOD))),
        (1.0, ((0.0, ready_s, _UNREADY), (ready_s, end_s, _READY))),
    ):
        for begin_s, stop_s, look in stretches:
            begin_s, stop_s = min(begin_s, end_s), min(stop_s, end_s)
            if stop_s > begin_s:
                ax.barh(row, stop_s - begin_s, left=begin_s, height=_BAR, zorder=2, **look)


def _missed(ax: Axes, good_s: float) -> None:
    """Mark from when a program that was killed before would have served."""
    ax.plot([good_s] * 2, [-_BAR / 2, _BAR / 2], color=style.BLUE, linewidth=2, linestyle=":")
    ax.annotate(
        "aurait su répondre",
        (good_s, 0),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=10,
        color=style.TEXT,
    )


def _bracket(ax: Axes, span: Span | None, at_s: float | None, row: float, colour: str) -> None:
    """Draw where an instant may fall over its row, and where it falls here."""
    top, bottom = row - _BAR / 2 - 0.1, row + _BAR / 2 + 0.1
    if span is not None:
        width_s = max(span.hi_s - span.lo_s, 0.2)
        ax.add_patch(
            Rectangle(
                (span.lo_s, top),
                width_s,
                bottom - top,
                facecolor=colour,
                alpha=0.24,
                zorder=3,
                linewidth=0,
            )
        )
        left, right = span.lo_s, span.lo_s + width_s
        ax.plot(
            [left, left, right, right],
            [top + 0.1, top, top, top + 0.1],
            color=colour,
            linewidth=2,
            zorder=5,
        )
    if at_s is not None:
        ax.plot([at_s, at_s], [top - 0.04, bottom], color=colour, linewidth=2.6, zorder=5)


def _legend(chart: figure.DescribedFigure) -> None:
    marks = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=look["marker"],
            color=look["color"],
            markersize=8,
            markeredgewidth=1.8,
            label=label,
        )
        for look, label in (
            (_LOOKS["passed"], "sonde réussie"),
            (_LOOKS["failed"], "sonde en échec"),
            (_LOOKS["silent"], "pas de question"),
            ({"marker": "X", "color": style.INK}, "tué"),
        )
    ]
    boxes = [
        Patch(label="port fermé", **_CLOSED),
        Patch(label="port ouvert, pas prêt", **_OPEN),
        Patch(label="sait répondre", **_GOOD),
        Patch(label="pas Ready", **_UNREADY),
        Patch(label="Ready", **_READY),
        Patch(facecolor=style.GREEN, alpha=0.3, label="Ready possible"),
        Patch(facecolor=style.VERMILION, alpha=0.3, label="arrêt possible"),
    ]
    chart.legend(
        handles=[*boxes, *marks],
        loc="upper left",
        ncols=6,
        bbox_to_anchor=(0.005, 1.0),
        fontsize=9.5,
        columnspacing=1.3,
        handletextpad=0.5,
    )


def alternative(course: ProbeCourse, foreseen: Forecast) -> str:
    """Return the text alternative: how often each probe asks, and what follows."""
    sentences = []
    for kind in KINDS:
        asked = [check for check in course.checks if check.kind == kind and check.asked]
        if asked:
            failures = sum(not check.ok for check in asked)
            sentences.append(
                f"{kind} : {count(len(asked), 'question')} à partir de {number(round(asked[0].at_s, 1))} s, "
                f"dont {count(failures, 'échec')}"
            )
    head = f"Prévision sur {number(round(course.until_s))}{NO_BREAK}s. "
    probes = f"{' ; '.join(sentences)}. " if sentences else "Aucune question posée. "
    return typeset(head + probes + " ".join(foreseen.rows))
