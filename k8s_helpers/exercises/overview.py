"""What is done of the course: the table of `00_accueil`, and the same as one page for the teacher."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path, PosixPath
from typing import Any, Protocol

from .. import journal
from .._errors import ResourceError, UsageError
from .._french import count, system, typeset
from .._questions import Question, questions
from ..journal import PredictionEntry
from .catalogue import exercises
from .grading import copies, hand_ins
from .grading.hand_ins import DATA_ID, SCHEMA

_HEADER = ("exercice", "notebook", "essais", "état")

_CELL = "text-align:left;padding:.15em 1em .15em 0"
_PAGE_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; padding: 0 1rem; max-width: 60rem }
.wide { overflow-x: auto } img, svg { max-width: 100%; height: auto } td, th { vertical-align: top }
caption { text-align: left; font-style: italic }
@media (max-width: 40em) { table { font-size: 13px }
  td, th { overflow-wrap: anywhere; padding-right: .5em !important } }
"""
"""Nothing is wider than the window, be it a telephone's: what is scrolls in its own box."""


class Chart(Protocol):
    """A figure that can be put in a page (`draw.figure.DescribedFigure`)."""

    def to_html(self) -> str:
        """Return it as HTML, whole in itself."""


@dataclass(frozen=True)
class Student:
    """Who works here; says what follows from it."""

    name: str

    def __repr__(self) -> str:
        return typeset(
            f"Bonjour {self.name} : les exercices dont les valeurs sont tirées au sort ont maintenant les vôtres. "
            "Relancez « start » pour ceux que vous avez commencés."
        )


class WrittenPage(PosixPath):
    """Where a page was written; a notebook says so in words."""

    def __repr__(self) -> str:
        return f"Votre progression est écrite dans {self} : c’est le fichier à remettre."


