"""What others have published, drawn with its source and its date: surveys, versions, levels, tools."""

from __future__ import annotations

import datetime
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch

from .._french import NO_BREAK, count, duration, number, typeset
from .._quoted import Quoted
from . import figure, style

_WIDTH_IN, _WIDE_IN = 9.5, 10.0
_SCALE = {
    1: "1 s",
    60: "1 min",
    3600: "1 h",
    86400: "1 jour",
    604800: "1 semaine",
    7776000: "3 mois",
}
"""Ticks, in seconds, and their words."""
_LEVELS = {
    "gradue": ("gradué", style.GREEN, ""),
    "incubation": ("incubation", style.BLUE, ""),
    "bac": ("bac à sable", "#E69F00", "...."),
    "": ("hors de la CNCF", style.GREY, ""),
}
"""By the name that data files give a level: in French, its colour, its hatch."""


def survey(quoted: Quoted) -> figure.DescribedFigure:
    """Draw the challenges that a survey found, each with whom it was asked.

    Parameters
    ----------
    quoted : Quoted
        "enquete_cncf".
    """
    challenges = quoted["defis"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, 1.2 + 0.85 * len(challenges))
        height = chart.get_figheight()
        ax = chart.add_axes((0.03, 0.95 / height, 0.94, 1 - 1.0 / height))
        for row, challenge in enumerate(challenges):
            percent = challenge["pourcent"]
            ax.barh(row, percent, height=0.4, color=(style.BLUE, style.GREEN)[row % 2])
            share = f"{percent}{NO_BREAK}%"
            ax.text(percent + 1, row, share, va="center", fontsize=13, weight="bold")
            who = f"{challenge['defi']}, dit par les {challenge['qui']}"
            ax.text(0, row - 0.29, who, va="bottom", fontsize=10.5)
        ax.set_xlim(0, 100)
        ax.set_ylim(len(challenges) - 0.6, -0.75)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("part des réponses de chaque groupe (%)")
        _credit(chart, quoted)
    shares = " ; ".join(
        f"{challenge['defi']}, {challenge['pourcent']} % ({challenge['qui']})"
        for challenge in challenges
    )
    bars = "Deux barres" if len(challenges) == 2 else count(len(challenges), "barre")
    chart.alternative = typeset(f"{bars}. {shares}. {quoted.credit}.")
    return chart


def releases(quoted: Quoted) -> figure.DescribedFigure:
    """Draw from when to when each minor version of Kubernetes was supported.

    Parameters
    ----------
    quoted : Quoted
        "versions_kubernetes".
    """
    versions = quoted["versions"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, 1.9 + 0.36 * len(versions))
        height = chart.get_figheight()
        ax = chart.add_axes((0.06, 0.75 / height, 0.91, 1 - 1.65 / height))
        for row, version in enumerate(versions):
            _release(ax, row, version, version["fin"] > quoted.date)
        ax.set_yticks(range(len(versions)), [version["version"] for version in versions])
        ax.set_ylim(len(versions) - 0.4, -0.6)
        ax.xaxis_date()
        ax.axvline(_day(quoted.date), color=style.INK, linewidth=1.3, linestyle="--")
        below = f"{_alive(quoted)} (trait) ; en gris, celles qui ne le sont plus"
        _title(chart, _pace(quoted), below)
        _credit(chart, quoted)
    chart.alternative = typeset(
        "Une barre par version mineure, de sa sortie à la fin de son support. "
        f"{_pace(quoted)} ; {_alive(quoted)}. {quoted.credit}."
    )
    return chart


def _release(ax: Axes, row: int, version: dict[str, Any], alive: bool) -> None:
    """Draw one version's bar with its months; grey where it is mended no more."""
    begin, end = version["sortie"], version["fin"]
    colour = style.BLUE if alive else style.GREY
    ax.barh(row, end - begin, left=begin, height=0.62, color=colour)
    look: dict[str, Any] = {"va": "center", "color": "white", "fontsize": 10}
    ax.text(begin + datetime.timedelta(days=8), row, f"{months(version):.0f} mois", **look)


def maintained(quoted: Quoted) -> list[str]:
    """Return the versions that were out and still mended when the file was written."""
    return [
        str(version["version"])
        for version in quoted["versions"]
        if version["sortie"] <= quoted.date < version["fin"]
    ]


def _alive(quoted: Quoted) -> str:
    alive = count(len(maintained(quoted)), "version corrigée", "versions corrigées")
    return f"{alive}, le {quoted.date:%d/%m/%Y}"


def _title(chart: figure.DescribedFigure, text: str, below: str = "") -> None:
    """Write above a figure what it says, in bold, and how to read it."""
    height = chart.get_figheight()
    y = 1 - 0.32 / height
    chart.text(0.02, y, typeset(text), fontsize=13, weight="bold", color=style.INK)
    if below:
        chart.text(0.02, 1 - 0.6 / height, typeset(below), fontsize=10, color=style.TEXT)


