"""What requests, limits and quotas made of pods: a table each, and how a quota fills up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
from matplotlib.patches import Patch

from .._french import NO_BREAK, number
from ..recording import Recording
from . import figure, style
from .table import Table

_SUFFIXES = {"m": 1e-3, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_NAMES = {
    "requests.cpu": "requests, processeur",
    "requests.memory": "requests, mémoire",
    "limits.cpu": "limits, processeur",
    "limits.memory": "limits, mémoire",
}


def amount(text: str) -> float:
    """Return a quantity as the API writes it ("500m", "4Gi", "2") as a number."""
    for suffix, factor in _SUFFIXES.items():
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * factor
    return float(text)


def _asked(found: Mapping[str, str]) -> str:
    return ", ".join(f"{value} {name}" for name, value in sorted(found.items())) or "–"


def qos_table(recording: Recording) -> Table:
    """Return each pod's requests, limits and class, expected and read."""
    header = ("pod", "requests", "limits", "classe prévue", "classe lue")
    rows = []
    for pod in recording.runs[0].parameters["pods"]:
        parts = [
            " ; ".join(_asked(container[kind]) for container in pod["containers"])
            for kind in ("requests", "limits")
        ]
        rows.append((pod["name"], *parts, pod["expected"], pod["found"]))
    return Table("Ce que l’API déduit des requests et des limits", header, tuple(rows))


def pending_table(recording: Recording) -> Table:
    """Return what each pod asked for, what became of it and what the scheduler said."""
    header = ("pod", "demande", "état", "ce que dit l’ordonnanceur")
    rows = tuple(
        (
            run.name,
            _asked(run.parameters["asked"]),
            run.parameters["state"],
            run.parameters["message"],
        )
        for run in recording.runs
    )
    return Table("Ce que l’ordonnanceur fait d’un pod", header, rows)


def quota_table(recording: Recording) -> Table:
    """Return the answer to each pod, and the API server's words."""
    header = ("pod", "réponse", "ce que dit l’API")
    rows = tuple(
        (
            f"{run.name} · {step['pod']}",
            "accepté" if step["accepted"] else "refusé",
            step["message"] or "–",
        )
        for run in recording.runs
        for step in run.parameters["steps"]
    )
    return Table("Ce que l’API répond sous un quota", header, rows)


def qos(recording: Recording) -> figure.DescribedFigure:
    """Draw the classes as a table."""
    return _tabular(qos_table(recording))


def pending(recording: Recording) -> figure.DescribedFigure:
    """Draw what became of each pod as a table."""
    return _tabular(pending_table(recording))


def _tabular(table: Table) -> figure.DescribedFigure:
    """Draw a table as an image, for where nothing else is shown; its text is the alternative."""
    lines = [table.header, *table.rows]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, 0.8 + 0.36 * len(lines))
        ax = chart.add_axes((0.02, 0.02, 0.96, 0.96))
        ax.set_axis_off()
        ax.set_ylim(len(lines) + 0.6, -1.2)
        ax.set_xlim(0, 1)
        ax.text(0, -0.7, table.caption, fontsize=13, fontweight="bold", color=style.INK)
        widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]
        total = sum(widths) + 3 * len(widths)
        size = min(10.5, 10.5 * 150 / total)
        for row, line in enumerate(lines):
            at = 0.0
            for cell, width in zip(line, widths, strict=True):
                bold = "bold" if row == 0 or at == 0.0 else "normal"
                ax.text(at, row + 0.4, cell, fontsize=size, fontweight=bold, color=style.TEXT)
                at += (width + 3) / total
            ax.axhline(row + 0.65, color=style.LIGHT, linewidth=1)
    rows = (
        ", ".join(
            f"{name}{NO_BREAK}: {cell}" for name, cell in zip(table.header, line, strict=True)
        )
        for line in table.rows
    )
    chart.alternative = f"{table.caption}. " + ". ".join(rows) + "."
    return chart


def quota(recording: Recording) -> figure.DescribedFigure:
    """Draw how pods fill each line of the quota, and the one that does not fit.

    Parameters
    ----------
    recording : Recording
        Of the experiment "quota".
    """
    run = recording.run("quota")
    hard = {name: amount(run.parameters["hard"][name]) for name in _NAMES}
    steps = run.parameters["steps"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, 4.6)
        ax = chart.add_axes((0.15, 0.14, 0.83, 0.64))
        for row, name in enumerate(_NAMES):
            kind, _, what = name.partition(".")
            before = 0.0
            for index, step in enumerate(steps):
                asked = step["asked"][kind][what]
                share = 100 * amount(asked) / hard[name]
                look: dict[str, Any] = (
                    {"color": style.lighter(style.BLUE, 0.12 + 0.18 * index)}
                    if step["accepted"]
                    else {
                        "facecolor": "white",
                        "edgecolor": style.VERMILION,
                        "hatch": style.LOST_HATCH,
                    }
                )
                ax.barh(row, share, left=before, height=0.6, **look)
                words = f"{step['pod']}{NO_BREAK}: {asked}"
                ax.text(
                    before + share / 2,
                    row,
                    words,
                    ha="center",
                    va="center",
                    fontsize=9.5,
                    color="white" if step["accepted"] and index < 2 else style.INK,
                    bbox=None
                    if step["accepted"]
                    else {"facecolor": "white", "edgecolor": "none", "pad": 1.5},
                )
                before += share
        ax.axvline(100, color=style.VERMILION, linewidth=2)
        ax.set_ylim(3.5, -0.5)
        labels = [f"{words} ({run.parameters['hard'][name]})" for name, words in _NAMES.items()]
        ax.set_yticks(range(4), labels)
        ax.set_xlim(0, 130)
        ax.set_xlabel("part du quota (%)")
        refused = [step["pod"] for step in steps if not step["accepted"]]
        taken = sum(step["accepted"] for step in steps)
        verdict = (
            f"{number(taken)} pods acceptés, {', '.join(refused)} refusé{NO_BREAK}: le quota est plein"
            if refused
            else f"{number(taken)} pods acceptés"
        )
        chart.text(0.02, 0.93, "Un quota qui se remplit", fontsize=13, fontweight="bold")
        chart.text(0.02, 0.86, verdict, fontsize=11, fontweight="bold", color=style.VERMILION)
        chart.legend(
            handles=[
                Patch(color=style.lighter(style.BLUE, 0.3), label="demandé par un pod accepté"),
                Patch(
                    facecolor="white",
                    edgecolor=style.VERMILION,
                    hatch=style.LOST_HATCH,
                    label="demandé par un pod refusé",
                ),
            ],
            loc="upper right",
            ncols=2,
            bbox_to_anchor=(0.985, 0.96),
        )
    table = quota_table(recording)
    chart.alternative = f"Un quota qui se remplit{NO_BREAK}: {verdict}. " + " ".join(
        f"{pod}{NO_BREAK}: {answer} ({said})." for pod, answer, said in table.rows
    )
    return chart
