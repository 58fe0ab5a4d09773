"""Variants of probes under one clock: what clients saw, the container's life, results of probes, what was foreseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .. import _french
from ..forecasts.probe_spec import KINDS
from ..forecasts.span import Span
from ..recording import Recording, Run
from ..timeline.outcomes import Bin, bins
from ..timeline.pods import lives
from ..timeline.probes import ProbesSummary, probes_summary
from . import figure, probe_words, shapes, style, words

_BIN_S = 1.0
_CLIENTS, _LIFE, _FIRST_PROBE = 0.0, 1.25, 2.3
"""Heights of the lanes of a panel, downwards."""
_STEP = 0.72
_BAR = 0.62
_PANEL_IN, _LEGEND_IN, _FOOT_IN = 1.62, 1.0, 0.6
_READY, _KILL = style.GREEN, style.VERMILION
_MARKERS: Mapping[bool, Mapping[str, Any]] = {
    True: {"marker": "o", "color": style.BLUE, "s": 34},
    False: {"marker": "x", "color": style.VERMILION, "s": 38, "linewidths": 1.8},
}


def probes(
    recording: Recording, *, predictions: Mapping[str, object] | None = None
) -> figure.DescribedFigure:
    """Draw each variant in a panel of its own, all on the same time axis, verdicts in words on the right.

    Parameters
    ----------
    recording : Recording
        Of the experiment "probes".
    predictions : mapping, optional
        Instant of Ready that the student predicted, by variant, in seconds after the start of the container.

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    runs = figure.runs_of(recording, "les sondes")
    height_in = _PANEL_IN * len(runs) + _LEGEND_IN + _FOOT_IN
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, height_in)
        grid = chart.add_gridspec(
            len(runs),
            1,
            left=0.075,
            right=0.70,
            top=1 - _LEGEND_IN / height_in,
            bottom=_FOOT_IN / height_in,
            hspace=0.42,
        )
        end_s = max(run.ended_s - _zero(run) for run in runs)
        for index, run in enumerate(runs):
            ax = chart.add_subplot(grid[index, 0])
            _panel(ax, run, end_s)
            _verdict(ax, run, predictions)
            if index < len(runs) - 1:
                ax.tick_params(axis="x", labelbottom=False)
            else:
                ax.set_xlabel("secondes depuis « kubectl apply »")
        _legend(chart, runs)
    chart.alternative = probe_words.alternative(recording, predictions)
    return chart


def _zero(run: Run) -> float:
    mark = run.mark("apply")
    return mark.at_s if mark else 0.0


def _panel(ax: Axes, run: Run, end_s: float) -> None:
    found, zero_s = probes_summary(run), _zero(run)
    kinds = [kind for kind in KINDS if kind in run.parameters.get("probes", {})]
    rows = {"clients": _CLIENTS, "conteneur": _LIFE}
    rows |= {kind: _FIRST_PROBE + _STEP * index for index, kind in enumerate(kinds)}
    _clients(ax, run, found, zero_s)
    _life(ax, run, found, zero_s)
    for kind in kinds:
        asked = (one for one in run.probes if one.probe == kind)
        for ok, alike in groupby(asked, key=lambda one: one.ok):
            times = [one.at_s - zero_s for one in alike]
            ax.scatter(times, [rows[kind]] * len(times), zorder=4, **_MARKERS[ok])
    for span, measured_s, colour in (
        (found.predicted_ready, found.ready_s, _READY),
        (found.predicted_kill, found.kill_s, _KILL),
    ):
        _foreseen(ax, span, measured_s, found.started_s - zero_s, colour)
    ax.set_yticks(list(rows.values()), list(rows))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(_FIRST_PROBE + _STEP * (len(KINDS) - 0.5), -0.75)
    ax.set_xlim(0, figure.until(end_s))
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _french.number(value)))
    ax.grid(axis="x", color=style.LIGHT, linewidth=0.8, zorder=0)
    ax.set_axisbelow(True)
    if run.parameters.get("cut"):
        text = "arrêtée ici\npar l’expérience"
        ax.annotate(
            text,
            (run.ended_s - zero_s, _LIFE),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=style.GREY,
        )


def _clients(ax: Axes, run: Run, found: ProbesSummary, zero_s: float) -> None:
    """Draw a strip: answered, lost after a promise, or nobody behind the Service yet."""
    promised_s = None if found.first_failed_s is None else found.first_failed_s + found.started_s

    def outcome(one: Bin) -> tuple[float | None, bool]:
        """Return the share that was lost, None where nothing was sent, and whether nobody had been promised yet."""
        whole = sum(one.answered.values()) + one.failed
        return one.failed / whole if whole else None, promised_s is None or one.end_s <= promised_s

    low = _CLIENTS - _BAR / 2
    for (share, waiting), alike in groupby(bins(run.requests, _BIN_S), key=outcome):
        stretch = list(alike)
        start_s, end_s = stretch[0].start_s - zero_s, stretch[-1].end_s - zero_s
        for part, offset, look in (
            (1 - (share or 0.0), 0.0, {"color": style.BLUE, "linewidth": 0}),
            (share or 0.0, 1 - (share or 0.0), _WAITING if waiting else _LOST),
        ):
            if part and share is not None:
                middle = low + (offset + part / 2) * _BAR
                shapes.bar(ax, middle, start_s, end_s, part * _BAR, zorder=2, **look)


_LOST: Mapping[str, Any] = {
    "facecolor": style.VERMILION,
    "edgecolor": "white",
    "linewidth": 0,
    "hatch": style.LOST_HATCH,
}
_WAITING: Mapping[str, Any] = {"facecolor": style.LIGHT, "edgecolor": style.LIGHT, "linewidth": 0}
_STARTING: Mapping[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.GREY,
    "hatch": style.STARTING_HATCH,
    "linewidth": 1.0,
}
_OPEN: Mapping[str, Any] = {
    "facecolor": style.lighter(style.BLUE),
    "edgecolor": style.lighter(style.BLUE, 0.45),
    "linewidth": 0.8,
}


