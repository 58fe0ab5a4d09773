"""The class as one page that a browser loads again by itself: nothing is fetched from elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from .._french import typeset
from ..exercises import exercises
from ..exercises.catalogue import Exercise
from ..exercises.grading import wide_table
from ..exercises.grading.class_report import attempts_cell
from ..exercises.grading.wide_table import Cell, Row
from . import sentences
from .attention import Need, Seat, stumblings

_HELP = (Need.BROKEN, Need.STUCK, Need.SILENT)


def to_html(
    class_name: str,
    seen: Sequence[Seat],
    *,
    names: Mapping[str, str],
    at: datetime,
    refresh_s: int,
    trouble: str = "",
) -> str:
    """Return the page.

    Parameters
    ----------
    seen : sequence of Seat
        Who needs help first.
    names : mapping of str to str
        By id, where the teacher's list was given.
    at : datetime
        When this was seen.
    refresh_s : int
        After how long the browser loads the page again.
    trouble : str
        Why what is seen may be old, in French; "" where it is not.
    """
    known = list(exercises("").values())
    intro = [sentences.summary(class_name, seen), typeset(f"Vu à {at:%H:%M:%S}. {trouble}".strip())]
    waiting = [
        sentences.help_line(seat, names.get(seat.student, seat.student))
        for seat in seen
        if seat.need in _HELP
    ]
    absent = [names.get(seat.student, seat.student) for seat in seen if seat.need == Need.ABSENT]
    legend = typeset(
        f"{sentences.rules()} Dans le tableau : ✔ réussi ; un nombre, essais sans succès ; ▸ l’exercice en cours."
    )
    return wide_table.page(
        typeset(f"La classe {class_name}"),
        intro,
        wide_table.table(
            ("réussis", "essais", "inactif"), known, [_row(seat, known, names) for seat in seen]
        ),
        [("Ce que disent les signes", [legend])],
        first=[
            ("Qui a besoin d’aide", waiting or ["Personne pour l’instant."]),
            ("Pas encore commencé", [typeset(", ".join(absent))] if absent else []),
            ("Ce qui échoue le plus", sentences.stumbling_lines(stumblings(seen))),
        ],
        refresh_s=refresh_s,
    )


def _row(seat: Seat, known: Sequence[Exercise], names: Mapping[str, str]) -> Row:
    name = names.get(seat.student, seat.student)
    state = f"{sentences.MARKS[seat.need]} {sentences.STATES[seat.need]}"
    return Row(
        name,
        typeset(f"{name} : {state}, {sentences.place(seat)}"),
        (str(seat.passed), str(seat.attempts or ""), sentences.age(seat.idle_s)),
        tuple(_cell(seat, exercise.name) for exercise in known),
        sentences.MARKS[seat.need],
    )


def _cell(seat: Seat, name: str) -> Cell:
    tried = seat.progress.exercises.get(name)
    passed = None if tried is None or not tried.attempts else tried.passed
    cell = attempts_cell(name, tried.attempts if tried else 0, passed)
    if name != seat.progress.exercise or passed:
        return cell
    text = "" if passed is None else cell.text
    return replace(cell, text=f"▸{text}", kind=f"{cell.kind} here", words=f"{cell.words}, en cours")
