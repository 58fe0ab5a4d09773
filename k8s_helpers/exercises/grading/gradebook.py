"""Marks of a class: the teacher's table, and the file that Moodle imports."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ... import journal
from ..._french import count, typeset
from ..catalogue import Exercise
from . import wide_table
from .hand_ins import HandIn
from .wide_table import Cell, Row

OUT_OF = 20
MOODLE_HEADS = (
    "Email address",
    "Full name",
    f"Exercices (sur {OUT_OF})",
    "Exercices (feedback)",
    f"Projet (sur {OUT_OF})",
    "Projet (feedback)",
)
"""One line a student: Moodle maps the first column to its users, the others to grade items and their feedback.

Feedback and grade are both to be mapped: Moodle empties the one that is left out
(https://docs.moodle.org/en/Grade_import).
"""


@dataclass(frozen=True)
class AnswerMark:
    """What the cluster says of one answer.

    Attributes
    ----------
    exercise : str
        Its id.
    passed : bool
        Whether it is right.
    points : tuple of int or None
        Earned, and how many there are, of a project.
    claimed : bool
        Whether the page says that it is right.
    text : str
        What was observed, in French.
    judged : bool
        False where nothing could be tried: no answer in the page, an image that the cluster lacks.
    """

    exercise: str
    passed: bool
    points: tuple[int, int] | None
    claimed: bool
    text: str
    judged: bool = True


@dataclass(frozen=True)
class GradedHandIn:
    """One student's marks, and what is odd about the page.

    Attributes
    ----------
    hand_in : HandIn
        What was handed in.
    marks : mapping of str to AnswerMark
        By exercise; those that were not tried are not there.
    remarks : tuple of str
        In French: edited, of another copy, the same answer as another's.
    """

    hand_in: HandIn
    marks: Mapping[str, AnswerMark]
    remarks: tuple[str, ...] = ()

    @property
    def passed(self) -> int:
        """How many exercises are right, projects aside."""
        return sum(mark.passed for mark in self.marks.values() if mark.points is None)

    @property
    def project(self) -> AnswerMark | None:
        """The mark of the project, where it has one."""
        return next((mark for mark in self.marks.values() if mark.points is not None), None)


@dataclass(frozen=True)
class Gradebook:
    """The class's marks.

    Attributes
    ----------
    students : tuple of GradedHandIn
        By name.
    exercises : tuple of Exercise
        Those that count, in the order of the course.
    unreadable : mapping of str to str
        Files that are no hand-in, and why, in French.
    """

    students: tuple[GradedHandIn, ...]
    exercises: tuple[Exercise, ...]
    unreadable: Mapping[str, str]

    @property
    def counted(self) -> int:
        """How many exercises make the mark of the exercises."""
        return sum(not exercise.is_project for exercise in self.exercises)

    def grade(self, student: GradedHandIn) -> float:
        """Return the mark of the exercises, out of `OUT_OF`."""
        return round(OUT_OF * student.passed / self.counted, 2) if self.counted else 0.0

    def __str__(self) -> str:
        width = max([len(student.hand_in.name) for student in self.students], default=0)
        lines = []
        for student in self.students:
            marks = f"{student.passed:3}/{self.counted}  {self.grade(student):5.2f}/{OUT_OF}"
            lines.append(
                f"{student.hand_in.name.ljust(width)}  {marks}  projet {_project(student)}"
            )
            lines += [f"  ! {remark}" for remark in student.remarks]
        lines += [f"{name} : illisible, {why}" for name, why in self.unreadable.items()]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """Return one sentence."""
        words = count(len(self.students), "rendu corrigé", "rendus corrigés")
        if self.unreadable:
            words += f", {count(len(self.unreadable), 'fichier laissé de côté', 'fichiers laissés de côté')}"
        return typeset(f"{words}.")

    def to_html(self) -> str:
        """Return the table as one page, whole in itself."""
        rows = [self._row(student) for student in self.students]
        remarks = [
            typeset(f"{student.hand_in.name} ({student.hand_in.file}) : {remark}")
            for student in self.students
            for remark in student.remarks
        ]
        details = [
            typeset(f"{student.hand_in.name}, {mark.exercise} : {mark.text}")
            for student in self.students
            for mark in student.marks.values()
            if not mark.passed
        ]
        left = [typeset(f"{name} : {why}") for name, why in self.unreadable.items()]
        legend = (
            "✔ juste, constaté sur le cluster ; ✘ essayé ici et faux ; ? la page dit réussi, rien à essayer ; "
            "· rien de rendu. Les notes viennent du cluster, jamais de ce que la page affirme."
        )
        return wide_table.page(
            "Les notes",
            [typeset(f"{self.summary()} {journal.now()[:10]}."), typeset(legend)],
            wide_table.table(("justes", f"/{OUT_OF}", "projet"), self.exercises, rows),
            [
                ("À regarder", remarks),
                ("Ce qui a été constaté", details),
                ("Fichiers laissés de côté", left),
            ],
        )

    def _row(self, student: GradedHandIn) -> Row:
        sums = (str(student.passed), f"{self.grade(student):g}", _project(student))
        cells = tuple(
            _cell(student.marks.get(exercise.name), exercise.name) for exercise in self.exercises
        )
        flag = f"({len(student.remarks)} !)" if student.remarks else ""
        return Row(student.hand_in.name, student.hand_in.file, sums, cells, flag)

    def to_moodle_csv(self) -> str:
        """Return what Moodle's « Importer : fichier CSV » takes: UTF-8, commas, one line a student."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(MOODLE_HEADS)
        for student in self.students:
            row = [student.hand_in.email, student.hand_in.name]
            row += (
                [f"{self.grade(student):.2f}", self._feedback(student)]
                if self.counted
                else ["", ""]
            )
            project = student.project
            if project is None or project.points is None:
                row += ["", ""]
            else:
                row += [f"{OUT_OF * project.points[0] / project.points[1]:.2f}", project.text]
            writer.writerow([harmless(cell) for cell in row])
        return stream.getvalue()

    def _feedback(self, student: GradedHandIn) -> str:
        missed = [
            mark.exercise
            for mark in student.marks.values()
            if not mark.passed and mark is not student.project
        ]
        words = f"{count(student.passed, 'exercice juste', 'exercices justes')} sur {self.counted}."
        return f"{words} À reprendre : {', '.join(missed)}." if missed else words

    def to_plain(self) -> dict[str, Any]:
        """Return the marks as plain JSON values."""
        return {
            "students": [
                {
                    "name": student.hand_in.name,
                    "email": student.hand_in.email,
                    "file": student.hand_in.file,
                    "grade": self.grade(student),
                    "project": student.project and student.project.points,
                    "marks": {
                        name: {"passed": mark.passed, "claimed": mark.claimed, "text": mark.text}
                        for name, mark in student.marks.items()
                    },
                    "remarks": list(student.remarks),
                }
                for student in self.students
            ],
            "unreadable": dict(self.unreadable),
        }


def harmless(cell: str) -> str:
    """Return a text that no spreadsheet takes for a formula: what a student is called is no program."""
    one_line = " ".join(cell.split())
    return f"'{one_line}" if one_line[:1] in ("=", "+", "-", "@") else one_line


def _project(student: GradedHandIn) -> str:
    mark = student.project
    return "–" if mark is None or mark.points is None else f"{mark.points[0]}/{mark.points[1]}"


def _cell(mark: AnswerMark | None, name: str) -> Cell:
    if mark is None:
        return Cell("·", "none", f"{name} : rien de rendu")
    if mark.passed:
        return Cell("✔", "good", f"{name} : juste")
    if not mark.judged:
        return Cell("?", "tried", f"{name} : {mark.text}")
    return Cell("✘", "bad" if mark.claimed else "tried", f"{name} : {mark.text}")
