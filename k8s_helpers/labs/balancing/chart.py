"""Who answers behind a Service: shares beside what chance gives, and the endpoints while a pod dies."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ... import analysis
from ..._french import NO_BREAK, number
from ...analysis.pods import in_service
from ...draw import axes, figure, style
from ...draw.table import Table
from ...measure.recording import Recording, Run
from . import words
from .summary import shares

_PENDING = "<pending>"


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw answers by pod for new and for kept connections, and the endpoints while a pod is replaced.

    Parameters
    ----------
    recording : Recording
        Of the experiment "balancing"; runs that are not there yet are left out.
    """
    runs = {run.name: run for run in recording.runs}
    counted = [runs[name] for name in words.TITLES if name in runs]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, 5.0)
        grid = chart.add_gridspec(
            1,
            3,
            width_ratios=(1, 1, 1.6),
            left=0.05,
            right=0.99,
            top=0.84,
            bottom=0.12,
            wspace=0.16,
        )
        for index, run in enumerate(counted):
            _bars(chart.add_subplot(grid[0, index]), run)
        if "pod-dies" in runs:
            _endpoints(chart.add_subplot(grid[0, 2]), runs["pod-dies"])
    chart.alternative = words.alternative(recording, counted, runs.get("pod-dies"))
    return chart


def _bars(ax: Axes, run: Run) -> None:
    """Draw how many answers each pod gave, and where chance would have them."""
    counted = shares(run)
    mean, low, high = counted.expected
    replicas = int(run.parameters["replicas"])
    counts = [*counted.answers.values(), *[0] * (replicas - len(counted.answers))]
    behind = [pod for event in run.endpoints for pod in event.ready]
    pods = [*dict.fromkeys([*counted.answers, *behind])][: len(counts)]
    names = [pod[-5:] for pod in pods] + ["–"] * (len(counts) - len(pods))
    colour = style.BLUE if run.name == "new-connections" else style.PURPLE
    ax.bar(range(len(counts)), counts, width=0.6, color=colour, zorder=2)
    ax.axhspan(low, high, color=style.LIGHT, zorder=0, linewidth=0)
    ax.axhline(mean, color=style.GREY, linestyle="--", linewidth=1.2, zorder=1)
    for place, value in enumerate(counts):
        share = f"{100 * value / max(counted.total, 1):.0f}{NO_BREAK}%"
        ax.annotate(
            f"{number(value)}\n{share}",
            (place, value),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=9.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
            zorder=3,
        )
    top = max(*counts, high, 1)
    ax.set_ylim(0, 1.22 * top)
    ax.annotate(
        f"tirage équitable{NO_BREAK}: {number(low)} à {number(high)} (99,9{NO_BREAK}%)",
        (0.99, 0.985),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=9,
        color=style.GREY,
    )
    ax.set_xticks(range(len(names)), names)
    ax.set_xlabel("pod (fin de son nom)")
    ax.set_ylabel("réponses")
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    _head(ax, words.TITLES[run.name], words.verdict(run.name, counted))


def _endpoints(ax: Axes, run: Run) -> None:
    """Draw when each pod was among the Service's endpoints."""
    members = in_service(run, str(run.parameters["service"]))
    lives = [life for life in axes.in_order(analysis.lives(run)) if life.pod in members]
    for row, life in enumerate(lives):
        for stretch in members[life.pod]:
            ax.barh(row, stretch.length_s, left=stretch.start_s, height=axes.BAR, color=style.BLUE)
        ax.annotate(
            life.pod,
            (members[life.pod][0].start_s, row - axes.BAR / 2),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize=8.5,
            color=style.TEXT,
        )
    ax.set_ylim(len(lives) + 0.5, -1.5)
    ax.set_yticks([])
    ax.set_ylabel("endpoints du Service")
    ax.set_xlim(0, run.ended_s)
    ax.set_xlabel(axes.X_LABEL)
    before = run.parameters["addresses_before"]
    row = len(lives)
    ax.barh(row, run.ended_s, left=0, height=0.4, color=style.lighter(style.GREEN, 0.6))
    ax.annotate(
        f"Service{NO_BREAK}: {before['cluster_ip']}:{before['port']}, port de nœud {before['node_port']}",
        (run.ended_s / 2, row),
        ha="center",
        va="center",
        fontsize=9.5,
        color=style.INK,
    )
    axes.mark_lines(ax, run)
    axes.mark_names(ax, run)
    _head(ax, "Un pod disparaît", words.death(run))


def _head(ax: Axes, title: str, lines: tuple[str, str]) -> None:
    for text, height, size, weight in (
        (title, 38, 13, "bold"),
        (lines[0], 22, 10.5, "bold"),
        (lines[1], 7, 9.5, "normal"),
    ):
        ax.annotate(
            text,
            (0, 1),
            xytext=(0, height),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=size,
            fontweight=weight,
            color=style.INK if size == 13 else style.TEXT,
        )


def tabulate(recording: Recording) -> Table:
    """Return what each type of Service has got, as `kubectl get services` shows it."""
    rows = tuple(
        (
            service["type"],
            service["cluster_ip"] or "–",
            number(service["port"]) if service["port"] else "–",
            str(service["node_port"] or "–"),
            service["external"]
            or service["alias"]
            or (_PENDING if service["type"] == "LoadBalancer" else "–"),
        )
        for service in recording.run("types").parameters["types"]
    )
    header = ("type", "ClusterIP", "port", "port de nœud", "adresse externe")
    return Table("Ce que chaque type de Service a reçu", header, rows)
