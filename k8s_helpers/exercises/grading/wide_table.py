"""A page with one wide table, students down and exercises across: names and heads stay while the rest is scrolled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from ..catalogue import Exercise

STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1rem; color: #1F2937; background: #FFFFFF; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem } h2 { font-size: 1.1rem; margin: 1.2rem 0 .3rem }
p, ul { max-width: 60rem; margin: .3rem 0 }
.wide { overflow: auto; max-width: 100%; max-height: 85vh; border: 1px solid #9CA3AF; margin: .6rem 0 }
table { border-collapse: separate; border-spacing: 0; font-size: 12px; line-height: 1.3 }
th, td { background: #FFFFFF; border-right: 1px solid #E5E7EB; border-bottom: 1px solid #E5E7EB; padding: 2px 0;
  text-align: center; white-space: nowrap; font-weight: normal }
td.x, thead th.x { min-width: 17px; max-width: 17px }
tr > .first { border-left: 2px solid #6B7280 }
thead th { position: sticky; z-index: 2; vertical-align: bottom; background: #F3F4F6 }
thead tr:first-child th { top: 0; height: 18px; font-weight: bold; border-left: 2px solid #6B7280 }
thead tr:nth-child(2) th { top: 23px; border-bottom: 2px solid #6B7280 }
thead th.x span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); max-height: 12em;
  overflow: hidden; text-overflow: ellipsis }
.name, .sum { position: sticky; z-index: 1; text-align: left; padding: 2px 6px }
.name { left: 0; min-width: 150px; max-width: 150px; overflow: hidden; text-overflow: ellipsis }
.sum { text-align: right; min-width: 42px; max-width: 42px; font-variant-numeric: tabular-nums }
.sum.s0 { left: 163px } .sum.s1 { left: 218px } .sum.s2 { left: 273px; border-right: 2px solid #6B7280 }
thead .name, thead .sum { z-index: 3 }
tbody tr:hover > * { background: #EFF6FF }
tr.total > * { background: #F9FAFB; font-weight: bold; border-bottom: 2px solid #6B7280 }
.good { background: #D1FAE5 !important; color: #065F46 } .bad { background: #FDE2CF !important; color: #7C2D12;
  font-weight: bold } .tried { background: #F3F4F6 !important; color: #374151 } .none { color: #9CA3AF }
.flag { color: #7C2D12; font-weight: bold }
@media print { .wide { max-height: none; overflow: visible; border: 0 } }
"""


@dataclass(frozen=True)
class Cell:
    """One exercise of one student.

    Attributes
    ----------
    text, kind : str
        A mark of one or two characters; "good", "bad", "tried" or "none".
    words : str
        The same in words, for who points at it or hears it.
    """

    text: str
    kind: str
    words: str


@dataclass(frozen=True)
class Row:
    """One student, or a line of totals.

    Attributes
    ----------
    name, title : str
        Shown, and said in full where it is pointed at.
    sums : tuple of str
        Three totals, beside the name.
    cells : tuple of Cell
        One an exercise.
    flag : str
        A mark after the name, or "".
    total : bool
        It counts the others.
    """

    name: str
    title: str
    sums: tuple[str, str, str]
    cells: tuple[Cell, ...]
    flag: str = ""
    total: bool = False


def page(
    title: str, intro: Iterable[str], table: str, sections: Iterable[tuple[str, Sequence[str]]]
) -> str:
    """Return a whole page: nothing is loaded from elsewhere, nothing runs.

    Parameters
    ----------
    intro : iterable of str
        Paragraphs, as plain text.
    sections : iterable of (title, items)
        Lists below the table; one without items is left out.
    """
    words = "".join(f"<p>{escape(text)}</p>" for text in intro)
    lists = "".join(
        f"<h2>{escape(head)}</h2><ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
        for head, items in sections
        if items
    )
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{words}"
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(title)}">{table}</div>{lists}'
        "</body></html>\n"
    )


def table(heads: tuple[str, str, str], exercises: Sequence[Exercise], rows: Iterable[Row]) -> str:
    """Return the table: heads of the three totals, an exercise a column, a student a row."""
    starts = _starts(exercises)
    notebooks = "".join(
        f'<th colspan="{len(list(group))}" title="{escape(notebook)}">{escape(notebook[:2])}</th>'
        for notebook, group in groupby(exercises, lambda exercise: exercise.notebook)
    )
    corner = "".join(f'<th class="sum s{place}"></th>' for place in range(3))
    sums = "".join(
        f'<th scope="col" class="sum s{place}">{escape(head)}</th>'
        for place, head in enumerate(heads)
    )
    columns = "".join(
        f'<th scope="col" class="x{_edge(place, starts)}" title="{escape(exercise.title)}">'
        f"<span>{escape(exercise.name)}</span></th>"
        for place, exercise in enumerate(exercises)
    )
    body = "".join(_row(row, starts) for row in rows)
    return (
        f'<table><thead><tr><th class="name"></th>{corner}{notebooks}</tr>'
        f'<tr><th scope="col" class="name">élève</th>{sums}{columns}</tr></thead><tbody>{body}</tbody></table>'
    )


def _starts(exercises: Sequence[Exercise]) -> set[int]:
    """Return the places where another notebook begins."""
    return {
        place
        for place, exercise in enumerate(exercises)
        if place == 0 or exercises[place - 1].notebook != exercise.notebook
    }


def _edge(place: int, starts: set[int]) -> str:
    return " first" if place in starts else ""


def _row(row: Row, starts: set[int]) -> str:
    flag = f' <span class="flag">{escape(row.flag)}</span>' if row.flag else ""
    sums = "".join(
        f'<td class="sum s{place}">{escape(text)}</td>' for place, text in enumerate(row.sums)
    )
    cells = "".join(
        f'<td class="x {cell.kind}{_edge(place, starts)}" title="{escape(cell.words)}">'
        f'<span aria-label="{escape(cell.words)}">{escape(cell.text)}</span></td>'
        for place, cell in enumerate(row.cells)
    )
    kind = ' class="total"' if row.total else ""
    head = f'<th scope="row" class="name" title="{escape(row.title)}">{escape(row.name)}{flag}</th>'
    return f"<tr{kind}>{head}{sums}{cells}</tr>"
