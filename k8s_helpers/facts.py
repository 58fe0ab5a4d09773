"""Statements that a measure must bear out each time: shown as true or false, so that a notebook's test can compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from ._french import NO_BREAK

_WORDS = {True: ("✔", "vrai"), False: ("✘", "faux")}


@dataclass(frozen=True)
class StatementList:
    """Statements and whether they hold."""

    statements: Mapping[str, bool]

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(line)}</li>" for line in self._lines())
        return f"<ul style='list-style:none;padding-left:0'>{items}</ul>"

    def _lines(self) -> list[str]:
        return [
            f"{_WORDS[holds][0]} {text}{NO_BREAK}: {_WORDS[holds][1]}"
            for text, holds in self.statements.items()
        ]


def facts(statements: Mapping[str, object]) -> StatementList:
    """Return statements to show as the last value of a cell.

    Parameters
    ----------
    statements : mapping of str to object
        A French statement, and what it is judged by (true where it counts as true).
    """
    return StatementList({text: bool(holds) for text, holds in statements.items()})