def delays(quoted: Quoted) -> figure.DescribedFigure:
    """Draw how long it takes from wish to service in each "as a Service" model, on a scale of powers of ten.

    Parameters
    ----------
    quoted : Quoted
        "as_a_service".
    """
    models = quoted["modeles"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, 1.9 + 0.5 * len(models))
        height = chart.get_figheight()
        ax = chart.add_axes((0.11, 0.95 / height, 0.86, 1 - 1.6 / height))
        _title(chart, _spread(models))
        for row, model in enumerate(models):
            low_s, high_s = model["delai_s"]
            ax.barh(row, high_s - low_s, left=low_s, height=0.5, color=style.BLUE)
            span = f"{duration(low_s)} à {duration(high_s)}"
            ax.text(high_s * 1.25, row, span, va="center", fontsize=10)
        ax.set_xscale("log")
        ax.set_xlim(0.5, 2e9)
        ax.set_xticks(list(_SCALE), list(_SCALE.values()))
        ax.minorticks_off()
        ax.set_yticks(range(len(models)), [model["nom"] for model in models])
        ax.set_ylim(len(models) - 0.4, -0.6)
        ax.set_xlabel(
            "de « je le veux » à « ça tourne », ordres de grandeur (échelle logarithmique)"
        )
        _credit(chart, quoted)
    spans = " ; ".join(
        f"{model['nom']}, de {duration(model['delai_s'][0])} à {duration(model['delai_s'][1])}"
        for model in models
    )
    chart.alternative = typeset(
        f"{_spread(models)}. Temps de déploiement, ordres de grandeur : {spans}. {quoted.credit}."
    )
    return chart


def _spread(models: list[dict[str, Any]]) -> str:
    """Say between which models the time to deployment differs most."""
    slowest = max(models, key=lambda model: model["delai_s"][1])
    quickest = min(models, key=lambda model: model["delai_s"][1])
    low, high = (duration(model["delai_s"][1]) for model in (quickest, slowest))
    return f"Pour déployer : jusqu’à {high} en {slowest['nom']}, {low} en {quickest['nom']}"


def levels(quoted: Quoted) -> figure.DescribedFigure:
    """Draw when each project joined the CNCF and reached each level.

    Parameters
    ----------
    quoted : Quoted
        "projets_cncf".
    """
    projects = quoted["projets"]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDE_IN, 2.0 + 0.36 * len(projects))
        height = chart.get_figheight()
        ax = chart.add_axes((0.27, 0.75 / height, 0.71, 1 - 1.75 / height))
        _title(chart, _ranks(quoted))
        for row, project in enumerate(projects):
            _stretches(ax, row, project, quoted.date)
        ax.set_yticks(range(len(projects)), _names(projects))
        ax.set_ylim(len(projects) - 0.4, -0.6)
        ax.set_xlim(_day(datetime.date(2016, 1, 1)), _day(quoted.date) + 60)
        ax.xaxis_date()
        ax.tick_params(axis="y", length=0)
        _legend(chart, ("bac", "incubation", "gradue"), 0.45)
        _credit(chart, quoted)
    histories = " ; ".join(map(_history, projects))
    chart.alternative = typeset(
        f"{_ranks(quoted)}. Une ligne par projet, de son entrée à la CNCF à cette date. {histories}. {quoted.credit}."
    )
    return chart


def _ranks(quoted: Quoted) -> str:
    """Say how many projects are at each level at the file's date."""
    now = [_steps(project)[-1][1] for project in quoted["projets"]]
    parts = [
        f"{now.count(name)} {'au ' if name == 'bac' else 'en ' if name == 'incubation' else ''}{_LEVELS[name][0]}"
        + ("s" if name == "gradue" and now.count(name) > 1 else "")
        for name in ("gradue", "incubation", "bac")
    ]
    return f"{count(len(now), 'projet')} de la CNCF, le {quoted.date:%d/%m/%Y} : {', '.join(parts)}"


