"""What a check found, and how it is told to the student."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from itertools import groupby

from .._french import typeset


@dataclass(frozen=True)
class Finding:
    """What a check observed.

    Attributes
    ----------
    code : str or None
        Names the mistake, as `hints` in `exercise.yaml` do; None where the answer is right.
    text : str
        What was observed, in French, with its numbers.
    """

    code: str | None
    text: str

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.code is None


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
        lines = [self._head()[2] + self.finding.text]
        if self.hint is not None:
            lines.append(f"Indice {self.degree} sur {self.degrees} : {self.hint}")
        if self.degree < self.degrees:
            lines.append(f"Un indice de plus : hint({self.exercise!r})")
        return typeset("\n".join(lines))

    def _repr_html_(self) -> str:
        colour, mark, head = self._head()
        judged = f"<strong>{mark}{head.rstrip()}</strong> " if head else ""
        body = _paragraphs(judged, self.finding.text)
        if self.hint is not None:
            number = f"<strong>Indice {self.degree} sur {self.degrees} :</strong> "
            body += _paragraphs(number, self.hint)
        if self.degree < self.degrees:
            call = html.escape(f'hint("{self.exercise}")')
            body += f"<p style='margin:.2em 0'>Un indice de plus : <code>{call}</code></p>"
        frame = f"border-left:4px solid {colour};padding:.3em .8em"
        return f"<div role='status' style='{frame}'>{typeset(body)}</div>"

    def _head(self) -> tuple[str, str, str]:
        """Return a colour, a mark and the words that come first."""
        if self.hinting:
            return "#005A9C", "", ""
        if self.passed:
            return "#00634A", "✔ ", "Réussi : "
        return "#9A3F00", "✘ ", "Pas encore : "


_YAML = re.compile(r"\s+\S|- |[\w./\"-]+:(?: |$)|\d+ \|")
"""A line of a manifest, or of an excerpt of one: indented, an item, or a key."""


def _paragraphs(head: str, text: str) -> str:
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
