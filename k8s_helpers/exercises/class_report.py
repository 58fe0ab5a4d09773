"""Many students' pages → one table for the class: who has passed what, and what the class stumbles on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from .._errors import UsageError
from .._french import count, system, typeset
from .catalogue import exercises
from .overview import DATA_ID, SCHEMA

MAX_BYTES = 50_000_000
_MARKS = {"passed": ("✔", "réussi"), "tried": ("…", "en cours"), "": ("·", "à faire")}
_CELL = "text-align:center;padding:.15em .6em;border:1px solid #E5E7EB"


@dataclass(frozen=True)
class Page:
    """What one student handed in.

    Attributes
    ----------
    name : str
        As the student wrote it.
    states : mapping of str to str
        By exercise: "passed", "tried" or "".
    attempts : mapping of str to int
        Checks that ran, by exercise.
    predicted : int
        Slides for which something was predicted.
    """

    name: str
    states: Mapping[str, str]
    attempts: Mapping[str, int]
    predicted: int


@dataclass(frozen=True)
class ClassReport:
    """The class's table.

    Attributes
    ----------
    pages : tuple of Page
        By name.
    unreadable : mapping of str to str
        Files that are no progress page, and why, in French.
    """

    pages: tuple[Page, ...]
    unreadable: Mapping[str, str]

    def passed(self, exercise: str) -> int:
        """Return how many students have passed an exercise."""
        return sum(page.states.get(exercise) == "passed" for page in self.pages)

    def __str__(self) -> str:
        width = max([len(page.name) for page in self.pages], default=0)
        lines = [
            f"{page.name.ljust(width)}  "
            + "".join(_MARKS[page.states.get(name, "")][0] for name in exercises())
            + f"  {sum(state == 'passed' for state in page.states.values())}/{len(exercises())}"
            for page in self.pages
        ]
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
        known = exercises()
        head = "".join(
            f'<th scope="col" style="{_CELL}" title="{escape(exercise.title)}">{escape(name)}</th>'
            for name, exercise in known.items()
        )
        rows = "".join(self._row(page) for page in self.pages)
        total = "".join(f'<td style="{_CELL}">{self.passed(name)}</td>' for name in known)
        left = "".join(
            f"<li>{escape(name)}\u00a0: {escape(why)}</li>" for name, why in self.unreadable.items()
        )
        legend = ", ".join(f"{mark} {words}" for mark, words in _MARKS.values())
        return (
            '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>La classe</title></head>'
            f"<body><h1>La classe</h1><p>{escape(self.summary())} Légende\u00a0: {legend}.</p>"
            '<table style="border-collapse:collapse"><thead><tr>'
            f'<th scope="col" style="{_CELL}">élève</th>{head}'
            f'<th scope="col" style="{_CELL}">réussis</th><th scope="col" style="{_CELL}">prédictions</th></tr></thead>'
            f'<tbody>{rows}<tr><th scope="row" style="{_CELL}">réussis</th>{total}<td></td><td></td></tr>'
            "</tbody></table>"
            f"{'<h2>Fichiers laissés de côté</h2><ul>' + left + '</ul>' if left else ''}</body></html>\n"
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the table as plain JSON values."""
        return {
            "students": [
                {"name": page.name, "exercises": dict(page.states), "predicted": page.predicted}
                for page in self.pages
            ],
            "passed": {name: self.passed(name) for name in exercises()},
            "unreadable": dict(self.unreadable),
        }

    def _row(self, page: Page) -> str:
        cells = "".join(
            f'<td style="{_CELL}"><span title="{words}, {count(page.attempts.get(name, 0), "essai")}" '
            f'aria-label="{words}">{mark}</span></td>'
            for name in exercises()
            for mark, words in (_MARKS[page.states.get(name, "")],)
        )
        done = sum(state == "passed" for state in page.states.values())
        return (
            f'<tr><th scope="row" style="{_CELL};text-align:left">{escape(page.name)}</th>{cells}'
            f'<td style="{_CELL}">{done}</td><td style="{_CELL}">{page.predicted}</td></tr>'
        )


def class_report(folder: Path) -> ClassReport:
    """Read every HTML page of a folder that students have handed in.

    What a student writes is data: a page is read, never run; one that is none is told, and the others count.

    Raises
    ------
    UsageError
        There is no such folder, or no page in it.
    """
    paths = folder.rglob("*.html") if folder.is_dir() else ()
    files = sorted(path for path in paths if not path.is_dir())
    if not files:
        raise UsageError(
            f"Faire le tableau de la classe avec « {folder} »",
            "ce n’est pas un dossier"
            if not folder.is_dir()
            else "il ne contient aucune page .html",
            "Mettez-y les pages que les élèves ont écrites par progress().save(…), puis relancez.",
        )
    pages, unreadable = [], {}
    for file in files:
        try:
            pages.append(read_page(file))
        except (OSError, ValueError) as error:
            why = system(error) if isinstance(error, OSError) else str(error)
            unreadable[file.relative_to(folder).as_posix()] = why
    return ClassReport(tuple(sorted(pages, key=lambda page: page.name.casefold())), unreadable)


def read_page(file: Path) -> Page:
    """Return what one page holds.

    Raises
    ------
    ValueError
        It is no progress page; says why, in French.
    """
    if file.stat().st_size > MAX_BYTES:
        raise ValueError("le fichier est trop gros")
    reader = _Reader()
    reader.feed(file.read_text(encoding="utf-8", errors="replace"))
    try:
        plain = json.loads("".join(reader.data))
    except ValueError:
        raise ValueError("ce n’est pas une page de progression") from None
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
        raise ValueError("cette page vient d’une autre version du cours")
    done = plain.get("exercises")
    done = done if isinstance(done, dict) else {}
    rows = {name: entry for name, entry in done.items() if isinstance(entry, dict)}
    predictions = plain.get("predictions")
    return Page(
        str(plain.get("name") or file.stem)[:80],
        {name: _state(entry) for name, entry in rows.items() if name in exercises()},
        {name: _number(entry.get("attempts")) for name, entry in rows.items()},
        len(predictions) if isinstance(predictions, dict) else 0,
    )


def _state(entry: Mapping[str, Any]) -> str:
    if entry.get("passed_at"):
        return "passed"
    return "tried" if _number(entry.get("attempts")) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


class _Reader(HTMLParser):
    """Finds the block of data of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.data: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and dict(attrs).get("id") == DATA_ID

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data.append(data)
