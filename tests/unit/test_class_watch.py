"""Seeing a class: who is stuck, who comes first, what it stumbles on; the page and the table that say so."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from k8s_helpers import exercises
from k8s_helpers.classroom import page, screen, sentences
from k8s_helpers.classroom.attention import (
    AWAY_S,
    STUCK_S,
    TOKEN_SOON_S,
    ClassState,
    Need,
    Seat,
    need,
    seats,
    stumblings,
)
from k8s_helpers.classroom.creation import TOKEN_END
from k8s_helpers.exercises.grading.wide_table import REFRESH
from k8s_helpers.journal import shared
from k8s_helpers.journal.shared import SharedExercise, SharedProgress
from k8s_helpers.kube.classes import HOME, JOURNAL, POOL, class_labels

NOW_S = 1_800_000_000.0
STAMP = "2027-01-15T08:00:00Z"
CLASS = "r509"


def namespace(student: str, role: str = HOME, name: str = "", **metadata: Any) -> dict[str, Any]:
    labels = class_labels(CLASS, student, role)
    return {
        "metadata": {"name": name or f"{CLASS}-{student}", "labels": labels, **metadata},
        "status": {"phase": "Active"},
    }


def written(student: str, progress: SharedProgress, where: str = "") -> dict[str, Any]:
    return {
        "metadata": {
            "name": JOURNAL,
            "namespace": where or f"{CLASS}-{student}",
            "labels": {shared.JOURNAL_LABEL: CLASS},
            "managedFields": [{"time": STAMP, "fieldsV1": {"f:data": {"f:a.json": {}}}}],
        },
        "data": {"a.json": progress.to_json(NOW_S)},
    }


def on(
    exercise: str,
    minutes: float,
    attempts: int,
    *,
    idle_min: float = 0.0,
    passed: bool = False,
    finding: str = "",
    mistakes: Mapping[str, int] | None = None,
) -> SharedProgress:
    tried = SharedExercise(attempts, 1, passed, finding, mistakes or {})
    exercises_ = {exercise: tried} if attempts else {}
    return SharedProgress(exercises_, 2, exercise, NOW_S - minutes * 60, NOW_S - idle_min * 60)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (None, Need.ABSENT),
        (SharedProgress(active_s=NOW_S), Need.WORKING),
        (on("a", 10, 2), Need.STUCK),
        (on("a", 9.9, 9), Need.WORKING),
        (on("a", 30, 1), Need.WORKING),
        (on("a", 30, 0), Need.WORKING),
        (on("a", 30, 5, passed=True), Need.WORKING),
        (on("a", 30, 0, idle_min=10), Need.SILENT),
        (on("a", 30, 1, idle_min=12), Need.SILENT),
        (on("a", 30, 2, idle_min=12), Need.STUCK),
        (on("a", 30, 2, idle_min=12, passed=True), Need.WORKING),
        (on("a", 90, 2, idle_min=AWAY_S / 60), Need.AWAY),
        (SharedProgress({"a": SharedExercise(4)}, 0, "a"), Need.WORKING),
    ],
)
def test_who_is_stuck(progress: SharedProgress | None, expected: Need) -> None:
    assert need(progress, (), NOW_S) == expected
    assert STUCK_S == 600, "ten minutes"


def state() -> ClassState:
    """A class of six, one for each case, and what is not theirs."""
    end = datetime.fromtimestamp(NOW_S + TOKEN_SOON_S / 2, UTC).isoformat()
    gone = datetime.fromtimestamp(NOW_S - 5, UTC).isoformat()
    quota = {
        "metadata": {
            "name": "k8s-helpers-class",
            "namespace": f"{CLASS}-paul-1",
            "labels": class_labels(CLASS, "paul"),
        },
        "status": {
            "hard": {"pods": "60", "services.nodeports": "0", "requests.memory": "3Gi"},
            "used": {"pods": "60", "services.nodeports": "0", "requests.memory": "1Gi"},
        },
    }
    own = {**quota, "metadata": {"name": "mien", "namespace": f"{CLASS}-ana-1", "labels": {}}}
    return ClassState(
        (
            namespace("ana", annotations={TOKEN_END: end}),
            namespace("ana", POOL, f"{CLASS}-ana-1"),
            namespace("bob"),
            namespace("chloe"),
            namespace("dan"),
            namespace("eve", annotations={TOKEN_END: gone}),
            namespace("paul"),
            namespace("paul", POOL, f"{CLASS}-paul-1", deletionTimestamp=STAMP),
        ),
        (
            written("ana", on("09-budget", 5, 1, finding="x")),
            written("bob", on("09-zero-perte", 12, 3, finding="arret", mistakes={"arret": 3})),
            written("chloe", on("09-zero-perte", 25, 2, finding="arret", mistakes={"arret": 1})),
            written("eve", on("09-zero-perte", 1, 3, passed=True, mistakes={"arret": 2, "x": 9})),
            written("dan", on("09-budget", 50, 9), where="autre"),
        ),
        (quota, own),
    )


def test_who_needs_help_comes_first_and_whose_a_journal_is_the_namespace_says() -> None:
    seen = seats(state(), NOW_S)
    assert [(seat.student, seat.need) for seat in seen] == [
        ("eve", Need.BROKEN),
        ("paul", Need.BROKEN),
        ("chloe", Need.STUCK),
        ("bob", Need.STUCK),
        ("dan", Need.ABSENT),
        ("ana", Need.WORKING),
    ]
    faults = {seat.student: [fault.code for fault in seat.faults] for seat in seen}
    assert faults == {
        "eve": ["token-ended"],
        "paul": ["terminating", "quota"],
        "chloe": [],
        "bob": [],
        "dan": [],
        "ana": ["token-soon"],
    }
    quota = next(seat for seat in seen if seat.student == "paul").faults[1]
    assert quota.detail == "pods 60/60"


def test_what_keeps_most_students_comes_first() -> None:
    first, second = stumblings(seats(state(), NOW_S))
    assert (first.finding, first.times, first.students, first.still) == ("arret", 6, 3, 2)
    assert (second.finding, second.times, second.still) == ("x", 9, 0)
    line = sentences.stumbling_lines([first])[0].replace("\u00a0", " ")
    hint = exercises.load("09-zero-perte").hints["arret"][0]
    assert "6 fois, 3 étudiants, dont 2 ne l’ont pas" in line and hint[:40] in line


def html(seen: tuple[Seat, ...], **names: str) -> str:
    at = datetime(2027, 1, 15, 9, 0, 0)
    return page.to_html(CLASS, seen, names=names, at=at, refresh_s=5)


def test_the_page_is_whole_in_itself_refreshes_until_it_is_stopped() -> None:
    text = html(seats(state(), NOW_S), bob="Bob <b>Martin</b>")
    assert '<meta http-equiv="refresh" content="5">' in text
    assert text.count("<script") == 1 and f"<script>{REFRESH}</script>" in text
    assert not re.search(r"(?:src|href)=|url\(", text)
    assert "Bob &lt;b&gt;Martin" in text and "<b>" not in text
    plain = text.replace("\u00a0", " ")
    assert (
        "▲ Bob &lt;b&gt;Martin&lt;/b&gt; : bloqué, sur 09-zero-perte depuis 12 min, 3 essais"
        in plain
    )
    assert "✖ eve : empêché, réussi ; jeton expiré" in plain
    assert "l’espace de noms r509-paul-1 est en cours de suppression" in plain
    assert plain.index("Qui a besoin d’aide") < plain.index("<table")
    assert ">▸3<" in text, "the exercise they are on"
    assert "Pas encore commencé" in plain and "<li>dan</li>" in plain


def test_a_class_without_trouble_says_so() -> None:
    alone = ClassState((namespace("ana"),), (written("ana", on("09-budget", 1, 1)),))
    assert "Personne pour l’instant" in html(seats(alone, NOW_S))


def test_the_terminals_table_says_the_same_and_reads_no_markup() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, color_system=None)
    names = {"chloe": "Chloé [red]X[/red]"}
    at = datetime(2027, 1, 15, 9, 0, 0)
    console.print(screen.draw(CLASS, seats(state(), NOW_S), names=names, at=at, trouble="coupé"))
    lines = out.getvalue().replace("\u00a0", " ").splitlines()
    assert "r509, 6 étudiants." in lines[0] and "▲ bloqué : 2" in lines[0]
    assert lines[1].strip() == "coupé"
    rows = [line for line in lines if "▲" in line][1:]
    assert "Chloé [red]X[/red]" in rows[0] and "25 min" in rows[0] and "« arret »" in rows[0]
    assert rows[1].startswith("bob")


def test_each_need_has_a_mark_of_its_own_beside_its_colour() -> None:
    assert len(set(sentences.MARKS.values())) == len(Need) == len(set(sentences.STATES.values()))
