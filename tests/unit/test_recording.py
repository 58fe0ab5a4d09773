"""Files of recordings: what is written is read back, old ones are translated, others are refused with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic

from k8s_helpers._errors import RecordingError
from k8s_helpers.measure import old_format
from k8s_helpers.measure.recording import SCHEMA, Attempt, Mark, Recording, Run


def recording() -> Recording:
    run = replace(
        synthetic.recreate(),
        marks=(Mark(1.0, "apply"), Mark(2.0, "claim", facts={"phase": "Bound", "sizes": [1, 2]})),
        attempts=(
            Attempt(1.0, "admin", "read", True, "v1"),
            Attempt(2.0, "pod", "read", False, "403"),
        ),
    )
    return Recording("update", "kind", "v1.37.0", (run,))


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    saved = recording().save(tmp_path / "deep" / "recording.json")
    loaded = Recording.load(saved)
    assert loaded.runs[0].attempts == recording().runs[0].attempts
    assert loaded.runs[0].marks[1].facts == {"phase": "Bound", "sizes": [1, 2]}
    assert loaded.runs[0].marks[0].facts == {}
    assert json.loads(saved.read_text())["schema"] == SCHEMA
    assert Recording.load(loaded.save(tmp_path / "again.json")) == loaded


def test_fields_that_hold_nothing_are_not_written() -> None:
    (run,) = json.loads(recording().to_json())["runs"]
    assert "detail" not in run["attempts"] and "detail" not in run["marks"]
    assert run["marks"]["facts"][0] == {}


def old(tmp_path: Path) -> Path:
    """Write a recording as format 1 had it: every column, French words."""
    plain = {
        "schema": 1,
        "experiment": "essai",
        "provider": "kind",
        "kubernetes_version": "v1.36.0",
        "runs": [
            {
                "name": "trop grand",
                "started_at": "2026-01-01T10:00:00+00:00",
                "ended_s": 3.0,
                "parameters": {"state": "placé", "deep": [{"state": "refusé", "other": "placé"}]},
                "marks": {"at_s": [1.0], "kind": ["apply"], "detail": ["placé"]},
                "attempts": {
                    "at_s": [1.0, 2.0],
                    "who": ["Pod n° 2", "vous"],
                    "what": ["lire", "lire"],
                    "ok": [True, False],
                    "answer": ["en clair", "403"],
                    "detail": ["", ""],
                },
            }
        ],
    }
    path = tmp_path / "old.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    return path


def test_an_old_recording_is_translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        "runs": [["trop grand", "too-large"]],
        "parameters": {"state": [["placé", "Scheduled"], ["refusé", "Refused"]]},
        "attempts": {"who": [[r"Pod n° (\d)", r"pod_\1"]], "answer": [["en clair", "clear"]]},
    }
    (tmp_path / "essai.json").write_text(json.dumps(table), encoding="utf-8")
    monkeypatch.setattr(old_format, "_FOLDER", tmp_path)
    run = Recording.load(old(tmp_path)).run("too-large")
    assert run.parameters == {
        "state": "Scheduled",
        "deep": [{"state": "Refused", "other": "placé"}],
    }
    assert [(one.who, one.answer) for one in run.attempts] == [("pod_2", "clear"), ("vous", "403")]
    assert run.marks == (Mark(1.0, "apply", "placé"),)


def test_an_old_recording_whose_lab_kept_its_words_is_read_as_it_is(tmp_path: Path) -> None:
    assert Recording.load(old(tmp_path)).runs[0].parameters["state"] == "placé"


def test_one_of_a_newer_version_says_so(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(recording().to_json().replace(f'"schema":{SCHEMA}', f'"schema":{SCHEMA + 1}'))
    with pytest.raises(RecordingError, match=f"format {SCHEMA + 1}, plus récent(.|\n)*à jour"):
        Recording.load(path)
    path.write_text(recording().to_json().replace(f'"schema":{SCHEMA}', '"schema":"x"'))
    with pytest.raises(RecordingError, match="format 'x', inconnu"):
        Recording.load(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_one_that_was_cut_is_said_to_be(tmp_path: Path, share: float) -> None:
    whole = recording().to_json()
    path = tmp_path / "r.json"
    path.write_text(whole[: int(share * len(whole))])
    with pytest.raises(RecordingError, match="coupée"):
        Recording.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "3",
        "{}",
        '{"schema": 2}',
        '{"schema": 2, "experiment": "x", "runs": [{}]}',
        '{"schema": 1}',
    ],
)
def test_what_is_no_recording_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(RecordingError, match="pas un enregistrement"):
        Recording.load(path)


def test_columns_of_different_lengths_are_refused(tmp_path: Path) -> None:
    plain = json.loads(recording().to_json())
    plain["runs"][0]["marks"]["at_s"].pop()
    path = tmp_path / "r.json"
    path.write_text(json.dumps(plain))
    with pytest.raises(RecordingError, match="pas un enregistrement"):
        Recording.load(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nulle-part\.json"):
        Recording.load(tmp_path / "nulle-part.json")


def test_a_run_is_found_by_its_name() -> None:
    made = Recording("x", "kind", "v1", (Run("a", "", 1.0),))
    assert made.run("a").name == "a"
    with pytest.raises(RecordingError, match="il contient : a"):
        made.run("b")
