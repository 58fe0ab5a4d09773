"""What a check found, and how it is told to the student."""

from __future__ import annotations

import html
from dataclasses import dataclass

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
    """

    exercise: str
    finding: Finding
    hint: str | None = None
    degree: int = 0
    degrees: int = 0

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.finding.passed

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        head = "Réussi" if self.passed else "Pas encore"
        lines = [f"{head} : {self.finding.text}"]
        if self.hint is not None:
            lines.append(f"Indice {self.degree} sur {self.degrees} : {self.hint}")
        if self.degree < self.degrees:
            lines.append(f"Un indice de plus : hint({self.exercise!r})")
        return typeset("\n".join(lines))

    def _repr_html_(self) -> str:
        colour, mark, head = (
            ("#00634A", "✔", "Réussi") if self.passed else ("#9A3F00", "✘", "Pas encore")
        )
        text = html.escape(self.finding.text).replace("\n", "<br>")
        body = f"<p style='margin:.2em 0'><strong>{mark} {head} :</strong> {text}</p>"
        if self.hint is not None:
            hint = html.escape(self.hint).replace("\n", "<br>")
            body += f"<p style='margin:.2em 0'><strong>Indice {self.degree} sur {self.degrees} :</strong> {hint}</p>"
        if self.degree < self.degrees:
            call = html.escape(f'hint("{self.exercise}")')
            body += f"<p style='margin:.2em 0'>Un indice de plus : <code>{call}</code></p>"
        frame = f"border-left:4px solid {colour};padding:.3em .8em"
        return f"<div role='status' style='{frame}'>{typeset(body)}</div>"
