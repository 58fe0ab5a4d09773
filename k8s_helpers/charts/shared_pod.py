"""A pod with two containers: what lies between them, and what each keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
from matplotlib.axes import Axes

from .._french import typeset
from ..recording import Recording
from ..timeline.shared_pod import FACTS
from . import boxes, figure, style

_SHOULD = {"network": True, "ports": True, "volume": True, "root": False, "processes": False}
"""What Kubernetes promises of each fact."""


def shared_pod(recording: Recording) -> figure.DescribedFigure:
    """Draw the pod, its two containers, what was found to be shared between them and what was not.

    Parameters
    ----------
    recording : Recording
        Of the experiment "shared_pod".
    """
    facts = {one["name"]: one for one in recording.runs[0].parameters["facts"]}
    with matplotlib.rc_context(style.RC):
        chart, ax = boxes.canvas(12.0, 6.4, 12.0, 7.4)
        ax.text(0.1, 0.12, _verdict(facts), fontsize=13, fontweight="bold", va="top")
        boxes.box(ax, (0.2, 0.75, 11.6, 6.5), "Pod « duo »", colour=style.BLUE, title=True)
        for left, name in ((0.5, "site"), (8.5, "voisin")):
            boxes.box(
                ax,
                (left, 1.4, 3.0, 5.6),
                f"Conteneur « {name} »",
                colour=style.PURPLE,
                title=True,
                fill="white",
            )
        if (note := _note(recording)) is not None:
            ax.text(6.0, 1.05, note, ha="center", va="center", fontsize=9, color=style.TEXT)
        for row, name in enumerate(("network", "ports", "volume")):
            _between(ax, 1.9 + 1.02 * row, facts[name])
        for row, name in enumerate(("root", "processes")):
            _apart(ax, 5.05 + 0.95 * row, facts[name])
    chart.alternative = _alternative(recording, facts)
    return chart


def _between(ax: Axes, top: float, fact: Mapping[str, Any]) -> None:
    """Draw what should be common as a bar from one container to the other."""
    colour = style.GREEN if fact["shared"] else style.VERMILION
    boxes.box(ax, (0.8, top, 10.4, 0.86), _words(fact), colour=colour, size=9.5)


def _apart(ax: Axes, top: float, fact: Mapping[str, Any]) -> None:
    """Draw what should be each one's own as two boxes with the finding between them."""
    colour = style.VERMILION if fact["shared"] else style.GREY
    for left in (0.8, 8.8):
        boxes.box(
            ax, (left, top, 2.4, 0.8), _OWN[fact["name"]], colour=colour, dashed=True, size=9.5
        )
    ax.text(6.0, top + 0.4, _words(fact), ha="center", va="center", fontsize=9.5, linespacing=1.35)


_OWN = {"root": "ses fichiers", "processes": "ses processus"}


def _words(fact: Mapping[str, Any]) -> str:
    sign = "partagé" if fact["shared"] else "pas partagé"
    return typeset(f"{FACTS[fact['name']]} — {sign}\n{fact['detail']}")


def _verdict(facts: Mapping[str, Mapping[str, Any]]) -> str:
    odd = [FACTS[name] for name, fact in facts.items() if fact["shared"] is not _SHOULD[name]]
    if odd:
        return typeset(f"Contrairement à un cluster de production, ici : {', '.join(odd)}")
    return "Ils partagent réseau et volume, ni processus ni racine"


def _note(recording: Recording) -> str | None:
    """Return what the embedded cluster does otherwise than others."""
    if recording.provider != "embedded":
        return None
    return typeset(
        "Cluster embarqué : l’adresse du pod ($BIND_ADDR) tient lieu de localhost, qui est celui de toute la machine"
    )


def _alternative(recording: Recording, facts: Mapping[str, Mapping[str, Any]]) -> str:
    told = " ; ".join(_words(fact).replace("\n", ", ") for fact in facts.values())
    end = _note(recording) or ""
    head = f"Pod à deux conteneurs, {recording.where}. {_verdict(facts)}."
    return typeset(f"{head} {told}. {end}".strip())
