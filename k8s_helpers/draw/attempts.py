"""Things tried and what came of each, as rows: who, what, a coloured answer in words, and what was said."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from .. import _french
from .._errors import RecordingError
from .._french import NO_BREAK
from ..analysis.attempts import AttemptWords
from ..measure.recording import Attempt, Recording, Run
from . import figure, style
from .table import OutcomeCell, Table

WIDTH_IN = 13.0
_LINE_IN = 0.205
_GAP_IN = 0.14
_HEAD_IN = 0.42
_TITLE_IN = 0.92
_WHO_IN, _WHAT_IN, _ANSWER_IN, _DETAIL_IN = 0.18, 2.55, 6.0, 7.75
_WHO_CHARS, _WHAT_CHARS, _DETAIL_CHARS = 28, 42, 66
_DETAIL_LINES = 3
_CHIP_IN = 1.55


@dataclass(frozen=True)
class _Row:
    """An attempt whose texts are cut into lines."""

    who: list[str]
    what: list[str]
    detail: list[str]
    outcome: OutcomeCell

    @property
    def height_in(self) -> float:
        return _LINE_IN * max(len(self.who), len(self.what), len(self.detail), 1) + _GAP_IN


def attempts(recording: Recording, words: AttemptWords) -> figure.DescribedFigure:
    """Draw the attempts of each run below one another, in a lab's words.

    Raises
    ------
    RecordingError
        Where the recording holds no attempt.
    """
    if not any(run.attempts for run in recording.runs):
        raise RecordingError(
            f"Dessiner « {words.title} »",
            "l’enregistrement ne contient aucun essai",
            "Refaites la mesure.",
        )
    rows = {run.name: _rows(run, words) for run in recording.runs}
    height_in = _TITLE_IN + 0.1
    for run in recording.runs:
        height_in += (_HEAD_IN if run.name in words.runs else 0.0) + sum(
            row.height_in for row in rows[run.name]
        )
    with matplotlib.rc_context(style.RC):
        chart = figure.new(WIDTH_IN, height_in)
        ax = chart.add_axes((0, 0, 1, 1))
        ax.set_xlim(0, WIDTH_IN)
        ax.set_ylim(height_in, 0)
        ax.axis("off")
        bold: dict[str, Any] = {"fontweight": "bold", "va": "center"}
        ax.text(_WHO_IN, 0.3, words.title, fontsize=13, color=style.INK, **bold)
        verdict = words.verdict(recording)
        ax.text(_WHO_IN, 0.62, verdict, fontsize=10.5, va="center", color=style.TEXT)
        at_in = _TITLE_IN
        for run in recording.runs:
            if (head := words.runs.get(run.name)) is not None:
                ax.text(_WHO_IN, at_in + 0.2, head, fontsize=11, color=style.INK, **bold)
                at_in += _HEAD_IN
            for row in rows[run.name]:
                _draw(ax, row, at_in)
                at_in += row.height_in
    chart.alternative = _alternative(recording, words)
    return chart


def tabulate(recording: Recording, words: AttemptWords) -> Table:
    """Return the attempts of each run below one another as a table, what was said in full."""
    titled = any(run.name in words.runs for run in recording.runs)
    rows = [
        (
            *([words.runs.get(run.name, "")] if titled else []),
            attempt.who,
            attempt.what,
            _outcome(raw, attempt, words),
            attempt.detail,
        )
        for run in recording.runs
        for raw, attempt in zip(run.attempts, words.translate(run), strict=True)
    ]
    header = (*(["essai"] if titled else []), "qui", "quoi", "résultat", "ce qui est répondu")
    return Table(f"{words.title} {words.verdict(recording)}", header, tuple(rows))


def _outcome(raw: Attempt, attempt: Attempt, words: AttemptWords) -> OutcomeCell:
    """Return the answer in words after its sign: good news, something failed, something worked that should not."""
    alarming = words.alarming(raw)
    sign = "✔" if not alarming else "⚠" if raw.ok else "✘"
    return OutcomeCell(f"{sign} {attempt.answer}", alarming=alarming)


def _rows(run: Run, words: AttemptWords) -> list[_Row]:
    """Cut texts into lines; who tries is written where it changes."""
    rows: list[_Row] = []
    before = None
    for raw, attempt in zip(run.attempts, words.translate(run), strict=True):
        detail = textwrap.wrap(
            attempt.detail, _DETAIL_CHARS, max_lines=_DETAIL_LINES, placeholder=" …"
        )
        who = [] if before == attempt.who else textwrap.wrap(attempt.who, _WHO_CHARS)
        before = attempt.who
        what = textwrap.wrap(attempt.what, _WHAT_CHARS)
        rows.append(_Row(who, what, detail, _outcome(raw, attempt, words)))
    return rows


def _draw(ax: Axes, row: _Row, top_in: float) -> None:
    if row.who:
        ax.plot([_WHO_IN, WIDTH_IN - _WHO_IN], [top_in, top_in], color=style.LIGHT, linewidth=1)
    middle_in = top_in + row.height_in / 2
    for at_in, lines, size, colour in (
        (_WHO_IN, row.who, 10, style.INK),
        (_WHAT_IN, row.what, 10, style.INK),
        (_DETAIL_IN, row.detail, 9, style.TEXT),
    ):
        ax.text(
            at_in,
            middle_in,
            "\n".join(lines),
            va="center",
            fontsize=size,
            color=colour,
            linespacing=1.35,
        )
    colour = style.VERMILION if row.outcome.alarming else style.GREEN
    chip = FancyBboxPatch(
        (_ANSWER_IN, middle_in - 0.11),
        _CHIP_IN,
        0.22,
        boxstyle="round,pad=0.01,rounding_size=0.06",
        facecolor=style.lighter(colour, 0.82),
        edgecolor=colour,
        linewidth=1.3,
    )
    ax.add_patch(chip)
    ax.text(
        _ANSWER_IN + _CHIP_IN / 2,
        middle_in,
        row.outcome,
        ha="center",
        va="center",
        fontsize=10,
        fontweight="bold",
        color=style.INK,
    )


def _alternative(recording: Recording, words: AttemptWords) -> str:
    parts = [f"{words.title} ({recording.where}). {words.verdict(recording)}"]
    for run in recording.runs:
        sentences = " ; ".join(
            f"{attempt.who}, {attempt.what}{NO_BREAK}: {attempt.answer}"
            for attempt in words.translate(run)
        )
        head = words.runs.get(run.name)
        parts.append(f"{head}{NO_BREAK}: {sentences}." if head else f"{sentences}.")
    return _french.typeset(" ".join(parts))
