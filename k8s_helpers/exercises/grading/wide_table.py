"""A page with one wide table, students down and exercises across: names and heads stay while the rest is scrolled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from ..catalogue import Exercise

STYLE = """
:root { color-scheme: light dark;
  --text: #1F2937; --page: #FFFFFF; --frame: #9CA3AF; --line: #E5E7EB; --edge: #6B7280; --head: #F3F4F6;
  --hover: #EFF6FF; --total: #F9FAFB; --good: #D1FAE5; --good-text: #065F46; --bad: #FDE2CF; --bad-text: #7C2D12;
  --tried-text: #374151; --none: #6B7280 }
@media (prefers-color-scheme: dark) { :root {
  --text: #E5E7EB; --page: #111827; --frame: #6B7280; --line: #374151; --edge: #9CA3AF; --head: #1F2937;
  --hover: #1E3A5F; --total: #1F2937; --good: #064E3B; --good-text: #A7F3D0; --bad: #7C2D12; --bad-text: #FFEDD5;
  --tried-text: #D1D5DB; --none: #9CA3AF } }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1rem; color: var(--text); background: var(--page); }
h1 { font-size: 1.4rem; margin: 0 0 .3rem } h2 { font-size: 1.1rem; margin: 1.2rem 0 .3rem }
p, ul { max-width: 60rem; margin: .3rem 0 }
.wide { overflow: auto; max-width: 100%; max-height: 85vh; border: 1px solid var(--frame); margin: .6rem 0 }
table { border-collapse: separate; border-spacing: 0; font-size: 12px; line-height: 1.3 }
th, td { background: var(--page); padding: 2px 0;
  border-right: 1px solid var(--line); border-bottom: 1px solid var(--line);
  text-align: center; white-space: nowrap; font-weight: normal }
td.x, thead th.x { min-width: 17px; max-width: 17px }
tr > .first { border-left: 2px solid var(--edge) }
thead th { position: sticky; z-index: 2; vertical-align: bottom; background: var(--head) }
thead tr:first-child th { top: 0; height: 18px; font-weight: bold; border-left: 2px solid var(--edge) }
thead tr:nth-child(2) th { top: 23px; border-bottom: 2px solid var(--edge) }
thead th.x span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); max-height: 12em;
  overflow: hidden; text-overflow: ellipsis }
.name, .sum { position: sticky; z-index: 1; text-align: left; padding: 2px 6px }
.name { left: 0; min-width: 150px; max-width: 150px; overflow: hidden; text-overflow: ellipsis }
.sum { text-align: right; min-width: 42px; max-width: 42px; font-variant-numeric: tabular-nums }
.sum.s0 { left: 163px } .sum.s1 { left: 218px } .sum.s2 { left: 273px; border-right: 2px solid var(--edge) }
thead .name, thead .sum { z-index: 3 }
tbody tr:hover > * { background: var(--hover) }
tr.total > * { background: var(--total); font-weight: bold; border-bottom: 2px solid var(--edge) }
.good { background: var(--good) !important; color: var(--good-text) }
.bad { background: var(--bad) !important; color: var(--bad-text);
  font-weight: bold }
.tried { background: var(--head) !important; color: var(--tried-text) } .none { color: var(--none) }
button { font: inherit; color: var(--text); background: var(--head); border: 1px solid var(--edge);
  border-radius: 4px; padding: .3rem .8rem; min-height: 2rem; cursor: pointer }
.here { outline: 2px solid var(--edge); outline-offset: -2px; font-weight: bold }
.flag { font-weight: bold }
.first-seen { font-size: 1.15rem; list-style: none; padding-left: 0 }
.first-seen li { margin: .25rem 0; padding: .3rem .6rem; border-left: 4px solid var(--edge); background: var(--head) }
@media (max-width: 40em) {
  .name { min-width: 104px; max-width: 104px } .sum { position: static } }
@media print { .wide { max-height: none; overflow: visible; border: 0 } }
"""


REFRESH = """
const wide = document.querySelector(".wide"), pause = document.querySelector("button");
try { const [x, y] = JSON.parse(sessionStorage.scrolled || "[0,0]"); wide.scrollLeft = x; wide.scrollTop = y } catch {}
addEventListener("pagehide", () => {
  try { sessionStorage.scrolled = JSON.stringify([wide.scrollLeft, wide.scrollTop]) } catch {} });
let timer = setTimeout(() => location.reload(), 1000 * pause.dataset.s);
pause.setAttribute("aria-pressed", "false");
pause.onclick = () => {
  if (pause.getAttribute("aria-pressed") === "true") { location.reload(); return }
  clearTimeout(timer); pause.setAttribute("aria-pressed", "true"); pause.textContent = "Reprendre" };
"""
"""Loads the page again, where it was scrolled to, until a button stops that: who reads slowly can (WCAG 2.2.1)."""


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
    title: str,
    intro: Iterable[str],
    table: str,
    sections: Iterable[tuple[str, Sequence[str]]],
    *,
    first: Iterable[tuple[str, Sequence[str]]] = (),
    refresh_s: int | None = None,
) -> str:
    """Return a whole page: nothing is loaded from elsewhere, and nothing runs but `REFRESH` where it is asked for.

    Parameters
    ----------
    intro : iterable of str
        Paragraphs, as plain text.
    sections, first : iterable of (title, items)
        Lists below the table, and above it in larger letters; one without items is left out.
    refresh_s : int, optional
        The browser loads the page again after so many seconds, unless it is stopped.
    """
    words = "".join(f"<p>{escape(text)}</p>" for text in intro)
    above, lists = _lists(first, ' class="first-seen"'), _lists(sections)
    again = "" if refresh_s is None else f'<meta http-equiv="refresh" content="{refresh_s}">'
    pause = (
        "" if refresh_s is None else f'<button type="button" data-s="{refresh_s}">Pause</button>'
    )
    script = "" if refresh_s is None else f"<script>{REFRESH}</script>"
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{again and f'<noscript>{again}</noscript>'}"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{pause}{words}{above}"
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(title)}">{table}</div>{lists}{script}'
        "</body></html>\n"
    )


def _lists(sections: Iterable[tuple[str, Sequence[str]]], kind: str = "") -> str:
    return "".join(
        f"<h2>{escape(head)}</h2><ul{kind}>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
        for head, items in sections
        if items
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
