"""The list of a class: a CSV file as Moodle, Pronote or a spreadsheet writes it becomes students with an id each. Pure.

What is wrong is said of all lines at once, with their numbers: who corrects a file does it in one go.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import _french
from .._errors import UsageError
from ..kube.classes import home_name, pool_names

LONGEST_NAME = 63
"""Characters of a namespace's name: it is a DNS label (RFC 1123)."""

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": (
        "identifiant",
        "id",
        "login",
        "username",
        "user name",
        "nom d utilisateur",
        "nom utilisateur",
    ),
    "first": ("prenom", "prenoms", "first name", "firstname", "given name"),
    "last": ("nom", "nom de famille", "last name", "lastname", "surname", "family name", "name"),
    "whole": (
        "eleve",
        "etudiant",
        "etudiante",
        "nom complet",
        "nom prenom",
        "nom et prenom",
        "full name",
        "student",
    ),
    "mail": (
        "email",
        "e mail",
        "mail",
        "courriel",
        "adresse de courriel",
        "adresse mail",
        "adresse e mail",
        "adresse email",
        "email address",
    ),
}
"""What the columns are called, without accents or capitals."""

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
_SHOWN = 12
"""Longest list of faults in one message."""


@dataclass(frozen=True)
class Member:
    """Somebody of the class.

    Attributes
    ----------
    id : str
        A DNS label, from which the names of the namespaces are made.
    name : str
        As the file writes it; it never goes to the cluster.
    line : int
        Of the file, from 1.
    """

    id: str
    name: str
    line: int = 0


def read(path: Path, class_name: str, namespaces: int) -> tuple[Member, ...]:
    """Return the students of a file.

    Parameters
    ----------
    path : Path
        CSV with a header; in UTF-8, UTF-16 with its mark, or the Western code page of Windows.
    class_name : str
        Of the class: with the ids it makes the names of the namespaces, which have to fit.
    namespaces : int
        How many each student gets, besides the home.

    Raises
    ------
    UsageError
        The file cannot be read, or says nothing that names students; two students would get one id, or names clash.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"Lire la liste {path}", _french.system(error), "Vérifiez le chemin du fichier."
        ) from None
    return parse(_decoded(data), class_name, namespaces, str(path))


def parse(text: str, class_name: str, namespaces: int, source: str) -> tuple[Member, ...]:
    """Return the students of a list. Parameters and errors as `read`.

    Parameters
    ----------
    text : str
        The file's.
    source : str
        What the list is called in messages.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    lines = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    if not lines:
        raise _refusal(source, ["la liste est vide"])
    columns = _columns(lines[0][1], source)
    students = [_student(line, row, columns) for line, row in lines[1:]]
    faults = [
        *_unnamed(students),
        *_repeated(students),
        *_too_long(students, class_name, namespaces),
        *_clashing(students, class_name, namespaces),
    ]
    if not students:
        faults = ["la liste n’a que son en-tête : aucun étudiant"]
    if faults:
        raise _refusal(source, faults)
    return tuple(students)


def label_of(name: str) -> str:
    """Return the DNS label nearest to a name: "Zoé D’Arc" → "zoe-d-arc"; "" where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")


def require_label(name: str, what: str) -> str:
    """Return a name that is a DNS label.

    Parameters
    ----------
    what : str
        What it names, in French: "une classe".

    Raises
    ------
    UsageError
        It is none.
    """
    if name and label_of(name) == name:
        return name
    near = label_of(name)
    raise UsageError(
        f"Nommer {what} « {name} »",
        "un nom a ici des minuscules sans accent, des chiffres et des tirets, et ne commence ni ne finit par un tiret",
        f"Prenez « {near} »." if near else "Prenez par exemple « r509 ».",
    )


def _decoded(data: bytes) -> str:
    """Return a file's text: the encodings that spreadsheets write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """Return what separates the cells: what the first line that says something has most of."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(";,\t", key=header.count)


def _columns(header: Sequence[str], source: str) -> Mapping[str, int]:
    """Return where each known column is; the first one of a kind counts."""
    names = [label_of(cell).replace("-", " ") for cell in header]
    found = {
        column: next(index for index, name in enumerate(names) if name in known)
        for column, known in _COLUMNS.items()
        if any(name in known for name in names)
    }
    if not found:
        shown = ", ".join(cell.strip() for cell in header if cell.strip())
        raise UsageError(
            f"Lire la liste {source}",
            f"sa première ligne ne nomme aucune colonne connue : {shown}",
            "Écrivez un en-tête, par exemple « Nom;Prénom », ou « identifiant » (un nom court par étudiant).",
        )
    return found


def _student(line: int, row: Sequence[str], columns: Mapping[str, int]) -> Member:
    cells = {
        column: row[index].strip() if index < len(row) else "" for column, index in columns.items()
    }
    name = " ".join(part for part in (cells.get("first"), cells.get("last")) if part)
    name = name or cells.get("whole", "")
    mail = cells.get("mail", "")
    chosen = cells.get("id") or name or mail.partition("@")[0]
    return Member(label_of(chosen), name or chosen, line)


def _unnamed(students: Sequence[Member]) -> Iterator[str]:
    for student in students:
        if not student.id:
            yield f"ligne {student.line} : aucun nom dont faire un identifiant ({student.name or 'vide'})"


def _repeated(students: Sequence[Member]) -> Iterator[str]:
    first: dict[str, Member] = {}
    for student in students:
        before = first.setdefault(student.id, student)
        if student.id and before is not student:
            yield (
                f"lignes {before.line} et {student.line} : « {before.name} » et « {student.name} » auraient tous deux "
                f"l’identifiant « {student.id} »"
            )


def _too_long(students: Sequence[Member], class_name: str, namespaces: int) -> Iterator[str]:
    for student in students:
        longest = _names(student, class_name, namespaces)[-1]
        if len(longest) > LONGEST_NAME:
            yield (
                f"ligne {student.line} : « {longest} » aurait {len(longest)} caractères, un espace de noms en a "
                f"{LONGEST_NAME} au plus"
            )


def _clashing(students: Sequence[Member], class_name: str, namespaces: int) -> Iterator[str]:
    """Yield where a student's home would be another one's namespace: "ana-1" and the first of "ana"."""
    owners: dict[str, Member] = {}
    for student in students:
        for name in _names(student, class_name, namespaces):
            before = owners.setdefault(name, student)
            if student.id and before.id != student.id:
                yield (
                    f"lignes {before.line} et {student.line} : « {before.name} » et « {student.name} » auraient tous "
                    f"deux l’espace de noms « {name} »"
                )


def _names(student: Member, class_name: str, namespaces: int) -> tuple[str, ...]:
    return (
        home_name(class_name, student.id),
        *pool_names(class_name, student.id, namespaces),
    )


def _refusal(source: str, faults: Sequence[str]) -> UsageError:
    shown = list(faults[:_SHOWN])
    if len(faults) > _SHOWN:
        shown.append(f"et {len(faults) - _SHOWN} autres lignes")
    return UsageError(
        f"Lire la liste {source}",
        " ; ".join(shown),
        "Corrigez ces lignes, ou ajoutez une colonne « identifiant » avec un nom court et différent pour chacun ; rien "
        "n’a été créé.",
    )
