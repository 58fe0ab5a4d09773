"""Numbers and words as French writes them, wherever a student reads them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from embedded_kubernetes.errors import system as system

NO_BREAK = "\u00a0"
THIN = "\u202f"


def number(value: float, decimals: int | None = None) -> str:
    """Write a number as French does: comma, groups of three apart ("1 234,5").

    Parameters
    ----------
    value : float
        The number.
    decimals : int, optional
        How many; otherwise none for a whole number, one for another.
    """
    if decimals is None:
        decimals = 0 if value == int(value) else 1
    text = f"{value:,.{decimals}f}"
    return text.replace(",", THIN).replace(".", ",").replace("-", "−")


def seconds(value: float) -> str:
    """Write a duration: "4,5 s", "12 s" from ten seconds on, "40 ms" below a tenth."""
    if 0.0005 <= value < 0.0995:
        return f"{number(value * 1000, 0)}{NO_BREAK}ms"
    return f"{number(value, 0 if value < 0.0005 or value >= 10 else 1)}{NO_BREAK}s"


_UNITS = (
    (90 * 60.0, 60.0, "min"),
    (48 * 3600.0, 3600.0, "h"),
    (10 * 86400.0, 86400.0, "jours"),
    (float("inf"), 7 * 86400.0, "semaines"),
)
"""Below how many seconds each unit is used, and what it is in seconds."""


def duration(value_s: float) -> str:
    """Write a duration in the unit that fits: "26 s", "43,8 min", "7,3 h", "3,7 jours", "12,9 semaines"."""
    if value_s < 0.0995:
        return seconds(value_s)
    if value_s < 90:
        return f"{number(round(value_s, 1 if value_s < 10 else None))}{NO_BREAK}s"
    unit_s, unit = next((unit_s, unit) for limit_s, unit_s, unit in _UNITS if value_s < limit_s)
    return f"{number(round(value_s / unit_s, 1))}{NO_BREAK}{unit}"


def count(value: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun, which is plural from two on ("0 requête", "2 requêtes")."""
    return f"{number(value)}{NO_BREAK}{noun if abs(value) < 2 else (plural or noun + 's')}"


def enumeration(words: Sequence[str]) -> str:
    """Write words one after the other: "a", "a et b", "a, b et c"."""
    *first, last = words
    return f"{', '.join(first)} et {last}" if first else last


def nearest_or_all(word: str, known: Collection[str], others: str) -> str:
    """Return the advice on an unknown word: the known one that was probably meant, otherwise all of them.

    Parameters
    ----------
    word : str
        What was written.
    known : collection of str
        What could have been.
    others : str
        What stands before all of them: "Les exercices".
    """
    near = difflib.get_close_matches(word, list(known), 1)
    return f"Vouliez-vous dire « {near[0]} » ?" if near else f"{others} : {', '.join(known)}."


def typeset(text: str) -> str:
    """Put the no-break spaces that French wants: before « : ; ? ! » and inside quotation marks."""
    return re.sub(r"(?<=\S) (?=[:;?!»])|(?<=«) ", NO_BREAK, text)
