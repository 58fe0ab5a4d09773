"""Variants of probes under one clock: what clients saw, the container's life, results of probes, what was foreseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from ..._french import number
from ...analysis.outcomes import Bin, bins
from ...analysis.pods import first_after, instants, lives
from ...draw import axes, figure, style, words
from ...draw.axes import write
from ...draw.table import Table
from ...forecasts.probe_spec import KINDS
from ...forecasts.span import Span
from ...measure.recording import Recording, Run
from . import words as probe_words
from .codes import Moment
from .summary import ProbeFacts, ProbesSummary, summarize

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
_WAITING: Mapping[str, Any] = {"facecolor": style.LIGHT, "edgecolor": style.LIGHT, "linewidth": 0}
_OPEN: Mapping[str, Any] = {
    "facecolor": style.lighter(style.BLUE),
    "edgecolor": style.lighter(style.BLUE, 0.45),
    "linewidth": 0.8,
}


def draw(
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
    mark = run.mark(Moment.APPLY)
    return mark.at_s if mark else 0.0


def _panel(ax: Axes, run: Run, end_s: float) -> None:
    summary, facts, zero_s = summarize(run), ProbeFacts.of(run), _zero(run)
    kinds = [kind for kind in KINDS if kind in facts.probes]
    places = {"clients": _CLIENTS, "conteneur": _LIFE}
    places |= {kind: _FIRST_PROBE + _STEP * index for index, kind in enumerate(kinds)}
    _clients(ax, run, summary, zero_s)
    _life(ax, run, summary, zero_s)
    for kind in kinds:
        results = (result for result in run.probes if result.probe == kind)
        for ok, alike in groupby(results, key=lambda result: result.ok):
            times = [result.at_s - zero_s for result in alike]
            ax.scatter(times, [places[kind]] * len(times), zorder=4, **_MARKERS[ok])
    origin_s = summary.started_s - zero_s
    _foreseen(ax, summary.predicted_ready, summary.ready_s, origin_s, _READY)
    _foreseen(ax, summary.predicted_kill, summary.kill_s, origin_s, _KILL)
    ax.set_yticks(list(places.values()), list(places))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(_FIRST_PROBE + _STEP * (len(KINDS) - 0.5), -0.75)
    ax.set_xlim(0, end_s)
    axes.ruled(ax)
    if facts.cut:
        text, end = "arrêtée ici\npar l’expérience", (run.ended_s - zero_s, _LIFE)
        write(ax, text, end, (5, 0), size=9, colour=style.GREY)


def _clients(ax: Axes, run: Run, summary: ProbesSummary, zero_s: float) -> None:
    """Draw a strip: answered, lost after a promise, or nobody behind the Service yet."""
    first_s = summary.first_failed_s
    promised_s = None if first_s is None else first_s + summary.started_s

    def outcome(bin_: Bin) -> tuple[float | None, bool]:
        """Return the share that was lost, None where nothing was sent, and whether nobody had been promised yet."""
        whole = sum(bin_.answered.values()) + bin_.failed
        waiting = promised_s is None or bin_.end_s <= promised_s
        return bin_.failed / whole if whole else None, waiting

    low = _CLIENTS - _BAR / 2
    for (share, waiting), alike in groupby(bins(run.requests, _BIN_S), key=outcome):
        stretch = list(alike)
        start_s, end_s = stretch[0].start_s - zero_s, stretch[-1].end_s - zero_s
        for part, offset, look in (
            (1 - (share or 0.0), 0.0, {"color": style.BLUE, "linewidth": 0}),
            (share or 0.0, 1 - (share or 0.0), _WAITING if waiting else axes.LOST),
        ):
            if part and share is not None:
                middle = low + (offset + part / 2) * _BAR
                axes.bar(ax, middle, start_s, end_s, part * _BAR, zorder=2, **look)


def _life(ax: Axes, run: Run, summary: ProbesSummary, zero_s: float) -> None:
    """Draw each life of the container: port closed, port open, Ready (framed), and where it is killed."""
    listening = run.mark(Moment.LISTENING)
    for start_s, stop_s in _stretches(run, summary):
        open_s = stop_s
        if listening is not None and listening.at_s < stop_s:
            open_s = max(start_s, listening.at_s)
        for begin_s, end_s, look in ((start_s, open_s, axes.DOWN), (open_s, stop_s, _OPEN)):
            if end_s > begin_s:
                axes.bar(ax, _LIFE, begin_s - zero_s, end_s - zero_s, _BAR, zorder=2, **look)
    for life in lives(run):
        for ready in life.ready:
            begin_s, end_s = ready.start_s - zero_s, ready.end_s - zero_s
            look = {"color": _READY, "zorder": 3}
            axes.bar(ax, _LIFE + _BAR / 4, begin_s, end_s, _BAR / 2, **look)
    kills_s = [at_s + summary.started_s - zero_s for at_s in summary.kills_s]
    for at_s in kills_s:
        look = {"marker": "X", "s": 95, "color": style.INK, "edgecolors": "white"}
        ax.scatter(at_s, _LIFE, zorder=6, **look)


def _stretches(run: Run, summary: ProbesSummary) -> Iterator[tuple[float, float]]:
    """Yield when the container ran: from each start to the death that follows, or to the end."""
    for index, start_s in enumerate(instants(run, "started")):
        until_s = first_after(instants(run, "died"), start_s)
        yield summary.started_s if index == 0 else start_s, until_s or run.ended_s


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
    summary = summarize(run)
    guess = words.predicted(predictions, run.name)
    lost = style.LOST if summary.failed else style.TEXT
    lines = [
        (probe_words.title(run.name), style.INK, 12, True),
        (probe_words.clients(summary), lost, 9.5, True),
        (probe_words.ready(summary), style.TEXT, 9.5, False),
        (probe_words.kill(summary) or probe_words.why(run), style.TEXT, 9.5, False),
        (f"{guess} s" if guess else "", style.TEXT, 9.5, False),
    ]
    for index, (text, colour, size, bold) in enumerate(line for line in lines if line[0]):
        offset_pt = (0, -10 - 19 * index - (11 if index > 1 else 0))
        look = {"xycoords": "axes fraction", "va": "top" if index else "center"}
        text = _wrapped(text)
        write(ax, text, (1.015, 1), offset_pt, size=size, colour=colour, bold=bold, **look)


def _wrapped(text: str, width: int = 52) -> str:
    """Put a text in two lines at most, cut between words."""
    if len(text) <= width:
        return text
    cut = text.rfind(" ", 0, width)
    return f"{text[:cut]}\n{text[cut + 1 :]}"


def _legend(chart: figure.DescribedFigure, runs: tuple[Run, ...]) -> None:
    dot: dict[str, Any] = {"marker": "o", "color": "white", "markerfacecolor": style.BLUE}
    cross: dict[str, Any] = {"marker": "x", "linestyle": "", "color": style.VERMILION}
    kill: dict[str, Any] = {"marker": "X", "color": "white", "markerfacecolor": style.INK}
    handles: list[Patch | Line2D] = [
        Patch(color=style.BLUE, label="client servi"),
        Patch(label="requête perdue", **axes.LOST),
        Patch(label="pas encore de pod prêt", **_WAITING),
        Patch(label="port fermé", **axes.DOWN),
        Patch(label="port ouvert", **_OPEN),
        Patch(color=_READY, label="Ready"),
        Line2D([], [], markersize=10, label="tué", **kill),
        Line2D([], [], markersize=7, label="sonde réussie", **dot),
        Line2D([], [], markersize=7, label="sonde en échec", **cross),
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


def tabulate(recording: Recording) -> Table:
    """Return each variant's instants of Ready and of the first kill, foreseen and measured, and what clients lost."""
    header = (
        "variante",
        "Ready prévu",
        "mesuré",
        "premier arrêt prévu",
        "mesuré",
        "relances",
        "requêtes perdues",
    )
    lines = tuple(
        (
            probe_words.title(summary.variant),
            probe_words.foreseen(summary.predicted_ready),
            probe_words.instant(summary.ready_s),
            probe_words.foreseen(summary.predicted_kill),
            probe_words.instant(summary.kill_s),
            number(summary.restarts),
            number(summary.failed),
        )
        for summary in map(summarize, recording.runs)
    )
    return Table("Prévu d’après le manifeste, et mesuré", header, lines)
