"""One line of the benchmarks' table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured value beside its bar.

    Attributes
    ----------
    what : str
        What was measured, with what is needed to judge it.
    value : float
        The value, in `unit`.
    unit : str
        "ms", "s", "MB", "%" …
    bar : str
        The bar as words ("≤ 10").
    ok : bool
        Whether the value reaches it.
    """

    what: str
    value: float
    unit: str
    bar: str
    ok: bool
