"""A namespace as a map: rules of Ingresses on the left, Services in the middle, pods on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

from .._french import count, typeset
from ..recording import Recording
from ..timeline.live_map import ways
from . import boxes, figure, style

_WIDE, _TALL, _GAP = 3.6, 0.85, 0.3
_COLUMNS = (0.2, 4.9, 9.6)
_TOP = 1.55


def live_map(recording: Recording) -> figure.DescribedFigure:
    """Draw which request goes to which Service, and which pods its selector chooses.

    Parameters
    ----------
    recording : Recording
        Of the experiment "live_map".
    """
    found = recording.runs[0].parameters
    routes: list[Mapping[str, Any]] = found["routes"]
    rules = [one["service"] for one in routes]
    services = _ordered(found["services"], rules)
    pods = _ordered(found["pods"], [name for one in services for name in one["pods"]])
    rows = max(len(routes), len(services), len(pods), 1)
    height = _TOP + rows * (_TALL + _GAP) + 0.2
    with matplotlib.rc_context(style.RC):
        chart, ax = boxes.canvas(12.5, 0.9 * height, 13.4, height)
        ax.text(0.1, 0.12, _verdict(recording), fontsize=13, fontweight="bold", va="top")
        for left, words in zip(
            _COLUMNS,
            ("Ingress : une règle par chemin", "Services : un sélecteur", "Pods : des étiquettes"),
            strict=True,
        ):
            ax.text(left, 1.0, typeset(words), fontsize=11, fontweight="bold", color=style.TEXT)
        middle = {one["name"]: _y(row, len(services), rows) for row, one in enumerate(services)}
        right = {one["name"]: _y(row, len(pods), rows) for row, one in enumerate(pods)}
        for row, one in enumerate(routes):
            y = _y(row, len(routes), rows)
            boxes.box(ax, (_COLUMNS[0], y, _WIDE, _TALL), _route(one), colour=style.PURPLE, size=9)
            if one["service"] in middle:
                _link(ax, 0, y, middle[one["service"]], style.PURPLE)
        for one in services:
            y, empty = middle[one["name"]], not one["pods"]
            colour = style.VERMILION if empty else style.BLUE
            boxes.box(
                ax,
                (_COLUMNS[1], y, _WIDE, _TALL),
                _service(one),
                colour=colour,
                dashed=empty,
                size=9,
            )
            for pod in one["pods"]:
                if pod in right:
                    _link(ax, 1, y, right[pod], style.BLUE)
        for one in pods:
            colour = style.GREEN if one["ready"] else style.GREY
            place = (_COLUMNS[2], right[one["name"]], _WIDE, _TALL)
            boxes.box(ax, place, _pod(one), colour=colour, dashed=not one["ready"], size=9)
    chart.alternative = _alternative(recording)
    return chart


def _ordered(found: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Mapping[str, Any]]:
    """Put things in the order in which what leads to them names them, so that lines cross little."""
    place = {name: index for index, name in reversed(list(enumerate(names)))}
    return sorted(found, key=lambda one: (place.get(one["name"], len(names)), one["name"]))


def _y(row: int, of: int, rows: int) -> float:
    """Return the top of a box, columns that are shorter being centred."""
    return _TOP - 0.2 + (row + (rows - of) / 2) * (_TALL + _GAP)


def _link(ax: Any, column: int, begin: float, end: float, colour: str) -> None:
    left = _COLUMNS[column] + _WIDE
    boxes.arrow(
        ax, (left, begin + _TALL / 2), (_COLUMNS[column + 1], end + _TALL / 2), colour=colour
    )


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "–"


def _route(one: Mapping[str, Any]) -> str:
    return f"{one['host']}{one['path']}\n({one['ingress']})"


def _service(one: Mapping[str, Any]) -> str:
    behind = (
        count(len(one["pods"]), "pod prêt", "pods prêts") if one["pods"] else "personne derrière"
    )
    return typeset(f"{one['name']} : {_labels(one['selector'])}\n{one['type']}, {behind}")


def _pod(one: Mapping[str, Any]) -> str:
    return f"{one['name']}\n{_labels(one['labels'])}"


def _verdict(recording: Recording) -> str:
    lost = [one for one in ways(recording) if not one.pods]
    head = f"Espace de noms {recording.runs[0].parameters['namespace']}"
    if not lost:
        return typeset(f"{head} : chaque règle mène à un pod prêt")
    return typeset(f"{head} : {', '.join(one.request for one in lost)} ne mène à personne")


def _alternative(recording: Recording) -> str:
    told = " ; ".join(
        f"{one.request} va au Service {one.service or 'inconnu'}, "
        + (f"donc à {', '.join(one.pods)}" if one.pods else "qui n’a aucun pod prêt")
        for one in ways(recording)
    )
    return typeset(f"{_verdict(recording)}. {told or 'Aucune règle d’Ingress'}.")
