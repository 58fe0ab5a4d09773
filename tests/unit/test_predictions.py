"""Predictions and the journal that keeps them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from k8s_helpers import journal
from k8s_helpers._errors import ResourceError, UsageError
from k8s_helpers._questions import questions
from k8s_helpers.draw import words
from k8s_helpers.predictions import predict


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chosen = tmp_path / "ma progression" / "progress.json"
    monkeypatch.setenv("K8S_HELPERS_PROGRESS", str(chosen))
    return chosen


def test_what_is_predicted_is_kept(file: Path) -> None:
    predict("4.05", recreate=150)
    predict("4.05", rolling=0)
    assert journal.read().predictions["4.05"].answers == {"recreate": 150, "rolling": 0}
    assert json.loads(file.read_text())["schema"] == journal.SCHEMA


def test_a_prediction_is_a_mapping_that_charts_understand() -> None:
    prediction = predict("4.05", recreate=150, bleu_vert=0, rolling=...)
    assert dict(prediction) == {"recreate": 150, "bleu_vert": 0}
    assert words.predicted(prediction, "blue-green") == "vous aviez prévu\u00a00"
    assert words.predicted(prediction, "rolling") is None


def test_no_answer_yet_writes_nothing_and_says_so(file: Path) -> None:
    prediction = predict("4.05", recreate=..., rolling=...)
    assert not prediction and not file.exists()
    assert "remplacez les" in repr(prediction)
    assert "Requêtes perdues, recreate" in prediction._repr_html_()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"recrate": 1}, "recreate"),
        ({"recreate": "beaucoup"}, "un nombre"),
        ({"recreate": True}, "un nombre"),
        ({"recreate": float("nan")}, "un nombre"),
        ({"recreate": -3}, "entre 0 et"),
    ],
)
def test_a_senseless_answer_is_refused_and_not_kept(
    file: Path, answers: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        predict("4.05", **answers)
    assert not file.exists()


def test_an_unknown_slide_lists_those_that_ask() -> None:
    with pytest.raises(UsageError, match=r"4\.05"):
        predict("9.99", recreate=1)


def test_the_measure_is_put_beside_the_prediction() -> None:
    told = repr(predict("4.05", pods_au_plus=9).confront(pods_au_plus=10, prets_au_moins=6))
    assert "mesuré 10\u00a0pods ; vous aviez prévu 9\u00a0pods" in told.replace("\u00a0;", " ;")
    assert told.count("vous aviez prévu") == 1


def test_every_question_has_a_text_and_sound_bounds() -> None:
    for asked in questions().values():
        for question in asked.values():
            assert question.text and question.minimum < question.maximum


def test_a_damaged_journal_is_set_aside(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"schema": 1, "predic')
    with pytest.warns(journal.JournalWarning, match="mis de côté"):
        assert journal.read() == journal.Journal()
    assert file.with_suffix(".abime.json").exists()
    predict("4.05", rolling=0)
    assert journal.read().predictions["4.05"].answers == {"rolling": 0}


def test_a_journal_that_cannot_be_written_is_an_error_with_advice(file: Path) -> None:
    file.parent.write_text("a file where the folder should be")
    with pytest.raises(ResourceError, match="K8S_HELPERS_PROGRESS"):
        predict("4.05", rolling=0)


def test_two_notebooks_at_once_lose_nothing() -> None:
    def many(prefix: str) -> None:
        for index in range(20):
            entry = journal.ExerciseEntry(attempts=index)
            journal.change(
                lambda before, i=index, e=entry: before.with_exercise(f"{prefix}-{i}", e)
            )

    threads = [threading.Thread(target=many, args=(prefix,)) for prefix in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journal.read().exercises) == 40
