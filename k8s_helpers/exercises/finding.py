"""What a check found, and how it is told to the student."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from .._french import typeset


@dataclass(frozen=True)
class Criterion:
    """One thing that a project is judged by.

    Attributes
    ----------
    code, title : str
        Its name in `hints`, and what it asks for, in French.
    points : int
        What it is worth.
    met : bool
        Whether it was, all of it.
    seen : str
        What was observed, in French, with its numbers.
    """

    code: str
    title: str
    points: int
    met: bool
    seen: str

    @property
    def earned(self) -> int:
        """Points that it gives."""
        return self.points if self.met else 0

    def cells(self) -> tuple[str, str, str, str]:
        """Return a mark, the title, the points and what was seen."""
        return "✔" if self.met else "✘", self.title, f"{self.earned}/{self.points}", self.seen


@dataclass(frozen=True)
class Finding:
    """What a check observed.

    Attributes
    ----------
    code : str or None
        Names the mistake, as `hints` in `exercise.yaml` do; None where the answer is right.
    text : str
        What was observed, in French, with its numbers.
    criteria : tuple of Criterion
        Of a project; empty for an exercise that is right or is not.
    """

    code: str | None
    text: str
    criteria: tuple[Criterion, ...] = ()

    @property
    def points(self) -> tuple[int, int] | None:
        """Points earned, and how many there are; None where there are no criteria."""
        if not self.criteria:
            return None
        return sum(item.earned for item in self.criteria), sum(
            item.points for item in self.criteria
        )

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.code is None


def graded(criteria: Sequence[Criterion]) -> Finding:
    """Return the finding of a project: its points, and the first criterion that is not met as its code."""
    missed = [item for item in criteria if not item.met]
    earned, most = sum(item.earned for item in criteria), sum(item.points for item in criteria)
    words = (
        "tous les critères sont remplis"
        if not missed
        else f"à reprendre d’abord : {missed[0].title}"
    )
    return Finding(
        missed[0].code if missed else None, f"{earned} points sur {most}, {words}.", tuple(criteria)
    )


@dataclass(frozen=True)
class Verdict:
    """The answer to an answer.

    Attributes
    ----------
    exercise : str
        Its id.
    finding : Finding
        What was observed.
    hint : str or None
        The hint for this mistake, at the degree reached.
    degree, degrees : int
        Which hint it is, and how many there are for this mistake.
    hinting : bool
        A hint was asked for: nothing is judged now.
    """

    exercise: str
    finding: Finding
    hint: str | None = None
    degree: int = 0
    degrees: int = 0
    hinting: bool = False

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.finding.passed

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return self._text(f"hint({self.exercise!r})")

    def in_terminal(self) -> str:
        """Return the text with what is typed in a terminal, and nothing of Python."""
        return self._text(f"k8s-lab exercise hint {self.exercise}")

    def _text(self, call: str) -> str:
        lines = [self._head()[2] + self.finding.text]
        lines += [
            " ".join((mark, points, title, "—", seen)) for mark, title, points, seen in self._rows()
        ]
        if self.hint is not None:
            lines.append(f"Indice {self.degree} sur {self.degrees} : {self.hint}")
        if self.degree < self.degrees:
            lines.append(f"Un indice de plus : {call}")
        return typeset("\n".join(lines))

    def _repr_html_(self) -> str:
        colour, mark, head = self._head()
        judged = f"<strong>{mark}{head.rstrip()}</strong> " if head else ""
        body = paragraphs(judged, self.finding.text) + _table(self._rows())
        if self.hint is not None:
            number = f"<strong>Indice {self.degree} sur {self.degrees} :</strong> "
            body += paragraphs(number, self.hint)
        if self.degree < self.degrees:
            call = html.escape(f'hint("{self.exercise}")')
            body += f"<p style='margin:.2em 0'>Un indice de plus : <code>{call}</code></p>"
        frame = f"border-left:4px solid {colour};padding:.3em .8em"
        return f"<div role='status' style='{frame}'>{typeset(body)}</div>"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [item.cells() for item in self.finding.criteria]

    def _head(self) -> tuple[str, str, str]:
        """Return a colour, a mark and the words that come first."""
        if self.hinting:
            return "#005A9C", "", ""
        if self.passed:
            return "#00634A", "✔ ", "Réussi : "
        return "#9A3F00", "✘ ", "Pas encore : "


_YAML = re.compile(r"\s+\S|- |[\w./\"-]+:(?: |$)|\d+ \|")
"""A line of a manifest, or of an excerpt of one: indented, an item, or a key."""


_CELL = "text-align:left;vertical-align:top;padding:.15em .8em .15em 0"


def _table(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """Return the criteria of a project as a table; nothing where there are none."""
    if not rows:
        return ""
    head = "".join(
        f'<th scope="col" style="{_CELL}">{name}</th>'
        for name in ("", "critère", "points", "constaté")
    )
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{html.escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def paragraphs(head: str, text: str) -> str:
    """Return a text as HTML, the lines of manifests in it as they are written: their spaces are what counts."""
    parts = [head]
    for code, alike in groupby(text.split("\n"), lambda line: bool(_YAML.match(line))):
        lines = [html.escape(line) for line in alike]
        if code:
            shown = "\n".join(lines)
            parts.append(
                f"</p><pre style='margin:.2em 0;white-space:pre'>{shown}</pre><p style='margin:.2em 0'>"
            )
        else:
            parts.append("<br>".join(lines))
    made = f"<p style='margin:.2em 0'>{''.join(parts)}</p>"
    return made.replace("<p style='margin:.2em 0'></p>", "")
