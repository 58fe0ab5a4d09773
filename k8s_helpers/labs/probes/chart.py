"""Variants of probes under one clock: what clients saw, the container's life, results of probes, what was foreseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from ..._french import number
from ...analysis.pods import first_after, instants, lives
from ...draw import axes, figure, style, words
from ...draw.axes import write
from ...draw.table import Table
from ...forecasts.probe_spec import KINDS
from ...forecasts.span import Span
from ...measure.recording import Recording, Request, Run
from . import words as probe_words
from .codes import Loss, Moment
from .summary import ProbeFacts, ProbesSummary, loss, summarize

_BIN_S = 1.0
_CLIENTS, _LIFE, _FIRST_PROBE = 0.0, 1.25, 2.3
"""Heights of the lanes of a panel, downwards."""
_STEP = 0.72
_BAR = 0.62
_WIDTH_IN = 10.5
"""Narrow, so that its words can be read in a notebook beside the list of files."""
_HEAD_IN, _LANE_IN, _LEGEND_IN, _FOOT_IN = 0.92, 0.29, 1.3, 0.6
"""Heights of a panel's words, of a lane, of the legend, and of the time below."""
_LEFT, _RIGHT = 0.09, 0.985
_READY, _KILL = style.GREEN, style.VERMILION
_MARKERS: Mapping[bool, Mapping[str, Any]] = {
    True: {"marker": "o", "color": style.BLUE, "s": 34},
    False: {"marker": "x", "color": style.VERMILION, "s": 38, "linewidths": 1.8},
}
_LOSSES: Mapping[Loss, tuple[str, Mapping[str, Any]]] = {
    Loss.EMPTY: ("page sans données (200)", {"color": style.LOST, "linewidth": 0}),
    Loss.ERROR: ("erreur du programme (503)", axes.LOST),
    Loss.SILENCE: (
        "aucune réponse",
        {"facecolor": style.lighter(style.LOST), "edgecolor": style.LOST, "linewidth": 0.6},
    ),
}
"""Of lost requests: all in one colour, by what the client got."""
_OPEN: Mapping[str, Any] = {
    "facecolor": style.lighter(style.BLUE),
    "edgecolor": style.lighter(style.BLUE, 0.45),
    "linewidth": 0.8,
}


def draw(
    recording: Recording, *, predictions: Mapping[str, object] | None = None
) -> figure.DescribedFigure:
    """Draw each variant in a panel of its own, all on the same time axis, verdicts in words above it.

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
    heights_in = [_HEAD_IN + _LANE_IN * _lanes(run) for run in runs]
    height_in = sum(heights_in) + _LEGEND_IN + _FOOT_IN
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, height_in)
        end_s = max(run.ended_s - _zero(run) for run in runs)
        top_in = height_in - _LEGEND_IN
        for run, panel_in in zip(runs, heights_in, strict=True):
            top_in -= panel_in
            lanes_in = panel_in - _HEAD_IN
            ax = chart.add_axes((_LEFT, top_in / height_in, _RIGHT - _LEFT, lanes_in / height_in))
            _panel(ax, run, end_s)
            _verdict(ax, run, predictions)
            if run is runs[-1]:
                ax.set_xlabel("secondes depuis « kubectl apply »")
            else:
                ax.tick_params(axis="x", labelbottom=False)
        _legend(chart, runs)
    chart.alternative = probe_words.alternative(recording, predictions)
    return chart


def _lanes(run: Run) -> int:
    """Return how many lanes a panel has: clients, container, and each probe."""
    return 2 + len(ProbeFacts.of(run).probes)


def _zero(run: Run) -> float:
    mark = run.mark(Moment.APPLY)
    return mark.at_s if mark else 0.0


def _panel(ax: Axes, run: Run, end_s: float) -> None:
    summary, facts, zero_s = summarize(run), ProbeFacts.of(run), _zero(run)
    kinds = [kind for kind in KINDS if kind in facts.probes]
    places = {"clients": _CLIENTS, "conteneur": _LIFE}
    places |= {kind: _FIRST_PROBE + _STEP * index for index, kind in enumerate(kinds)}
    _clients(ax, run, zero_s)
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
    ax.set_ylim(_FIRST_PROBE + _STEP * (len(kinds) - 0.5), -0.55)
    ax.set_xlim(0, end_s)
    axes.ruled(ax)
    if facts.cut:
        text, end = "arrêtée ici\npar l’expérience", (run.ended_s - zero_s, _LIFE)
        write(ax, text, end, (5, 0), size=9, colour=style.GREY)


def _clients(ax: Axes, run: Run, zero_s: float) -> None:
    """Draw a strip: in each second, the share of requests that were answered, and of those lost in each way."""
    low = _CLIENTS - _BAR / 2
    for shares, alike in groupby(_seconds(run.requests), key=lambda second: second[1]):
        stretch = list(alike)
        start_s, end_s = stretch[0][0] - zero_s, stretch[-1][0] + _BIN_S - zero_s
        offset = 0.0
        for kind, share in shares:
            look = {"color": style.BLUE, "linewidth": 0} if kind is None else _LOSSES[kind][1]
            middle = low + (offset + share / 2) * _BAR
            axes.bar(ax, middle, start_s, end_s, share * _BAR, zorder=2, **look)
            offset += share


def _seconds(
    requests: Iterable[Request],
) -> Iterator[tuple[float, tuple[tuple[Loss | None, float], ...]]]:
    """Yield each second's beginning, and the shares of what became of the requests that were due in it."""
    sent = [request for request in requests if request.error != "unsent"]
    for second, due in groupby(sent, key=lambda request: int(request.planned_s / _BIN_S + 1e-6)):
        found = Counter(None if request.ok else loss(request) for request in due)
        kinds = [kind for kind in (None, *Loss) if found[kind]]
        yield second * _BIN_S, tuple((kind, found[kind] / found.total()) for kind in kinds)


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
    never = summary.ready_s is None and not summary.going_on
    clients = style.LOST_TEXT if summary.once_ready or never else style.TEXT
    instants_ = [probe_words.ready(summary), probe_words.kill(summary) or probe_words.why(run)]
    lines = [
        (probe_words.title(run.name), style.INK, 12.5, True),
        (probe_words.clients(summary), clients, 10.5, True),
        (
            " ; ".join([*filter(None, instants_), *([f"{guess} s"] if guess else [])]),
            style.TEXT,
            10.5,
            False,
        ),
    ]
    for index, (text, colour, size, bold) in enumerate(lines):
        look = {"xycoords": "axes fraction", "va": "baseline"}
        write(
            ax, text, (0, 1), (0, 7 + 16 * (2 - index)), size=size, colour=colour, bold=bold, **look
        )


