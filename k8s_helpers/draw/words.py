"""What a student predicted, in French words to put beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping

from .._french import NO_BREAK, number

_FRENCH_KEYS = {
    "rolling-naive": "rolling_naif",
    "blue-green": "bleu_vert",
    "no-probe": "sans_sonde",
    "slide": "diapositive",
    "impatient": "impatiente",
}


def guess(predictions: Mapping[str, object] | None, strategy: str) -> str | None:
    """Return what the student predicted for a strategy, None where nothing was predicted.

    Keys are the strategy's name, with hyphens or underscores, or its French name (`bleu_vert`).
    """
    for key in (strategy, strategy.replace("-", "_"), _FRENCH_KEYS.get(strategy, "")):
        value = (predictions or {}).get(key)
        if isinstance(value, int | float):
            return number(value, 0 if value == int(value) else 1)
        if value is not None and value is not ...:
            return str(value)
    return None


def predicted(predictions: Mapping[str, object] | None, strategy: str) -> str | None:
    """Return what the student predicted as words to put beside what was measured."""
    value = guess(predictions, strategy)
    return None if value is None else f"vous aviez prévu{NO_BREAK}{value}"
