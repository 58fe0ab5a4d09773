"""A table of words, in HTML and as text."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import matplotlib

from .._french import NO_BREAK
from . import figure, style

_SENTENCE = 40
"""A column with a longer cell holds sentences, which break into lines."""


class OutcomeCell(str):
    """A cell that says what came of something; coloured by whether that is bad news.

    Attributes
    ----------
    alarming : bool
        It is.
    """

    alarming: bool

    def __new__(cls, text: str, *, alarming: bool) -> Self:
        """Return the text as a cell; text alone would say nothing of its colour."""
        outcome = super().__new__(cls, text)
        outcome.alarming = alarming
        return outcome

    def to_html(self) -> str:
        """Return it in a frame of its colour, dark on pale in both themes."""
        colour = style.VERMILION if self.alarming else style.GREEN
        look = (
            f"background:{style.lighter(colour, 0.82)};border:1px solid {colour};color:{style.INK};"
            "border-radius:4px;padding:1px 8px;font-weight:bold;white-space:nowrap"
        )
        return f'<span style="{look}">{html.escape(self)}</span>'


@dataclass(frozen=True)
class Table:
    """Rows of words under a header; shows itself as HTML in a notebook and as aligned text elsewhere."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def _sides(self) -> list[str]:
        """Return how each column is aligned: names and sentences to the left, short values to the right."""
        wide = [
            max((len(row[index]) for row in self.rows), default=0)
            for index in range(len(self.header))
        ]
        return [
            "left" if index == 0 or size > _SENTENCE else "right" for index, size in enumerate(wide)
        ]

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        sides = self._sides()
        head = "".join(
            f'<th scope="col" style="text-align:{side}">{html.escape(cell)}</th>'
            for side, cell in zip(sides, self.header, strict=True)
        )
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(first)}</th>'
            + "".join(
                f'<td style="text-align:{side}">{_cell(cell)}</td>'
                for side, cell in zip(sides[1:], rest, strict=True)
            )
            + "</tr>"
            for first, *rest in self.rows
        )
        caption = html.escape(self.caption)
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    return text.to_html() if isinstance(text, OutcomeCell) else html.escape(text)


def as_figure(table: Table) -> figure.DescribedFigure:
    """Draw a table as an image, for where nothing else is shown; its text is the alternative."""
    lines = [table.header, *table.rows]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(style.WIDTH_IN, 0.8 + 0.36 * len(lines))
        ax = chart.add_axes((0.02, 0.02, 0.96, 0.96))
        ax.set_axis_off()
        ax.set_ylim(len(lines) + 0.6, -1.2)
        ax.set_xlim(0, 1)
        ax.text(0, -0.7, table.caption, fontsize=13, fontweight="bold", color=style.INK)
        widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]
        total = sum(widths) + 3 * len(widths)
        size = min(10.5, 10.5 * 150 / total)
        for row, line in enumerate(lines):
            at = 0.0
            for cell, width in zip(line, widths, strict=True):
                bold = "bold" if row == 0 or at == 0.0 else "normal"
                ax.text(at, row + 0.4, cell, fontsize=size, fontweight=bold, color=style.TEXT)
                at += (width + 3) / total
            ax.axhline(row + 0.65, color=style.LIGHT, linewidth=1)
    rows = (
        ", ".join(
            f"{name}{NO_BREAK}: {cell}" for name, cell in zip(table.header, line, strict=True)
        )
        for line in table.rows
    )
    chart.alternative = f"{table.caption}. " + ". ".join(rows) + "."
    return chart


def quantities(amounts: Mapping[str, str]) -> str:
    """Return what a pod asks for as words: "2 cpu, 1Gi memory"."""
    return ", ".join(f"{value} {name}" for name, value in sorted(amounts.items())) or "–"