def landscape(quoted: Quoted) -> figure.DescribedFigure:
    """Draw a map of tools: a box a need, a label a tool, coloured by its level.

    Parameters
    ----------
    quoted : Quoted
        "paysage".
    """
    needs = quoted["besoins"]
    columns, rows = 4, -(-len(needs) // 4)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDE_IN, 1.6 + 2.15 * rows)
        height = chart.get_figheight()
        ax = chart.add_axes((0.01, 0.4 / height, 0.98, 1 - 1.55 / height))
        below = "avec un point : une partie de Kubernetes, qui a son niveau sans en avoir reçu un à elle"
        _title(chart, _needs(needs), below)
        ax.set_xlim(0, columns)
        ax.set_ylim(rows, 0)
        ax.axis("off")
        for index, need in enumerate(needs):
            _box(ax, index % columns, index // columns, need)
        used = {tool.get("niveau", "") for need in needs for tool in need["outils"]}
        _legend(chart, tuple(name for name in _LEVELS if name in used), 0.7)
        _credit(chart, quoted)
    tools = ". ".join(
        f"{need['besoin']} : "
        + ", ".join(f"{tool['nom']} ({_level_words(tool)})" for tool in need["outils"])
        for need in needs
    )
    chart.alternative = typeset(f"{_needs(needs)}. {tools}. {quoted.credit}.")
    return chart


def _needs(needs: list[dict[str, Any]]) -> str:
    tools = sum(len(need["outils"]) for need in needs)
    return f"{count(len(needs), 'besoin')}, et les {tools} outils que ce cours nomme"


def _level_words(tool: dict[str, Any]) -> str:
    return _level(tool)[0] + (", comme partie de Kubernetes" if tool.get("de_kubernetes") else "")


def _names(projects: list[dict[str, Any]]) -> list[str]:
    return [f"{project['nom']} ({project['role']})" for project in projects]


def _level(tool: dict[str, Any]) -> tuple[str, str, str]:
    return _LEVELS[tool.get("niveau", "")]


def _box(ax: Axes, column: int, row: int, need: dict[str, Any]) -> None:
    frame = FancyBboxPatch(
        (column + 0.04, row + 0.05),
        0.92,
        0.88,
        boxstyle="round,pad=0,rounding_size=0.04",
        facecolor="#F9FAFB",
        edgecolor=style.LIGHT,
    )
    ax.add_patch(frame)
    ax.text(
        column + 0.5,
        row + 0.14,
        need["besoin"],
        ha="center",
        va="center",
        fontsize=11.5,
        weight="bold",
    )
    for place, tool in enumerate(need["outils"]):
        _, colour, _ = _level(tool)
        y = row + 0.24 + 0.168 * place
        box = FancyBboxPatch(
            (column + 0.1, y),
            0.8,
            0.135,
            boxstyle="round,pad=0,rounding_size=0.03",
            facecolor=style.lighter(colour),
            edgecolor=colour,
            linewidth=1.2,
        )
        ax.add_patch(box)
        name = tool["nom"] + (" •" if tool.get("de_kubernetes") else "")
        ax.text(column + 0.5, y + 0.068, name, ha="center", va="center", fontsize=10.5)


def _stretches(ax: Axes, row: int, project: dict[str, Any], today: datetime.date) -> None:
    """Draw one project's levels, each from its date to the next one's."""
    steps = _steps(project)
    ends = [when for when, _ in steps[1:]] + [today]
    for (begin, level), end in zip(steps, ends, strict=True):
        _, colour, hatch = _LEVELS[level]
        ax.barh(
            row,
            (end - begin).days,
            left=_day(begin),
            height=0.62,
            color=colour,
            hatch=hatch,
            edgecolor="white",
        )


def _day(when: datetime.date) -> float:
    """Return a date as matplotlib counts them: days since 1970."""
    return float((when - datetime.date(1970, 1, 1)).days)


def _steps(project: dict[str, Any]) -> list[tuple[datetime.date, str]]:
    """Return when a project reached each of its levels, in order.

    Who graduated without a date of incubation of its own came in at that level.
    """
    straight = project.get("au_depart") or (
        "incubation" if "gradue" in project and "incubation" not in project else "bac"
    )
    steps = [(project["entree"], straight)]
    steps += [(project[level], level) for level in ("incubation", "gradue") if level in project]
    return steps


def _history(project: dict[str, Any]) -> str:
    steps = ", ".join(f"{_LEVELS[level][0]} en {when.year}" for when, level in _steps(project))
    return f"{project['nom']} : {steps}"


def _legend(chart: figure.DescribedFigure, names: tuple[str, ...], top_in: float) -> None:
    """Put the legend of levels so many inches below the figure's top."""
    handles = [
        Patch(
            facecolor=_LEVELS[name][1],
            hatch=_LEVELS[name][2],
            edgecolor="white",
            label=_LEVELS[name][0],
        )
        for name in names
    ]
    place = (0.5, 1 - top_in / chart.get_figheight())
    chart.legend(handles=handles, loc="upper center", ncols=len(names), bbox_to_anchor=place)


def months(version: dict[str, Any]) -> float:
    """Return how long a version was supported, in months of 30.4 days."""
    return _months(version["sortie"], version["fin"])


def pace(quoted: Quoted) -> float:
    """Return the months from one minor version to the next, on average."""
    versions = quoted["versions"]
    return _months(versions[0]["sortie"], versions[-1]["sortie"]) / (len(versions) - 1)


def support(quoted: Quoted) -> float:
    """Return the months of support of a minor version, on average."""
    return sum(map(months, quoted["versions"])) / len(quoted["versions"])


def _months(begin: datetime.date, end: datetime.date) -> float:
    return (end - begin).days / (365.25 / 12)


def _pace(quoted: Quoted) -> str:
    return (
        f"{count(len(quoted['versions']), 'version')} : une tous les {number(pace(quoted), 1)} mois, "
        f"corrigée pendant {number(support(quoted), 0)} mois"
    )


def _credit(chart: figure.DescribedFigure, quoted: Quoted) -> None:
    """Write at the foot of a figure who says so, and when."""
    chart.text(
        0.02, 0.06 / chart.get_figheight(), quoted.credit, fontsize=8.5, color=style.TEXT, wrap=True
    )
