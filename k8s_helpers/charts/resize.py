"""A pod resized while it works: each answer's time, and the limit that its container has."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from .._french import count, number, seconds, typeset
from ..recording import Recording, Run
from ..timeline.resize import ResizeSummary, resize_summary
from . import axes, figure, style

_WIDTH_IN, _HEIGHT_IN = 11.5, 5.0


def resize(recording: Recording) -> figure.DescribedFigure:
    """Draw the time of each answer before and after a resize, above the container's limit.

    Parameters
    ----------
    recording : Recording
        Of the experiment "resize".

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    run = figure.runs_of(recording, "un pod agrandi")[0]
    found = resize_summary(run)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, _HEIGHT_IN)
        grid = chart.add_gridspec(
            2,
            1,
            height_ratios=(1.7, 1.0),
            left=0.085,
            right=0.985,
            top=0.83,
            bottom=0.11,
            hspace=0.16,
        )
        above, below = (chart.add_subplot(grid[row]) for row in range(2))
        _answers(above, run, found)
        _limit(below, run)
        chart.text(0.012, 0.935, _verdict(found), fontsize=12.5, fontweight="bold")
        chart.text(0.012, 0.875, _refused(found), fontsize=10.5, color=style.TEXT)
    chart.alternative = typeset(
        f"Pod agrandi pendant qu’il travaille, {recording.where}, en {seconds(run.ended_s)} : durée de "
        f"chaque réponse, et limite de processeur du conteneur. {_verdict(found)}. {_refused(found)}."
    )
    return chart


def _answers(ax: Axes, run: Run, found: ResizeSummary) -> None:
    good = [one for one in run.requests if one.ok]
    times = [1000 * (one.answered_s - one.planned_s) for one in good]
    ax.plot(
        [one.planned_s for one in good],
        times,
        "o",
        color=style.BLUE,
        markersize=7,
        alpha=0.75,
        label="une réponse",
    )
    asked, done = run.mark("resize"), run.mark("resized")
    if asked and done:
        spans = (
            (0.0, asked.at_s, found.predicted_before),
            (done.at_s, run.ended_s, found.predicted_after),
        )
        for index, (begin_s, end_s, predicted) in enumerate(spans):
            low, high = (1000 * bound for bound in predicted)
            ax.fill_between(
                [begin_s, end_s],
                low,
                max(high, low + 8),
                color=style.lighter(style.GREEN, 0.6),
                linewidth=0,
                label=None if index else "prévu pour le calcul seul",
            )
    ax.set_ylim(0, 1.3 * max(times, default=1.0))
    ax.set_ylabel("réponse, ms")
    _finish(ax, run)
    ax.set_xlabel("")
    ax.tick_params(axis="x", labelbottom=False)
    ax.legend(loc="upper right", ncols=2)


def _limit(ax: Axes, run: Run) -> None:
    seen = [(one.at_s, 1000 * one.value) for one in run.samples if one.name == "limit_cores"]
    if seen:
        ax.step(
            [0.0, *(at_s for at_s, _ in seen), run.ended_s],
            [seen[0][1], *(value for _, value in seen), seen[-1][1]],
            where="post",
            color=style.INK,
            linewidth=2.4,
        )
        ax.set_ylim(0, 1.25 * max(value for _, value in seen))
    ax.set_ylabel("limite, millièmes\nde processeur")
    _finish(ax, run)


def _finish(ax: Axes, run: Run) -> None:
    ax.set_xlim(0, figure.until(run.ended_s))
    ax.set_xlabel(axes.X_LABEL)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    if asked := run.mark("resize"):
        ax.axvline(asked.at_s, color=style.VERMILION, linestyle=":", linewidth=1.6)


def _verdict(found: ResizeSummary) -> str:
    if found.before_s is None or found.after_s is None:
        return "Pas assez de réponses pour comparer"
    same = "même conteneur" if found.same_container else "un autre conteneur"
    return typeset(
        f"De {number(1000 * found.before_cores)}m à {number(1000 * found.after_cores)}m : réponse en "
        f"{seconds(found.before_s)}, puis en {seconds(found.after_s)} ; {same}, "
        f"{count(found.restarts, 'redémarrage')}"
    )


def _refused(found: ResizeSummary) -> str:
    kept = "la limite reste ce qu’elle était" if found.kept else "la limite a changé"
    return typeset(
        f"Demander plus que le nœud n’en a : refusé ({found.refusal or 'pas de réponse'}), et {kept}"
    )
