"""How a quota fills up, and the answer to each pod."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from embedded_kubernetes.quantities import parse

from ..._french import NO_BREAK
from ...draw import figure, style
from ...draw.table import Table
from ...measure.recording import Recording, Run
from .codes import QuotaRun
from .words import RESOURCES, RUNS, verdict

_TITLE = "Un quota qui se remplit"
_REFUSED: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.VERMILION,
    "hatch": style.LOST_HATCH,
}


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw how pods fill each line of the quota, and the one that does not fit."""
    run = recording.run(QuotaRun.FILL)
    answer = verdict(run)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, 4.6)
        ax = chart.add_axes((0.15, 0.14, 0.83, 0.64))
        for row, name in enumerate(RESOURCES):
            _fill(ax, run, row, name)
        ax.axvline(100, color=style.VERMILION, linewidth=2)
        ax.set_ylim(3.5, -0.5)
        hard = run.parameters["hard"]
        ax.set_yticks(range(4), [f"{words} ({hard[name]})" for name, words in RESOURCES.items()])
        ax.set_xlim(0, 130)
        ax.set_xlabel("part du quota (%)")
        chart.text(0.02, 0.93, _TITLE, fontsize=13, fontweight="bold")
        chart.text(0.02, 0.86, answer, fontsize=11, fontweight="bold", color=style.LOST_TEXT)
        chart.legend(
            handles=[
                Patch(color=style.lighter(style.BLUE, 0.3), label="demandé par un pod accepté"),
                Patch(**_REFUSED, label="demandé par un pod refusé"),
            ],
            loc="upper right",
            ncols=2,
            bbox_to_anchor=(0.985, 0.96),
        )
    chart.alternative = f"{_TITLE}{NO_BREAK}: {answer}. " + " ".join(
        f"{pod}{NO_BREAK}: {reply} ({message})." for pod, reply, message in tabulate(recording).rows
    )
    return chart


def _fill(ax: Axes, run: Run, row: int, name: str) -> None:
    """Draw what each pod asks of one line of the quota, one after the other."""
    kind, _, resource = name.partition(".")
    total = parse(run.parameters["hard"][name])
    before = 0.0
    for index, step in enumerate(run.parameters["steps"]):
        asked, accepted = step["asked"][kind][resource], step["accepted"]
        share = float(100 * parse(asked) / total)
        blue = {"color": style.lighter(style.BLUE, 0.12 + 0.18 * index)}
        look: dict[str, Any] = blue if accepted else _REFUSED
        ax.barh(row, share, left=before, height=0.6, **look)
        ax.text(
            before + share / 2,
            row,
            f"{step['pod']}{NO_BREAK}: {asked}",
            ha="center",
            va="center",
            fontsize=9.5,
            color="white" if accepted and index < 2 else style.INK,
            bbox=None if accepted else {"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
        before += share


def tabulate(recording: Recording) -> Table:
    """Return the answer to each pod, and the API server's words."""
    header = ("pod", "réponse", "ce que dit l’API")
    rows = tuple(
        (
            f"{RUNS[run.name]} · {step['pod']}",
            "accepté" if step["accepted"] else "refusé",
            step["message"] or "–",
        )
        for run in recording.runs
        for step in run.parameters["steps"]
    )
    return Table("Ce que l’API répond sous un quota", header, rows)
