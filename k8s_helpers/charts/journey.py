"""A sequence diagram from measured times: who did what after one apply."""

from __future__ import annotations

import matplotlib

from .._french import NO_BREAK, number, seconds, typeset
from ..recording import Recording
from ..timeline.journey import Passage, passages
from . import boxes, figure, style

_ACTORS = {
    "you": "Vous\n(kubectl)",
    "api": "API server\n+ etcd",
    "deployment": "Contrôleur\ndes Deployments",
    "replicaset": "Contrôleur\ndes ReplicaSets",
    "scheduler": "Scheduler",
    "kubelet": "Kubelet\n(du nœud)",
    "endpoints": "Contrôleur des\nEndpointSlices",
}
_LEFT, _PITCH, _TOP, _ROW = 1.5, 2.0, 1.9, 0.95


def journey(recording: Recording) -> figure.DescribedFigure:
    """Draw the sequence diagram of one apply: time goes down, each row is a step, at the instant written on the left.

    Parameters
    ----------
    recording : Recording
        Of the experiment "journey".
    """
    found = passages(recording.runs[0])
    places = {name: _LEFT + 0.7 + _PITCH * index for index, name in enumerate(_ACTORS)}
    height = _TOP + _ROW * len(found) + 1.1
    width = _LEFT + _PITCH * len(_ACTORS) + 1.0
    with matplotlib.rc_context(style.RC):
        chart, ax = boxes.canvas(13.0, 0.72 * height, width, height)
        ax.text(
            0.1, 0.1, _verdict(found), fontsize=13, fontweight="bold", va="top", color=style.INK
        )
        for name, words in _ACTORS.items():
            x = places[name]
            colour = (
                style.BLUE if name == "api" else style.GREEN if name == "kubelet" else style.GREY
            )
            boxes.box(ax, (x - 0.85, 0.75, 1.7, 0.8), words, colour=colour, size=9)
            ax.plot(
                [x, x], [1.55, height - 0.85], color=style.lighter(style.GREY, 0.5), linewidth=1
            )
        before = ""
        for row, one in enumerate(found):
            woken = one.step.actor not in ("you", "api", before)
            _passage(ax, places, _TOP + 0.4 + _ROW * row, one, woken=woken)
            before = one.step.actor
        ax.text(0.1, height - 0.6, _resolution(found), fontsize=9, va="top", color=style.TEXT)
    chart.alternative = _alternative(recording, found)
    return chart


def _passage(
    ax: matplotlib.axes.Axes, places: dict[str, float], y: float, one: Passage, *, woken: bool
) -> None:
    """Draw a step at its row: the news that woke its actor in dashes, then what the actor wrote."""
    api, actor = places["api"], places[one.step.actor]
    words = typeset(one.step.words)
    ax.text(_LEFT - 0.25, y, _since(one), ha="right", va="center", fontsize=10.5, fontweight="bold")
    ax.text(
        ax.get_xlim()[1] - 0.1,
        y,
        one.stamp[11:19],
        ha="right",
        va="center",
        fontsize=9,
        color=style.GREY,
    )
    if one.step.actor == "api":
        boxes.arrow(ax, (api, y), (places["you"], y), words)
        return
    if woken:
        boxes.arrow(ax, (api, y - 0.42), (actor, y - 0.3), colour=style.GREY, dashed=True)
    boxes.arrow(ax, (actor, y), (api, y), words)


def _since(one: Passage) -> str:
    return (
        "0"
        if one.step.kind == "sent"
        else f"+{NO_BREAK}{number(1000 * one.since_s, 0)}{NO_BREAK}ms"
    )


def _verdict(found: tuple[Passage, ...]) -> str:
    times = {one.step.kind: one.since_s for one in found}
    ready = f"prêt {seconds(times['ready'])} après le apply" if "ready" in times else "jamais prêt"
    return typeset(
        f"Pod {ready} : chacun regarde l’API et fait sa part, personne n’appelle personne"
    )


def _resolution(found: tuple[Passage, ...]) -> str:
    stamps = {one.stamp[:19] for one in found if one.stamp}
    return typeset(
        "À gauche : réception de l’événement du watch (pointillés : ce qui réveille le composant), à quelques "
        "millisecondes près.\nÀ droite : l’heure UTC que l’API en garde, à la seconde ; "
        f"elle n’en distingue que {number(len(stamps))} pour {number(len(found) - 1)} étapes."
    )


def _alternative(recording: Recording, found: tuple[Passage, ...]) -> str:
    steps = " ; ".join(
        f"{_since(one)} {_ACTORS[one.step.actor].replace(chr(10), ' ')} {one.step.words}"
        for one in found
    )
    return typeset(
        f"Voyage d’un kubectl apply, {recording.where}. {_verdict(found)}. {steps}. "
        + _resolution(found).replace("\n", " ")
    )