@dataclass(frozen=True)
class ExerciseProgress:
    """One exercise and where the student is with it."""

    name: str
    title: str
    notebook: str
    attempts: int
    passed_at: str | None
    answer: Any = None
    points: int | None = None

    @property
    def state(self) -> str:
        """In French."""
        if self.passed_at:
            return f"réussi le {_day(self.passed_at)}"
        if self.points is not None:
            return f"en cours, {count(self.points, 'point')}"
        return "en cours" if self.attempts else "à faire"

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        return self.title, self.notebook, str(self.attempts), self.state

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain JSON values, with its answer."""
        return {"attempts": self.attempts, "passed_at": self.passed_at, "answer": self.answer}


@dataclass(frozen=True)
class Overview:
    """What is done; shows itself as a table."""

    rows: tuple[ExerciseProgress, ...]
    predicted: int
    asked: int
    predictions: Mapping[str, PredictionEntry] = field(default_factory=dict)
    student: str = ""

    @property
    def passed(self) -> int:
        """How many exercises are passed."""
        return sum(row.passed_at is not None for row in self.rows)

    def summary(self) -> str:
        """Return one sentence."""
        done = f"{self.passed} sur {count(len(self.rows), 'exercice')}"
        return typeset(
            f"{done} ; {self.predicted} sur {count(self.asked, 'série')} de prédictions."
        )

    def __repr__(self) -> str:
        lines = [_HEADER, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADER))]
        table = (
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )
        return "\n".join([*table, self.summary()])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="{_CELL}">{escape(cell)}</th>' for cell in _HEADER)
        body = "".join(
            "<tr>"
            + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row.cells())
            + "</tr>"
            for row in self.rows
        )
        return (
            f"<table><caption>Votre progression</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table><p>{escape(self.summary())}</p>"
        )

    def save(
        self,
        path: Path | str,
        name: str | None = None,
        charts: Iterable[Chart] = (),
        *,
        email: str = "",
    ) -> WrittenPage:
        """Write all that is done as one HTML page, to hand in to the teacher; return its path.

        The page is whole in itself: nothing is loaded from elsewhere when it is read, and it runs no program.

        Parameters
        ----------
        path : Path or str
            Where to write; its name ends in ".html", which is added where it is not there.
        name : str, optional
            Whose page it is, as the class table shall say; who `student` has named, or the file's name, otherwise.
        charts : iterable of DescribedFigure
            Figures that the student wants to hand in with it.
        email : str, optional
            By which Moodle knows the student.

        Raises
        ------
        UsageError
            A name of spaces only, a path that names no file.
        ResourceError
            The page cannot be written there.
        """
        tried = f"Écrire votre progression dans {path}"
        target = Path(path).expanduser()
        if not target.name or target.is_dir():
            raise UsageError(
                tried,
                "ce n’est pas un nom de fichier",
                'Donnez-en un : progress().save("moi.html").',
            )
        if name is not None and not name.strip():
            raise UsageError(
                tried, "le nom de l’étudiant est vide", "Écrivez votre nom, ou ne donnez rien."
            )
        if target.suffix.lower() not in (".html", ".htm"):
            target = target.with_name(f"{target.name}.html")
        whose = (self.student or target.stem) if name is None else name.strip()
        page = self._page(whose, email.strip(), charts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(page, encoding="utf-8")
        except OSError as error:
            raise ResourceError(
                tried,
                system(error),
                "Choisissez un dossier où vous pouvez écrire, votre dossier personnel par exemple.",
            ) from None
        return WrittenPage(target)

    def _page(self, whose: str, email: str, charts: Iterable[Chart]) -> str:
        figures = "".join(f'<div class="wide">{chart.to_html()}</div>' for chart in charts)
        plain = self.to_plain(whose, email)
        data = json.dumps(plain, ensure_ascii=False).replace("<", "\\u003c")
        day = _day(str(plain["written_at"]))
        return (
            '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>Progression de {escape(whose)}</title><style>{_PAGE_STYLE}</style></head><body>"
            f"<h1>Progression de {escape(whose)}</h1><p>Page écrite le {day}.</p>"
            f'<div class="wide">{self._repr_html_()}</div>{self._predictions_html()}'
            f"{'<h2>Figures</h2>' + figures if figures else ''}"
            f'<script type="application/json" id="{DATA_ID}">{data}</script></body></html>\n'
        )

    def to_plain(self, name: str, email: str = "") -> dict[str, Any]:
        """Return what is handed in, as plain JSON values: what was done, the answers, the statements they answer."""
        plain: dict[str, Any] = {
            "schema": SCHEMA,
            "name": name,
            "email": email,
            "student": self.student,
            "written_at": journal.now(),
            "exercises": {row.name: row.to_plain() for row in self.rows},
            "predictions": {
                slide: dict(entry.answers) for slide, entry in self.predictions.items()
            },
            "copy": copies.current(),
            "statements": {
                row.name: copies.digest(exercises()[row.name]) for row in self.rows if row.answer
            },
        }
        return {**plain, "seal": hand_ins.seal(plain)}

    def _predictions_html(self) -> str:
        asked = questions()
        items = [
            f"<li>{slide}, {escape(typeset(_prediction(asked[slide][key], entry, key)))}</li>"
            for slide, entry in self.predictions.items()
            for key in entry.answers
            if key in asked[slide]
        ]
        return f"<h2>Prédictions</h2><ul>{''.join(items)}</ul>" if items else ""


def _prediction(question: Question, entry: PredictionEntry, key: str) -> str:
    """Return what was predicted, and what was measured where it was."""
    words = f"{question.text} : prévu {question.words(entry.answers[key])}"
    if key in entry.measured:
        return f"{words}, mesuré {question.words(entry.measured[key])}"
    return f"{words}, pas encore mesuré"


def student(name: str) -> Student:
    """Say who works here: exercises whose values are drawn for each student go by it from now on.

    Raises
    ------
    UsageError
        No name, or one of more than 80 characters.
    """
    whose = " ".join(name.split()) if isinstance(name, str) else ""
    if not whose or len(whose) > hand_ins.MAX_NAME:
        raise UsageError(
            "Noter qui travaille ici",
            "ce n’est pas un nom",
            f'Écrivez-le en toutes lettres, {hand_ins.MAX_NAME} caractères au plus : student("Ada Lovelace").',
        )
    journal.change(lambda before: replace(before, student=whose))
    return Student(whose)


def progress() -> Overview:
    """Return what is done of the course, from the local journal."""
    known = journal.read()
    rows = []
    for name, exercise in exercises().items():
        entry = known.exercise(name)
        rows.append(
            ExerciseProgress(
                name,
                exercise.title,
                exercise.notebook,
                entry.attempts,
                entry.passed_at,
                entry.answer,
                entry.points,
            )
        )
    answered = {
        slide: known.predictions[slide] for slide in questions() if slide in known.predictions
    }
    return Overview(tuple(rows), len(answered), len(questions()), answered, known.student)


def _day(stamp: str) -> str:
    year, month, day = stamp[:10].split("-")
    return f"{day}/{month}/{year}"
