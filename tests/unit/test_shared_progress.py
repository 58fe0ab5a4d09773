"""What a class sees of a student: what is in it and what never is, its size, clocks that are off, two machines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from k8s_helpers import exercises, journal
from k8s_helpers.exercises import marking
from k8s_helpers.exercises.finding import Finding
from k8s_helpers.journal import shared
from k8s_helpers.journal.shared import SharedExercise, SharedProgress

NOW_S = 1_800_000_000.0
STAMP = "2027-01-15T08:00:00Z"
"""The same instant, as the API server writes it."""


@pytest.fixture(autouse=True)
def own_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_PROGRESS", str(tmp_path / "progress.json"))


def config_map(entries: dict[str, tuple[str, str]], **labels: str) -> dict[str, Any]:
    """Return a ConfigMap of entries: the text, and when the server has seen it written."""
    managed = [
        {"manager": key, "time": stamp, "fieldsV1": {"f:data": {f"f:{key}": {}}}}
        for key, (_, stamp) in entries.items()
    ]
    data = {key: text for key, (text, _) in entries.items()}
    return {
        "metadata": {"managedFields": managed, "resourceVersion": "7", "labels": labels},
        "data": data,
    }


def test_counts_names_and_codes_are_shared_and_nothing_else() -> None:
    load = exercises.load("09-zero-perte")
    kept = ["apiVersion: v1 # mon secret"]
    journal.change(lambda known: replace(known, student="Ada Lovelace"))
    journal.change(lambda known: known.with_prediction("4.05", {"recreate": 987654}))
    journal.change(lambda known: marking._noted(known, load, Finding("arret", "perdu"), None))
    known = journal.change(lambda known: marking._noted(known, load, Finding(None, "bien"), kept))
    text = shared.of_journal(known).to_json(NOW_S)
    for secret in ("Ada", "Lovelace", "987654", "secret", "perdu", "recreate"):
        assert secret not in text
    read = SharedProgress.parse(text, NOW_S)
    assert read.exercises == {"09-zero-perte": SharedExercise(2, 0, True, "", {"arret": 1})}
    assert read.predicted == 1 and read.exercise == "09-zero-perte"


def test_a_students_clock_does_not_matter() -> None:
    off_s = 5 * 365 * 86_400.0
    mine = SharedProgress({}, 0, "09-zero-perte", NOW_S - off_s - 600, NOW_S - off_s - 5)
    item = config_map({"a.json": (mine.to_json(NOW_S - off_s), STAMP)})
    seen = shared.of_config_map(item)
    assert seen is not None
    assert (seen.since_s, seen.active_s) == (NOW_S - 600, NOW_S - 5)


def test_two_machines_are_added_up_and_the_one_used_last_says_where() -> None:
    first = SharedProgress(
        {"a-b": SharedExercise(2, 1, True, "", {"x": 1}), "c": SharedExercise(1, 2, False, "y")},
        3,
        "a-b",
        NOW_S - 900,
        NOW_S - 100,
    )
    second = SharedProgress(
        {"a-b": SharedExercise(1, 1, False, "x", {"x": 1})}, 1, "c", NOW_S - 500, NOW_S - 200
    )
    for order in ((first, second), (second, first)):
        whole = shared.merged(order)
        assert whole.exercises["a-b"] == SharedExercise(3, 1, True, "", {"x": 2})
        assert whole.exercises["c"] == SharedExercise(1, 2, False, "y")
        assert (whole.exercise, whole.since_s, whole.active_s) == ("a-b", NOW_S - 900, NOW_S - 100)
        assert whole.predicted == 3


def everything() -> SharedProgress:
    """Return the progress of who tried all, and met every mistake of all."""
    tried = {
        name: SharedExercise(
            99, 3, False, next(iter(exercise.hints)), dict.fromkeys(exercise.hints, 99)
        )
        for name, exercise in exercises.exercises().items()
    }
    return SharedProgress(tried, 80, next(iter(tried)), NOW_S, NOW_S)


def test_the_largest_fits_and_loses_only_rare_findings() -> None:
    text = everything().to_json(NOW_S)
    assert len(text.encode()) <= shared.MAX_ENTRY_BYTES
    read = SharedProgress.parse(text, NOW_S)
    assert {name: tried.attempts for name, tried in read.exercises.items()} == dict.fromkeys(
        exercises.exercises(), 99
    )
    assert shared.MAX_FILES * shared.MAX_ENTRY_BYTES < 16_000


def test_many_machines_are_folded_into_few_entries_and_nothing_is_lost() -> None:
    def entry(number: int) -> SharedProgress:
        return SharedProgress({"a": SharedExercise(1)}, 0, "a", NOW_S, NOW_S - number)

    item = config_map({f"{n}.json": (entry(n).to_json(NOW_S), STAMP) for n in range(6)})
    change = shared.folded(item, "5.json")
    kept = {**item["data"], **change}
    left = {key: text for key, text in kept.items() if text is not None}
    assert set(left) == {"0.json", "5.json", shared.EARLIER}
    whole = shared.of_config_map(config_map({key: (text, STAMP) for key, text in left.items()}))
    assert whole is not None and whole.exercises["a"].attempts == 6
    assert whole.active_s == NOW_S, "what was folded is not taken for something new"
    assert (
        shared.folded(config_map({key: (text, STAMP) for key, text in left.items()}), "5.json")
        == {}
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"schema":2}',
        "[" * 19_000,
        '{"schema":1,"exercises":"' + "x" * 30_000 + '"}',
    ],
)
def test_what_is_no_entry_is_left_out(text: str) -> None:
    assert shared.of_config_map(config_map({"a.json": (text, STAMP)})) is None


def test_what_a_student_invents_is_neither_a_name_nor_a_count() -> None:
    plain = {
        "schema": 1,
        "predicted": -5,
        "exercise": "<script>",
        "since": -3,
        "active": True,
        "exercises": {
            "<b>": [1, 0, 0, "", {}],
            "a": [10**30, 1, "x", "[red]", {"b": "x", "c": 2, "D": 3}],
            "b": [1],
            "c": 4,
        },
    }
    read = SharedProgress.parse(json.dumps(plain), NOW_S)
    assert read == SharedProgress({"a": SharedExercise(100_000, 0, True, "", {"c": 2})})


def test_since_when_changes_with_the_exercise_only() -> None:
    first = journal.Journal(activity=journal.Activity("a", "2026-01-01T10:00:00+00:00", "x"))
    same, other = first.active("a").active(), first.active("b")
    assert same.activity.since == first.activity.since and same.activity.at != "x"
    assert other.activity.exercise == "b" and other.activity.since == other.activity.at


def test_a_journal_of_before_is_read(tmp_path: Path) -> None:
    journal.path().write_text('{"schema": 1, "predictions": {}, "exercises": {}, "student": "Ada"}')
    assert journal.read() == journal.Journal(student="Ada")
    assert journal.change(lambda known: known).identity == journal.read().identity != ""
