"""Many students' pages → one table for the class: who has passed what, who is stuck, what the class stumbles on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import journal
from ..._errors import UsageError
from ..._french import count, system, typeset
from ..catalogue import Exercise, exercises
from . import hand_ins, wide_table
from .hand_ins import HandIn
from .wide_table import Cell, Row

STUCK_ATTEMPTS = 3
"""So many tries without success: the teacher's help is worth more than another hint."""


@dataclass(frozen=True)
class ClassReport:
    """The class's table.

    Attributes
    ----------
    pages : tuple of HandIn
        By name.
    unreadable : mapping of str to str
        Files that are no progress page, and why, in French.
    """

    pages: tuple[HandIn, ...]
    unreadable: Mapping[str, str]

    def passed(self, exercise: str) -> int:
        """Return how many students have passed an exercise."""
        return sum(page.claimed.get(exercise, False) for page in self.pages)

    def stuck(self) -> dict[str, tuple[str, ...]]:
        """Return by student the exercises tried `STUCK_ATTEMPTS` times or more without success."""
        doubled = set(self.duplicates())
        found = {
            f"{page.name} ({page.file})" if page.name in doubled else page.name: tuple(
                name for name in exercises() if _is_stuck(page, name)
            )
            for page in self.pages
        }
        return {name: names for name, names in found.items() if names}

    def duplicates(self) -> list[str]:
        """Return the names that more than one page has, capitals aside."""
        names = Counter(page.name.casefold() for page in self.pages)
        return sorted({page.name for page in self.pages if names[page.name.casefold()] > 1})

    def __str__(self) -> str:
        width = max([len(page.name) for page in self.pages], default=0)
        lines = [
            f"{page.name.ljust(width)}  {page.passed:3}/{len(exercises())}  {_day(page.written_at)}  "
            + "".join(_cell(page, name).text[:1] for name in exercises())
            for page in self.pages
        ]
        lines += [f"Nom en double : {name}" for name in self.duplicates()]
        lines += [f"{name} : illisible, {why}" for name, why in self.unreadable.items()]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """Return one sentence."""
        words = count(len(self.pages), "page lue", "pages lues")
        if self.unreadable:
            words += f", {count(len(self.unreadable), 'fichier laissé de côté', 'fichiers laissés de côté')}"
        return typeset(f"{words}.")

    def to_html(self) -> str:
        """Return the table as one page, whole in itself."""
        known = list(exercises().values())
        doubled = {name.casefold() for name in self.duplicates()}
        rows = [self._totals(known)]
        rows += [_student(page, known, page.name.casefold() in doubled) for page in self.pages]
        stuck = [
            typeset(f"{name} : {', '.join(names)}") for name, names in sorted(self.stuck().items())
        ]
        double = [
            typeset(f"{name} : {', '.join(page.file for page in self._of(name))}")
            for name in self.duplicates()
        ]
        left = [typeset(f"{name} : {why}") for name, why in self.unreadable.items()]
        legend = (
            f"✔ réussi ; un nombre : essais sans succès, en couleur à partir de {STUCK_ATTEMPTS} ; "
            "· pas essayé. Ce que disent les pages n’est pas vérifié ; « k8s-lab grade » refait les essais."
        )
        return wide_table.page(
            "La classe",
            [typeset(f"{self.summary()} Tableau fait le {_day(journal.now())}."), typeset(legend)],
            wide_table.table(("réussis", "prédit", "rendu"), known, rows),
            [
                (f"Qui est bloqué ({STUCK_ATTEMPTS} essais ou plus sans succès)", stuck),
                ("Noms en double", double),
                ("Fichiers laissés de côté", left),
            ],
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the table as plain JSON values."""
        return {
            "students": [
                {
                    "name": page.name,
                    "email": page.email,
                    "written_at": page.written_at,
                    "exercises": {name: _cell(page, name).words for name in exercises()},
                    "predicted": page.predicted,
                }
                for page in self.pages
            ],
            "passed": {name: self.passed(name) for name in exercises()},
            "stuck": self.stuck(),
            "duplicates": self.duplicates(),
            "unreadable": dict(self.unreadable),
        }

    def _of(self, name: str) -> list[HandIn]:
        return [page for page in self.pages if page.name.casefold() == name.casefold()]

    def _totals(self, known: list[Exercise]) -> Row:
        cells = tuple(
            Cell(str(number), "tried", f"{count(number, 'élève a', 'élèves ont')} réussi")
            for number in (self.passed(exercise.name) for exercise in known)
        )
        most = str(len(known))
        return Row("réussis", "Combien ont réussi", (f"/ {most}", "", ""), cells, total=True)


def _student(page: HandIn, known: list[Exercise], doubled: bool) -> Row:
    return Row(
        page.name,
        f"{page.name} ({page.file})",
        (str(page.passed), str(page.predicted), _day(page.written_at)[:5]),
        tuple(_cell(page, exercise.name) for exercise in known),
        "(en double)" if doubled else "",
    )


def _is_stuck(page: HandIn, name: str) -> bool:
    return page.claimed.get(name) is False and page.attempts.get(name, 0) >= STUCK_ATTEMPTS


def _cell(page: HandIn, name: str) -> Cell:
    return attempts_cell(name, page.attempts.get(name, 0), page.claimed.get(name))


def attempts_cell(name: str, tries: int, passed: bool | None) -> Cell:
    """Return the cell of an exercise: whether it is passed (None: not tried), after how many checks."""
    words = count(tries, "essai")
    if passed is None:
        return Cell("·", "none", f"{name} : pas essayé")
    if passed:
        return Cell("✔", "good", f"{name} : réussi, {words}")
    kind = "bad" if tries >= STUCK_ATTEMPTS else "tried"
    return Cell(str(tries) if tries < 100 else "…", kind, f"{name} : {words} sans succès")


def _day(stamp: str) -> str:
    """Return a date as it is written in French; "" where there is none."""
    year, _, rest = stamp[:10].partition("-")
    month, _, day = rest.partition("-")
    return f"{day}/{month}/{year}" if (year + month + day).isdecimal() else ""


def class_report(folder: Path) -> ClassReport:
    """Read every HTML page of a folder that students have handed in.

    What a student writes is data: a page is read, never run; one that is none is told, and the others count.

    Raises
    ------
    UsageError
        There is no such folder, or no page in it.
    """
    pages, unreadable = read_folder(folder, "Faire le tableau de la classe")
    return ClassReport(tuple(pages), unreadable)


def read_folder(folder: Path, tried: str) -> tuple[list[HandIn], dict[str, str]]:
    """Return the pages of a folder by name, and what is none with the reason.

    Raises
    ------
    UsageError
        There is no such folder, or no page in it.
    """
    paths = folder.rglob("*.html") if folder.is_dir() else ()
    files = sorted(path for path in paths if not path.is_dir())
    if not files:
        raise UsageError(
            f"{tried} avec « {folder} »",
            "ce n’est pas un dossier"
            if not folder.is_dir()
            else "il ne contient aucune page .html",
            "Mettez-y les pages que les élèves ont écrites par progress().save(…), puis relancez.",
        )
    pages, unreadable = [], {}
    for file in files:
        name = file.relative_to(folder).as_posix()
        try:
            pages.append(hand_ins.read(file, name))
        except (OSError, ValueError) as error:
            unreadable[name] = system(error) if isinstance(error, OSError) else str(error)
    return sorted(pages, key=lambda page: (page.name.casefold(), page.file)), unreadable
