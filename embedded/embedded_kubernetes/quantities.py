"""Kubernetes' quantities: `250m`, `1Gi`, `1e3`.

(source: `k8s.io/apimachinery/pkg/api/resource/quantity.go`)
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

_SUFFIXES = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
    "Pi": Fraction(2**50),
    "Ei": Fraction(2**60),
}
_FORM = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?", re.ASCII
)


def parse(text: str) -> Fraction:
    """Return the exact value of a quantity.

    Raises
    ------
    ValueError
        Not a quantity.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"quantities must match the form 1, 250m or 1Gi, not {text!r}")
    number, exponent, suffix = match.groups()
    value = Fraction(number)
    return value * Fraction(10) ** int(exponent) if exponent else value * _SUFFIXES[suffix or ""]


def parse_bytes(text: str) -> int:
    """Return a quantity of memory in bytes, rounded up."""
    return math.ceil(parse(text))


def format_bytes(value: int) -> str:
    """Return bytes as Kubernetes prints them: the largest binary suffix that divides them."""
    for suffix in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
        size = _SUFFIXES[suffix]
        if value and value % size == 0:
            return f"{value // int(size)}{suffix}"
    return str(value)


def format_cpu(value: Fraction) -> str:
    """Return processors as Kubernetes prints them: whole ones, or thousandths."""
    thousandths = milli(value)
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def milli(value: Fraction) -> int:
    """Return thousandths, rounded up, as schedulers count processors."""
    return math.ceil(value * 1000)
