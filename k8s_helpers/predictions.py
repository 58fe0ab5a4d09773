"""Answers given before a measure: kept, and confronted with what was measured afterwards."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import journal
from ._errors import UsageError
from ._french import nearest_or_all, number, typeset
from ._questions import Question, questions
from .journal import Answer


@dataclass(frozen=True)
class Prediction(Mapping[str, Answer]):
    """What the student predicted for one slide: a mapping from the question's name to the answer.

    Attributes
    ----------
    slide : str
        Its id ("4.05").
    answers : mapping
        Only what was answered.
    questions : mapping
        What was asked, by name.
    """

    slide: str
    answers: Mapping[str, Answer]
    questions: Mapping[str, Question]

    def __getitem__(self, name: str) -> Answer:
        return self.answers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the questions not answered yet."""
        return tuple(name for name in self.questions if name not in self.answers)

    def confront(self, **measured: float | str) -> Confrontation:
        """Put what was measured beside what was predicted.

        Parameters
        ----------
        **measured : float or str
            By the question's name.

        Raises
        ------
        UsageError
            A name that this slide does not ask about.
        """
        known = questions()[self.slide]
        rows = tuple(
            (_require_known(self.slide, name, known), self.answers.get(name), value)
            for name, value in measured.items()
        )
        if self.answers:
            journal.change(lambda before: before.with_measure(self.slide, measured))
        return Confrontation(rows)

    def __repr__(self) -> str:
        return typeset("\n".join(self._lines()))

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(typeset(line)) for line in self._lines())
        return f"<p>{first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul>"

    def _lines(self) -> list[str]:
        if not self.answers:
            return [
                "Rien de prévu pour l’instant : remplacez les « ... » par vos réponses, puis relancez la cellule.",
                *(f"{name} : {question.text}" for name, question in self.questions.items()),
            ]
        kept = [
            f"{self.questions[name].text} : {self.questions[name].words(value)}"
            for name, value in self.items()
        ]
        left = [f"{self.questions[name].text} : pas de réponse" for name in self.missing]
        return [
            "Vos réponses sont gardées ; la mesure va les confronter à la réalité.",
            *kept,
            *left,
        ]


@dataclass(frozen=True)
class Confrontation:
    """What was predicted beside what was measured."""

    rows: tuple[tuple[Question, Answer | None, float | str], ...]

    def __repr__(self) -> str:
        return typeset("\n".join(self._lines()))

    def _repr_html_(self) -> str:
        return (
            "<ul>"
            + "".join(f"<li>{html.escape(typeset(line))}</li>" for line in self._lines())
            + "</ul>"
        )

    def _lines(self) -> list[str]:
        lines = []
        for question, predicted, measured in self.rows:
            if question.choices:
                line = f"{question.text} : « {measured} »"
                foreseen = f"« {predicted} »"
            else:
                line = f"{question.text} : mesuré {question.words(measured)}"
                foreseen = "" if predicted is None else question.words(predicted)
            if predicted is not None:
                line += f" ; vous aviez prévu {foreseen}"
            lines.append(line + ".")
        return lines


def predict(slide: str, **answers: Any) -> Prediction:
    """Keep what the student predicts before a measure.

    Parameters
    ----------
    slide : str
        Id of the slide ("4.05").
    **answers
        By the question's name; `...` where there is no answer yet.

    Returns
    -------
    Prediction
        A mapping that charts take as `predictions`.

    Raises
    ------
    UsageError
        A slide without questions, an unknown question, an answer that makes no sense.
    """
    known = questions().get(slide)
    if known is None:
        raise UsageError(
            f"Garder une prédiction pour la diapositive « {slide} »",
            "aucune question n’y est posée",
            f"Les questions portent sur : {', '.join(sorted(questions()))}.",
        )
    given: dict[str, Answer] = {}
    for name, value in answers.items():
        question = _require_known(slide, name, known)
        if value is not ...:
            given[name] = _sound(slide, name, value, question)
    if given:
        journal.change(lambda before: before.with_prediction(slide, given))
    asked = {name: known[name] for name in answers} or known
    return Prediction(slide, given, asked)


def _meant(value: object) -> str:
    """Return a number that a text writes as French does ("5,5"), as Python writes it; an example otherwise."""
    text = str(value).strip().replace("\u202f", "").replace("\xa0", "").replace(",", ".")
    try:
        number_meant = float(text)
    except ValueError:
        return "150 ou 2.5, par exemple"
    return text if math.isfinite(number_meant) else "150 ou 2.5, par exemple"


def _require_known(slide: str, name: str, known: Mapping[str, Question]) -> Question:
    if name in known:
        return known[name]
    raise UsageError(
        f"Garder la réponse « {name} » (diapositive {slide})",
        "cette question n’est pas posée",
        nearest_or_all(name, known, "Les questions"),
    )


def _sound(slide: str, name: str, value: Any, question: Question) -> Answer:
    tried = f"Garder votre réponse à « {name} » (diapositive {slide})"
    if question.choices:
        if value in question.choices:
            return str(value)
        raise UsageError(
            tried,
            f"{value!r} n’est pas un des choix",
            f"Les choix : {', '.join(question.choices)}.",
        )
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(
            tried,
            f"{value!r} n’est pas un nombre",
            f"Écrivez un nombre sans guillemets, avec un point pour la virgule : {_meant(value)}.",
        )
    if not question.minimum <= value <= question.maximum:
        bounds = f"entre {number(question.minimum)} et {number(question.maximum)}"
        raise UsageError(
            tried, f"{number(value)} n’est pas possible ici", f"Donnez un nombre {bounds}."
        )
    return value
