"""The same work under several processor limits: each answer's time as a point, one row a limit."""

from __future__ import annotations

import matplotlib
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from .._french import NO_BREAK, count, number, seconds
from ..recording import Recording
from ..timeline.throttling import ThrottlingSummary, throttling_summary
from . import figure, style

_ROW_IN = 0.95


def throttling(recording: Recording) -> figure.DescribedFigure:
    """Draw the time of each answer under each limit, the median, and what was predicted of the work alone.

    Parameters
    ----------
    recording : Recording
        Of the experiment "throttling".

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    runs = figure.runs_of(recording, "le bridage du processeur")
    found = [throttling_summary(run) for run in runs]
    work_ms = runs[0].parameters["cpu_ms"]
    title = f"{number(work_ms)}{NO_BREAK}ms de calcul par requête, selon la limite de processeur"
    height_in = 2.0 + _ROW_IN * len(found)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, height_in)
        ax = chart.add_axes((0.1, 0.55 / height_in, 0.87, 1 - 1.6 / height_in))
        for row, one in enumerate(found):
            times = [1000 * value for value in one.latencies_s]
            ax.plot(times, [row] * len(times), "o", color=style.BLUE, alpha=0.45, markersize=8)
            lo, hi = (1000 * bound for bound in one.predicted)
            ax.plot([lo, hi], [row - 0.3] * 2, color=style.GREEN, linewidth=5, marker="|")
            median_s = one.percentile_s(0.5)
            if median_s is not None:
                ax.plot([1000 * median_s] * 2, [row - 0.2, row + 0.2], color=style.INK, linewidth=3)
            ax.annotate(
                _times(one),
                (0, row + 0.38),
                xycoords=("axes fraction", "data"),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=9.5,
                color=style.TEXT,
            )
        ax.set_ylim(len(found) - 0.4, -0.6)
        ax.set_yticks(range(len(found)), [_name(one) for one in found])
        ax.set_xlim(left=0)
        ax.set_xlabel("durée d’une réponse (ms)")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        chart.text(0.012, 1 - 0.35 / height_in, title, fontsize=13, fontweight="bold")
        verdict = _verdict(found)
        chart.text(0.012, 1 - 0.65 / height_in, verdict, fontsize=11, fontweight="bold")
        chart.legend(
            handles=[
                Line2D([], [], linestyle="none", marker="o", color=style.BLUE, label="une réponse"),
                Line2D([], [], color=style.INK, linewidth=3, label="médiane"),
                Line2D(
                    [],
                    [],
                    color=style.GREEN,
                    linewidth=5,
                    label="prévu pour le calcul seul (noyau : tranches de 100 ms)",
                ),
            ],
            loc="upper right",
            ncols=3,
            bbox_to_anchor=(0.985, 1 - 0.75 / height_in),
        )
    told = " ".join(f"{_name(one).capitalize()}{NO_BREAK}: {_times(one)}." for one in found)
    chart.alternative = f"{title}, {recording.where}. {verdict}. {told}"
    return chart


def _name(summary: ThrottlingSummary) -> str:
    return "sans limite" if summary.limit == "sans" else f"limite {summary.limit}"


def _times(summary: ThrottlingSummary) -> str:
    median_s, late_s = summary.percentile_s(0.5), summary.percentile_s(0.95)
    if median_s is None or late_s is None:
        return "aucune réponse"
    lo, hi = (number(1000 * bound, 0) for bound in summary.predicted)
    foreseen = lo if lo == hi else f"{lo} à {hi}"
    words = f"médiane {_ms(median_s)}, 95{NO_BREAK}% en {_ms(late_s)}"
    return f"{words} (prévu {foreseen}{NO_BREAK}ms pour le calcul)"


def _ms(value_s: float) -> str:
    return f"{number(1000 * value_s, 0)}{NO_BREAK}ms" if value_s < 1 else seconds(value_s)


def _verdict(found: list[ThrottlingSummary]) -> str:
    restarts = sum(one.restarts for one in found)
    died = "personne n’en meurt" if not restarts else count(restarts, "redémarrage")
    return f"Le processeur se bride{NO_BREAK}: le travail attend, {died}. La mémoire, elle, tue"
