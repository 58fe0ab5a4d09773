"""A setting that changes under running pods: one lane a way of reading it, what it shows over time."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .. import _french
from .._french import NO_BREAK, seconds
from ..recording import Recording, Run
from ..timeline.configuration import (
    VALUE,
    WAYS,
    ConfigurationSummary,
    WaySummary,
    configuration_summary,
)
from . import figure, style

_HEIGHT = 0.5
_OLD, _NEW = style.BLUE, style.GREEN
_GAP_S = 1.0
"""Two samples further apart do not tell what was shown between them."""


def configuration(recording: Recording) -> figure.DescribedFigure:
    """Draw what each way of reading the setting showed: old value, new value, nothing.

    Parameters
    ----------
    recording : Recording
        Of the experiment "configuration".
    """
    run = recording.runs[0]
    summary = configuration_summary(run)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(12.5, 4.9)
        ax = chart.subplots()
        chart.subplots_adjust(left=0.185, right=0.985, top=0.72, bottom=0.13)
        for row, way in enumerate(WAYS):
            _lane(ax, run, row, way, summary)
        _acts(ax, run, summary)
        ax.set_xlim(0, figure.until(run.ended_s))
        ax.set_ylim(len(WAYS) - 0.35, -0.75)
        ax.set_yticks(range(len(WAYS)), list(WAYS.values()))
        ax.tick_params(axis="y", length=0, labelsize=11)
        ax.set_xlabel("secondes depuis le début de l’enregistrement")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _french.number(value)))
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
        chart.text(0.012, 0.935, _title(summary), fontsize=13, fontweight="bold", color=style.INK)
        chart.text(0.012, 0.875, _forecast(summary, recording.provider), color=style.TEXT)
        handles = [
            Patch(color=_OLD, label="montre le réglage 1 (l’ancien)"),
            Patch(color=_NEW, label="montre le réglage 2 (le nouveau)"),
            Patch(
                facecolor="white",
                edgecolor=style.GREY,
                hatch=style.STARTING_HATCH,
                label="délai prévu du fichier monté",
            ),
            Patch(facecolor="white", edgecolor=style.LIGHT, label="pas de réponse"),
        ]
        chart.legend(handles=handles, loc="upper left", ncols=4, bbox_to_anchor=(0.005, 0.86))
    chart.alternative = _alternative(recording, summary)
    return chart


def _lane(ax: Axes, run: Run, row: int, way: str, summary: ConfigurationSummary) -> None:
    """Draw one way: a bar in the colour of what it showed."""
    seen = [one for one in run.samples if one.name == VALUE and one.subject == way]
    for index, one in enumerate(seen):
        until_s = seen[index + 1].at_s if index + 1 < len(seen) else run.ended_s
        until_s = min(until_s, one.at_s + _GAP_S)
        colour = _NEW if one.value >= 2 else _OLD
        ax.barh(row, until_s - one.at_s, left=one.at_s, height=_HEIGHT, color=colour, linewidth=0)
    words = _delay(summary.way(way))
    at_s = min(summary_change(run) + 0.01 * run.ended_s, run.ended_s)
    ax.text(at_s, row - 0.33, words, va="bottom", fontsize=10, color=style.INK)


def summary_change(run: Run) -> float:
    """Return when the setting was changed."""
    mark = run.mark("change")
    return mark.at_s if mark else 0.0


def _acts(ax: Axes, run: Run, summary: ConfigurationSummary) -> None:
    """Mark the change, the restart and the interval in which the file was forecast to follow."""
    names = {"change": "le ConfigMap change", "restart": "redémarrage"}
    for mark in run.marks:
        if mark.kind in names:
            ax.axvline(mark.at_s, color=style.INK, linestyle=":", linewidth=1.3)
            late = mark.at_s > 0.85 * run.ended_s
            ax.annotate(
                names[mark.kind],
                (mark.at_s, 1.0),
                xycoords=ax.get_xaxis_transform(),
                xytext=(-4 if late else 4, -11),
                ha="right" if late else "left",
                textcoords="offset points",
                fontsize=9.5,
                color=style.TEXT,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )
    low_s, high_s = summary.predicted_s
    start_s = summary_change(run)
    row = list(WAYS).index("file")
    end_s = min(start_s + high_s, run.ended_s)
    ax.barh(
        row + 0.36,
        end_s - start_s - low_s,
        left=start_s + low_s,
        height=0.16,
        facecolor="white",
        edgecolor=style.GREY,
        hatch=style.STARTING_HATCH,
        linewidth=1.0,
    )


def _delay(way: WaySummary) -> str:
    if way.followed_s is not None:
        return f"suit sans redémarrage, après {seconds(way.followed_s)}"
    if way.restarted_s is not None:
        return f"ne suit qu’après le redémarrage ({seconds(way.restarted_s)})"
    return "n’a jamais suivi"


def _title(summary: ConfigurationSummary) -> str:
    """Tell in one line what followed by itself."""
    told = {one.way: one.followed_s for one in summary.ways if one.followed_s is not None}
    if list(told) == ["file"]:
        return f"Sans redémarrage, seul le fichier monté suit, en {seconds(told['file'])}"
    names = ", ".join(f"{WAYS[way]} ({seconds(delay_s)})" for way, delay_s in told.items())
    return f"Ont suivi sans redémarrage{NO_BREAK}: {names or 'aucune façon de lire le réglage'}"


def _forecast(summary: ConfigurationSummary, provider: str) -> str:
    low_s, high_s = summary.predicted_s
    found = summary.way("file").followed_s
    kept = "dans l’intervalle" if found is not None and low_s <= found <= high_s else "en dehors"
    words = (
        f"Prévu pour le fichier{NO_BREAK}: entre {seconds(low_s)} et {seconds(high_s)} ({kept})."
    )
    if provider == "embedded":
        words += " Raccourci ici : un kubelet ne relit un pod que toutes les 60 à 90 secondes."
    return _french.typeset(words)


def _alternative(recording: Recording, summary: ConfigurationSummary) -> str:
    told = [f"{WAYS[one.way]}{NO_BREAK}: {_delay(one)}" for one in summary.ways]
    head = (
        f"Un réglage change dans un ConfigMap pendant que les pods tournent ({recording.where}), puis les "
        f"pods sont redémarrés {seconds(summary.watched_s)} plus tard."
    )
    return f"{head} {' ; '.join(told)}. {_forecast(summary, recording.provider)}"
