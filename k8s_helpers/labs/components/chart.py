"""The cluster's parts as boxes, each with its health in colour and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes

from ..._french import typeset
from ...draw import boxes, figure, style
from ...measure.recording import Recording
from . import words
from .summary import ClusterParts, NodeFacts

_PLACES: Mapping[str, tuple[float, float]] = {
    "kube-apiserver": (3.4, 2.6),
    "etcd": (0.4, 1.5),
    "kube-scheduler": (0.4, 2.6),
    "kube-controller-manager": (0.4, 3.7),
}
_CLOUD_AT = (3.4, 3.7)
_WIDE, _TALL = 2.6, 0.85


def draw(recording: Recording) -> figure.DescribedFigure:
    """Draw control plane, nodes and add-ons, and who talks to whom."""
    facts = ClusterParts.of(recording)
    nodes, addons = facts.nodes[:3], facts.addons
    below = [(words.addon(name, up), up) for name, up in sorted(addons.items())]
    if words.by_agent(recording):
        below += [(role, True) for role in words.AGENT_ROLES]
    rows = math.ceil(len(below) / 2)
    height = max(5.2, 1.1 + 1.75 * len(nodes) + (0.75 + 0.85 * rows if below else 0))
    with matplotlib.rc_context(style.RC):
        chart, ax = boxes.canvas(12.0, 0.86 * height, 13.0, height)
        ax.text(0.1, 0.15, words.verdict(recording), fontsize=13, fontweight="bold", va="top")
        boxes.box(ax, (0.15, 0.85, 6.1, 4.0), words.PLANE, colour=style.BLUE, title=True)
        for name, up in facts.plane.items():
            _part(ax, _PLACES[name], name, words.ROLES[name], up)
            if name != "kube-apiserver":
                _, top = _PLACES[name]
                ends = (3.0, top + _TALL / 2), (3.4, 3.0)
                begin, end = reversed(ends) if name == "etcd" else ends
                boxes.arrow(ax, begin, end, colour=style.GREY)
        if not any(words.CLOUD in name for name in addons):
            cloud = (*_CLOUD_AT, _WIDE, _TALL)
            boxes.box(ax, cloud, words.NO_CLOUD, colour=style.GREY, size=8.5, dashed=True)
        for row, node in enumerate(nodes):
            _node(ax, 0.85 + 1.75 * row, node, words.kubelet(recording, node))
        if below:
            title = words.AGENT_TOO if words.by_agent(recording) else words.ADDONS
            _below(ax, 0.85 + 1.75 * len(nodes), title, below)
    chart.alternative = words.alternative(recording)
    return chart


def _part(ax: Axes, at: tuple[float, float], name: str, role: str, up: bool | None) -> None:
    colour = style.GREEN if up else style.GREY if up is None else style.VERMILION
    text = typeset(f"{words.sign(up)} {name}\n{role}")
    boxes.box(ax, (*at, _WIDE, _TALL), text, colour=colour, size=8.5, dashed=not up)


def _node(ax: Axes, top: float, node: NodeFacts, text: str) -> None:
    boxes.box(
        ax,
        (7.0, top, 5.85, 1.55),
        words.node(node),
        colour=style.PURPLE,
        title=True,
        size=9.5,
    )
    colour = style.GREEN if node.ready else style.VERMILION
    boxes.box(ax, (7.2, top + 0.5, _WIDE, _TALL), text, colour=colour, size=8.5)
    boxes.box(
        ax,
        (10.05, top + 0.5, _WIDE, _TALL),
        words.runtime(node),
        colour=style.GREY,
        size=8.5,
    )
    boxes.arrow(ax, (9.8, top + 0.92), (10.05, top + 0.92), colour=style.GREY)
    boxes.arrow(ax, (7.2, top + 0.92), (6.0, 3.0), colour=style.GREY)


def _below(ax: Axes, top: float, title: str, parts: Sequence[tuple[str, bool]]) -> None:
    """Draw what runs on nodes besides: its words, and whether it is well."""
    height = 0.6 + 0.85 * math.ceil(len(parts) / 2)
    boxes.box(ax, (7.0, top, 5.85, height), title, colour=style.PURPLE, title=True, size=9.5)
    for index, (text, up) in enumerate(parts):
        place = (7.2 + 2.85 * (index % 2), top + 0.5 + 0.85 * (index // 2), _WIDE, 0.72)
        colour = style.GREEN if up else style.VERMILION
        boxes.box(ax, place, text, colour=colour, size=8.2, dashed=not up)
