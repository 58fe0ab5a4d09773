"""A namespace as a map: rules of Ingresses on the left, Services in the middle, pods on the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import matplotlib
from matplotlib.axes import Axes

from ..._french import typeset
from ...draw import boxes, figure, style
from ...measure.recording import Recording
from . import words
from .summary import MappedPod, MappedService, NamespaceMap

_WIDE, _TALL, _GAP = 3.6, 0.85, 0.3
_COLUMNS = (0.2, 4.9, 9.6)
_TOP = 1.55

Named = TypeVar("Named", MappedPod, MappedService)


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw which request goes to which Service, and which pods its selector chooses."""
    facts = NamespaceMap.of(recording)
    services = _ordered(facts.services, [route.service for route in facts.routes])
    pods = _ordered(facts.pods, [name for service in services for name in service.pods])
    rows = max(len(facts.routes), len(services), len(pods), 1)
    height = _TOP + rows * (_TALL + _GAP) + 0.2
    with matplotlib.rc_context(style.RC):
        chart, ax = boxes.canvas(12.5, 0.9 * height, 13.4, height)
        ax.text(0.1, 0.12, words.verdict(recording), fontsize=13, fontweight="bold", va="top")
        for left, title in zip(_COLUMNS, words.COLUMNS, strict=True):
            ax.text(left, 1.0, typeset(title), fontsize=11, fontweight="bold", color=style.TEXT)
        middle = {
            service.name: _y(row, len(services), rows) for row, service in enumerate(services)
        }
        right = {pod.name: _y(row, len(pods), rows) for row, pod in enumerate(pods)}
        for row, route in enumerate(facts.routes):
            y = _y(row, len(facts.routes), rows)
            _box(ax, 0, y, words.route(route), style.PURPLE)
            if route.service in middle:
                _link(ax, 0, y, middle[route.service], style.PURPLE)
        for service in services:
            y, empty = middle[service.name], not service.pods
            colour = style.VERMILION if empty else style.BLUE
            _box(ax, 1, y, words.service(service), colour, dashed=empty)
            for name in service.pods:
                if name in right:
                    _link(ax, 1, y, right[name], style.BLUE)
        for pod in pods:
            colour = style.GREEN if pod.ready else style.GREY
            _box(ax, 2, right[pod.name], words.pod(pod), colour, dashed=not pod.ready)
    chart.alternative = words.alternative(recording)
    return chart


def _ordered(items: Iterable[Named], names: Sequence[str]) -> list[Named]:
    """Put things in the order in which what leads to them names them, so that lines cross little."""
    place = {name: index for index, name in reversed(list(enumerate(names)))}
    return sorted(items, key=lambda item: (place.get(item.name, len(names)), item.name))


def _y(row: int, of: int, rows: int) -> float:
    """Return the top of a box, columns that are shorter being centred."""
    return _TOP - 0.2 + (row + (rows - of) / 2) * (_TALL + _GAP)


def _box(
    ax: Axes, column: int, top: float, text: str, colour: str, *, dashed: bool = False
) -> None:
    place = (_COLUMNS[column], top, _WIDE, _TALL)
    boxes.box(ax, place, text, colour=colour, dashed=dashed, size=9)


def _link(ax: Axes, column: int, begin: float, end: float, colour: str) -> None:
    left = _COLUMNS[column] + _WIDE
    boxes.arrow(
        ax, (left, begin + _TALL / 2), (_COLUMNS[column + 1], end + _TALL / 2), colour=colour
    )
