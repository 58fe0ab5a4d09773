"""Who manages which layer in each "as a Service" model: the matrix of slide 1.03, and the marking of an attempt."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from .._errors import UsageError
from .._quoted import quoted

YOU, PROVIDER = "vous", "le fournisseur"


@dataclass(frozen=True)
class Model:
    """One model.

    Attributes
    ----------
    name : str
        "IaaS".
    yours : int
        How many layers are yours, counted from the one nearest to the user.
    unit, example : str
        What one deploys there, and where; in French.
    delay_s : tuple of float
        Order of magnitude from wish to service: from … to …, in seconds.
    """

    name: str
    yours: int
    unit: str
    example: str
    delay_s: tuple[float, float]


@dataclass(frozen=True)
class Marked:
    """An attempt at one model, marked.

    Attributes
    ----------
    right, wrong, left : tuple of str
        Layers placed well, placed badly, not placed.
    """

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every layer is where it belongs."""
        return not self.wrong and not self.left


@functools.cache
def layers() -> tuple[str, ...]:
    """Return the layers, from the one nearest to the user to the one nearest to the ground."""
    return tuple(quoted("as_a_service")["couches"])


@functools.cache
def models() -> Mapping[str, Model]:
    """Return the models by name, from the one that leaves you most to the one that leaves you least."""
    return {
        plain["nom"]: Model(
            plain["nom"],
            plain["a_vous"],
            plain["unite"],
            plain["exemple"],
            (plain["delai_s"][0], plain["delai_s"][1]),
        )
        for plain in quoted("as_a_service")["modeles"]
    }


def managers(model: str) -> dict[str, str]:
    """Return who manages each layer: `YOU` or `PROVIDER`.

    Raises
    ------
    UsageError
        There is no such model.
    """
    if model not in models():
        raise UsageError(
            f"Lire le modèle « {model} »",
            "il n’est pas dans la matrice",
            f"Les modèles : {', '.join(models())}.",
        )
    yours = models()[model].yours
    return {layer: YOU if rank < yours else PROVIDER for rank, layer in enumerate(layers())}


def mark(model: str, attempt: Mapping[str, str | None]) -> Marked:
    """Mark who an attempt says manages each layer; a layer without an answer is left.

    Parameters
    ----------
    model : str
        "IaaS".
    attempt : mapping of str to str or None
        `YOU` or `PROVIDER` by layer.
    """
    expected = managers(model)
    placed = {layer: who for layer, who in attempt.items() if who is not None}
    return Marked(
        tuple(layer for layer in expected if placed.get(layer) == expected[layer]),
        tuple(layer for layer in expected if placed.get(layer, expected[layer]) != expected[layer]),
        tuple(layer for layer in expected if layer not in placed),
    )