def _life(ax: Axes, run: Run, found: ProbesSummary, zero_s: float) -> None:
    """Draw each life of the container: port closed, port open, Ready (framed), and where it is killed."""
    listening = run.mark("listening")
    for start_s, stop_s in _stretches(run, found):
        open_s = stop_s
        if listening is not None and listening.at_s < stop_s:
            open_s = max(start_s, listening.at_s)
        for begin_s, end_s, look in ((start_s, open_s, _STARTING), (open_s, stop_s, _OPEN)):
            if end_s > begin_s:
                shapes.bar(ax, _LIFE, begin_s - zero_s, end_s - zero_s, _BAR, zorder=2, **look)
    for life in lives(run):
        for ready in life.ready:
            begin_s, end_s = ready.start_s - zero_s, ready.end_s - zero_s
            look = {"color": _READY, "zorder": 3}
            shapes.bar(ax, _LIFE + _BAR / 4, begin_s, end_s, _BAR / 2, **look)
    for at_s in found.kills_s:
        ax.scatter(
            at_s + found.started_s - zero_s,
            _LIFE,
            marker="X",
            s=95,
            color=style.INK,
            edgecolors="white",
            zorder=6,
        )


def _stretches(run: Run, found: ProbesSummary) -> Iterator[tuple[float, float]]:
    """Yield when the container ran: from each start to the death that follows, or to the end."""
    starts = sorted(one.at_s for one in run.pods if one.kind == "started")
    deaths = sorted(one.at_s for one in run.pods if one.kind == "died")
    for index, start_s in enumerate(starts):
        until_s = min((at_s for at_s in deaths if at_s > start_s), default=run.ended_s)
        yield found.started_s if index == 0 else start_s, until_s


def _foreseen(
    ax: Axes, span: Span | None, measured_s: float | None, origin_s: float, colour: str
) -> None:
    """Draw a bracket over the container's bar where an instant was foreseen, and a line where it came."""
    top = _LIFE - _BAR / 2 - 0.14
    if span is not None:
        width_s = max(span.hi_s - span.lo_s, 0.3)
        box = (span.lo_s + origin_s, top)
        look: dict[str, Any] = {"alpha": 0.22, "zorder": 1, "linewidth": 0, "color": colour}
        ax.add_patch(Rectangle(box, width_s, _BAR + 0.28, **look))
        left, right = box[0], box[0] + width_s
        ax.plot(
            [left, left, right, right],
            [top + 0.14, top, top, top + 0.14],
            color=colour,
            linewidth=1.8,
            zorder=5,
        )
    if measured_s is not None:
        ax.plot(
            [measured_s + origin_s] * 2,
            [top - 0.06, _LIFE + _BAR / 2 + 0.14],
            color=colour,
            linewidth=2.4,
            zorder=5,
        )


def _verdict(ax: Axes, run: Run, predictions: Mapping[str, object] | None) -> None:
    found = probes_summary(run)
    kill, why = probe_words.kill(found), probe_words.why(run)
    guess = words.predicted(predictions, run.name)
    rows = [
        (probe_words.title(run.name), style.INK, 12, "bold"),
        (probe_words.clients(found), style.VERMILION if found.failed else style.TEXT, 9.5, "bold"),
        (probe_words.ready(found), style.TEXT, 9.5, "normal"),
        (kill or why, style.TEXT, 9.5, "normal"),
        (f"{guess} s" if guess else "", style.TEXT, 9.5, "normal"),
    ]
    for index, (text, colour, size, weight) in enumerate(row for row in rows if row[0]):
        ax.annotate(
            _wrapped(text),
            (1.015, 1),
            xytext=(0, -10 - 19 * index - (11 if index > 1 else 0)),
            xycoords="axes fraction",
            textcoords="offset points",
            va="top" if index else "center",
            fontsize=size,
            fontweight=weight,
            color=colour,
            annotation_clip=False,
        )


def _wrapped(text: str, width: int = 52) -> str:
    """Put a text in two lines at most, cut between words."""
    if len(text) <= width:
        return text
    cut = text.rfind(" ", 0, width)
    return f"{text[:cut]}\n{text[cut + 1 :]}"


def _legend(chart: figure.DescribedFigure, runs: tuple[Run, ...]) -> None:
    handles: list[Patch | Line2D] = [
        Patch(color=style.BLUE, label="client servi"),
        Patch(label="requête perdue", **_LOST),
        Patch(label="pas encore de pod prêt", **_WAITING),
        Patch(label="port fermé", **_STARTING),
        Patch(label="port ouvert", **_OPEN),
        Patch(color=_READY, label="Ready"),
        Line2D(
            [], [], marker="X", color="white", markerfacecolor=style.INK, markersize=10, label="tué"
        ),
        Line2D(
            [],
            [],
            marker="o",
            color="white",
            markerfacecolor=style.BLUE,
            markersize=7,
            label="sonde réussie",
        ),
        Line2D(
            [],
            [],
            marker="x",
            linestyle="",
            color=style.VERMILION,
            markersize=7,
            label="sonde en échec",
        ),
        Patch(facecolor=_READY, alpha=0.3, label="Ready prévu"),
        Patch(facecolor=_KILL, alpha=0.3, label="arrêt prévu"),
    ]
    chart.legend(
        handles=handles,
        loc="upper left",
        ncols=6,
        bbox_to_anchor=(0.07, 1.0),
        columnspacing=1.6,
        handletextpad=0.6,
    )
    style.stand_in_badge(chart, runs)