def _legend(chart: figure.DescribedFigure, runs: tuple[Run, ...]) -> None:
    """Name what the three kinds of lanes show, each in a column of its own."""
    dot: dict[str, Any] = {"marker": "o", "color": "white", "markerfacecolor": style.BLUE}
    cross: dict[str, Any] = {"marker": "x", "linestyle": "", "color": style.VERMILION}
    kill: dict[str, Any] = {"marker": "X", "color": "white", "markerfacecolor": style.INK}
    groups: Mapping[str, list[Patch | Line2D]] = {
        "clients": [
            Patch(color=style.BLUE, label="page entière"),
            *(Patch(label=label, **look) for label, look in _LOSSES.values()),
        ],
        "conteneur": [
            Patch(label="port fermé", **axes.DOWN),
            Patch(label="port ouvert", **_OPEN),
            Patch(color=_READY, label="Ready"),
            Line2D([], [], markersize=10, label="tué", **kill),
        ],
        "sondes": [
            Line2D([], [], markersize=8, label="réussie", **dot),
            Line2D([], [], markersize=7, label="en échec", **cross),
            Patch(facecolor=_READY, alpha=0.3, label="Ready prévu ici"),
            Patch(facecolor=_KILL, alpha=0.3, label="arrêt prévu ici"),
        ],
    }
    for left, (title, handles) in zip((0.08, 0.40, 0.62), groups.items(), strict=True):
        legend = chart.legend(
            handles=handles,
            title=title,
            loc="upper left",
            bbox_to_anchor=(left, 1.0),
            alignment="left",
            title_fontproperties={"weight": "bold", "size": 10.5},
            labelspacing=0.25,
        )
        chart.add_artist(legend)
    style.stand_in_badge(chart, runs)


def tabulate(recording: Recording) -> Table:
    """Return each variant's instants of Ready and of the first kill, foreseen and measured."""
    header = (
        "variante",
        "Ready prévu",
        "mesuré",
        "premier arrêt prévu",
        "mesuré",
        "relances",
    )
    lines = tuple(
        (
            probe_words.title(summary.variant),
            probe_words.foreseen(summary.predicted_ready),
            probe_words.instant(summary.ready_s),
            probe_words.foreseen(summary.predicted_kill),
            probe_words.instant(summary.kill_s),
            number(summary.restarts),
        )
        for summary in map(summarize, recording.runs)
    )
    return Table("Prévu d’après le manifeste, et mesuré", header, lines)


def tabulate_clients(recording: Recording) -> Table:
    """Return how many requests of each variant were lost, all counted alike, and what their clients got."""
    header = (
        "variante",
        "envoyées",
        "perdues",
        *(label for label, _ in _LOSSES.values()),
        "perdues une fois Ready",
    )
    lines = tuple(
        (
            probe_words.title(summary.variant),
            number(summary.sent),
            number(summary.failed),
            *(number(summary.losses.get(kind, 0)) for kind in _LOSSES),
            number(summary.once_ready),
        )
        for summary in map(summarize, recording.runs)
    )
    return Table("Requêtes perdues : le client n’a pas eu la page demandée", header, lines)
