"""The questions that the notebooks ask before a measure: `exercises/predictions.yaml`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from ._french import NO_BREAK, number
from ._paths import COURSE


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    text : str
        In French.
    unit : str
        Of the answer ("requêtes", "s"), "" where it has none.
    minimum, maximum : float
        Between which an answer makes sense.
    choices : tuple of str
        The possible answers, where it is not a number.
    """

    text: str
    unit: str = ""
    minimum: float = 0
    maximum: float = 1_000_000
    choices: tuple[str, ...] = ()

    def words(self, value: float | str | bool) -> str:
        """Write an answer with its unit."""
        if isinstance(value, str):
            return value
        return f"{number(value)}{NO_BREAK}{self.unit}" if self.unit else number(value)


@functools.cache
def questions() -> Mapping[str, Mapping[str, Question]]:
    """Return the questions of each slide, by slide id and name."""
    import yaml

    plain = yaml.safe_load((COURSE / "exercises" / "predictions.yaml").read_text(encoding="utf-8"))
    return {
        slide: {
            name: Question(**{**entry, "choices": tuple(entry.get("choices", ()))})
            for name, entry in asked.items()
        }
        for slide, asked in plain.items()
    }
