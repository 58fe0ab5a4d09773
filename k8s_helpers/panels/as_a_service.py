"""The panel of slide 1.03: who manages which layer, to read, then to find again by oneself."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets

from .._french import count, duration
from . import layers, panel
from .layers import PROVIDER, YOU

_COLOURS = {YOU: "#CFE3F3", PROVIDER: "#F6DCCB"}
_MARKS = {YOU: "●", PROVIDER: "○"}
_UNKNOWN = "?"


def as_a_service(model: str = "CaaS") -> panel.Panel:
    """Return the matrix "as a Service": choose a model, read who manages each layer.

    Parameters
    ----------
    model : str
        The one shown first: "On-Premise", "IaaS", "CaaS", "PaaS", "FaaS" or "SaaS".

    Raises
    ------
    UsageError
        There is no such model.
    """
    layers.managers(model)
    chosen = panel.choice("Modèle", list(layers.models()), model)
    return panel.Panel("Qui s’occupe de quoi ?", {"model": chosen}, render)


def as_a_service_quiz(model: str = "PaaS") -> panel.Panel:
    """Return the same matrix empty, to fill: the answer is marked at each choice.

    Raises
    ------
    UsageError
        There is no such model.
    """
    layers.managers(model)
    controls: dict[str, widgets.ValueWidget] = {
        "model": panel.choice("Modèle", list(layers.models()), model)
    }
    for rank, layer in enumerate(layers.layers()):
        controls[f"layer_{rank}"] = panel.choice(layer, [_UNKNOWN, YOU, PROVIDER], _UNKNOWN)
    return panel.Panel("À vous : qui s’occupe de quoi ?", controls, render_quiz)


def render(model: str) -> str:
    """Return a model's column as HTML, beside those of the others."""
    chosen = layers.models()[model]
    head = ["couche", *(_bold(name, name == model) for name in layers.models())]
    columns = {name: layers.managers(name) for name in layers.models()}
    rows = [
        [
            escape(layer),
            *(_cell(columns[name][layer], strong=name == model) for name in layers.models()),
        ]
        for layer in layers.layers()
    ]
    low_s, high_s = chosen.delay_s
    sentence = (
        f"<p>En <strong>{escape(model)}</strong>, {count(chosen.yours, 'couche')} sur {len(layers.layers())} "
        f"{'reste' if chosen.yours == 1 else 'restent'} à votre charge. "
        f"On y déploie {escape(chosen.unit)} ; par exemple : {escape(chosen.example)}. "
        f"De l’envie au service, de {duration(low_s)} à {duration(high_s)} (ordre de grandeur).</p>"
    )
    legend = f"{_MARKS[YOU]} vous, {_MARKS[PROVIDER]} le fournisseur"
    return panel.table(f"Qui a la charge de chaque couche : {legend}", head, rows) + sentence


def render_quiz(model: str, **placed: Any) -> str:
    """Return how an attempt at filling a model's column is marked, as HTML."""
    attempt = {
        layer: None if placed[f"layer_{rank}"] == _UNKNOWN else placed[f"layer_{rank}"]
        for rank, layer in enumerate(layers.layers())
    }
    marked = layers.mark(model, attempt)
    if marked.passed:
        return f"<p><strong>✔ {escape(model)} : tout est à sa place.</strong></p>"
    marks = f"<p>{count(len(marked.right), 'couche bien placée', 'couches bien placées')}"
    if marked.wrong:
        names = ", ".join(f"« {escape(layer)} »" for layer in marked.wrong)
        marks += f" ; <strong>✘ à revoir</strong> : {names}"
    if marked.left:
        marks += f" ; {count(len(marked.left), 'couche')} encore à placer"
    return marks + ".</p>"


def _bold(text: str, strong: bool) -> str:
    return f"<strong>{escape(text)}</strong>" if strong else escape(text)


def _cell(who: str, *, strong: bool) -> str:
    words = f"{_MARKS[who]} {who}"
    if not strong:
        return f"<span title='{who}' aria-label='{who}'>{_MARKS[who]}</span>"
    return (
        f"<strong style='background:{_COLOURS[who]};color:#111827;padding:0 .4em'>{words}</strong>"
    )
