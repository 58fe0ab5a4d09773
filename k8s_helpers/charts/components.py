"""The cluster's parts as boxes, each with its health in colour and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import matplotlib
from matplotlib.axes import Axes

from .._french import count, typeset
from ..recording import Recording
from . import boxes, figure, style

_ROLES: Mapping[str, str] = {
    "kube-apiserver": "la seule porte : tout passe par elle",
    "etcd": "garde tous les objets",
    "kube-scheduler": "choisit un nœud pour chaque pod",
    "kube-controller-manager": "compare le désiré au réel, et corrige",
}
_PLACES: Mapping[str, tuple[float, float]] = {
    "kube-apiserver": (3.4, 2.6),
    "etcd": (0.4, 1.5),
    "kube-scheduler": (0.4, 2.6),
    "kube-controller-manager": (0.4, 3.7),
}
_WIDE, _TALL = 2.6, 0.85
_NO_ADDONS = (
    "Aucun pod dans kube-system : ni CoreDNS ni kube-proxy ici,\n"
    "c’est le même programme que le kubelet qui tient leur rôle."
)


def components(recording: Recording) -> figure.DescribedFigure:
    """Draw control plane, nodes and add-ons, and who talks to whom.

    Parameters
    ----------
    recording : Recording
        Of the experiment "components".
    """
    found = recording.runs[0].parameters
    nodes: list[dict[str, Any]] = found["nodes"]
    shown = nodes[:3]
    addons: dict[str, bool] = found["addons"]
    rows = math.ceil(len(addons) / 2)
    height = max(5.2, 1.1 + 1.75 * len(shown) + (0.75 + 0.75 * rows if addons else 0))
    with matplotlib.rc_context(style.RC):
        chart, ax = boxes.canvas(12.0, 0.86 * height, 13.0, height)
        ax.text(0.1, 0.15, _verdict(recording), fontsize=13, fontweight="bold", va="top")
        boxes.box(ax, (0.15, 0.85, 6.1, 4.0), "Plan de contrôle", colour=style.BLUE, title=True)
        for name, up in found["plane"].items():
            _part(ax, _PLACES[name], name, _ROLES[name], up)
            if name != "kube-apiserver":
                _, top = _PLACES[name]
                ends = (3.0, top + _TALL / 2), (3.4, 3.0)
                begin, end = reversed(ends) if name == "etcd" else ends
                boxes.arrow(ax, begin, end, colour=style.GREY)
        for row, node in enumerate(shown):
            _node(ax, 0.85 + 1.75 * row, node)
        if addons:
            _addons(ax, 0.85 + 1.75 * len(shown), addons, rows)
        else:
            ax.text(7.0, 0.95 + 1.75 * len(shown), typeset(_NO_ADDONS), va="top", fontsize=9.5)
    chart.alternative = _alternative(recording)
    return chart


def _part(ax: Axes, at: tuple[float, float], name: str, role: str, up: bool | None) -> None:
    colour = style.GREEN if up else style.GREY if up is None else style.VERMILION
    words = f"{_sign(up)} {name}\n{role}"
    boxes.box(ax, (*at, _WIDE, _TALL), typeset(words), colour=colour, size=8.5, dashed=not up)


def _sign(up: bool | None) -> str:
    return "✔" if up else "?" if up is None else "✘"


def _node(ax: Axes, top: float, node: Mapping[str, Any]) -> None:
    boxes.box(
        ax,
        (7.0, top, 5.85, 1.55),
        f"Nœud {node['name']}",
        colour=style.PURPLE,
        title=True,
        size=9.5,
    )
    colour = style.GREEN if node["ready"] else style.VERMILION
    words = f"{_sign(node['ready'])} kubelet {node['kubelet']}\nfait vivre les pods du nœud"
    boxes.box(ax, (7.2, top + 0.5, _WIDE, _TALL), words, colour=colour, size=8.5)
    boxes.box(
        ax,
        (10.05, top + 0.5, _WIDE, _TALL),
        f"{node['runtime']}\ndémarre les conteneurs",
        colour=style.GREY,
        size=8.5,
    )
    boxes.arrow(ax, (9.8, top + 0.92), (10.05, top + 0.92), colour=style.GREY)
    boxes.arrow(ax, (7.2, top + 0.92), (6.0, 3.0), colour=style.GREY)


def _addons(ax: Axes, top: float, addons: Mapping[str, bool], rows: int) -> None:
    boxes.box(
        ax,
        (7.0, top, 5.85, 0.6 + 0.75 * rows),
        "Des pods comme les autres, dans kube-system",
        colour=style.PURPLE,
        title=True,
        size=9.5,
    )
    for index, (name, up) in enumerate(sorted(addons.items())):
        place = (7.2 + 2.85 * (index % 2), top + 0.5 + 0.75 * (index // 2), _WIDE, 0.6)
        colour = style.GREEN if up else style.VERMILION
        boxes.box(ax, place, f"{_sign(up)} {name}", colour=colour, size=8.5, dashed=not up)


def _verdict(recording: Recording) -> str:
    found = recording.runs[0].parameters
    down = [name for name, up in {**found["plane"], **found["addons"]}.items() if up is False]
    down += [one["name"] for one in found["nodes"] if not one["ready"]]
    head = f"{recording.where.capitalize()}, Kubernetes {recording.kubernetes_version}"
    if down:
        return typeset(f"{head} : {', '.join(down)} ne va pas bien")
    return typeset(f"{head} : tout va bien ({count(found['checks'], 'contrôle')} de /readyz)")


def _alternative(recording: Recording) -> str:
    found = recording.runs[0].parameters
    plane = ", ".join(
        f"{name} ({_ROLES[name]}) {'va bien' if up else 'inconnu' if up is None else 'arrêté'}"
        for name, up in found["plane"].items()
    )
    nodes = ", ".join(
        f"{one['name']} {'prêt' if one['ready'] else 'pas prêt'} (kubelet {one['kubelet']}, {one['runtime']})"
        for one in found["nodes"]
    )
    addons = ", ".join(found["addons"]) or "aucun"
    return typeset(
        f"{_verdict(recording)}. Plan de contrôle : {plane}. Nœuds : {nodes}. Pods de kube-system : {addons}."
    )
