"""The numbers of each strategy as a table, in HTML and as text."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._french import number, seconds
from ..recording import Recording
from ..timeline import UpdateSummary, update_summary
from . import words

_CAPTION = "Ce que chaque stratégie a coûté"
_SENTENCE = 40
"""A column with a longer cell holds sentences, which break into lines."""


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
                f'<td style="text-align:{side}">{html.escape(cell)}</td>'
                for side, cell in zip(sides[1:], rest, strict=True)
            )
            + "</tr>"
            for first, *rest in self.rows
        )
        caption = html.escape(self.caption)
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def update_table(recording: Recording, *, predictions: Mapping[str, object] | None = None) -> Table:
    """Return lost requests, outage, most pods, mixed versions and duration of each strategy.

    Where the cluster itself had incidents, a last column names its components that had them.

    Parameters
    ----------
    recording : Recording
        Of the experiment "update".
    predictions : mapping, optional
        Lost requests that the student predicted, by strategy: one more column.
    """
    header: tuple[str, ...] = (
        "stratégie",
        "requêtes",
        "perdues",
        "sans réponse",
        "pods au plus",
        "versions mêlées",
        "durée",
        "retour",
    )
    summaries = [update_summary(run) for run in recording.runs]
    rows = [_row(summary) for summary in summaries]
    if predictions:
        guesses = [words.guess(predictions, run.name) for run in recording.runs]
        header = (*header[:3], "prévues", *header[3:])
        rows = [
            (*row[:3], guess or "–", *row[3:]) for row, guess in zip(rows, guesses, strict=True)
        ]
    if any(summary.incidents for summary in summaries):
        header = (*header, "incidents")
        rows = [
            (*row, words.struck(summary) or "–")
            for row, summary in zip(rows, summaries, strict=True)
        ]
    return Table(_CAPTION, header, tuple(rows))


def _row(summary: UpdateSummary) -> tuple[Any, ...]:
    return (
        words.title(summary.strategy),
        number(summary.requests),
        number(summary.failed),
        seconds(summary.outage_s),
        number(summary.peak_pods),
        seconds(summary.mixed_s),
        "–" if summary.duration_s is None else seconds(summary.duration_s),
        "–" if summary.back_s is None else seconds(summary.back_s),
    )
