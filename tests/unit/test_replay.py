"""`k8s-lab replay` draws a recording again and writes its summary, with no cluster at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic

from k8s_helpers.cli import call

KEYS = {"requests", "failed", "outage_s", "peak_pods", "mixed_s", "duration_s"}


def test_replay_writes_the_summary_and_the_chart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = synthetic.recording()
    path = recording.save(tmp_path / "recording.json")
    assert call(["replay", str(path), "--out", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert set(told) == {"provider", "kubernetes_version", "strategies"}
    assert list(told["strategies"]) == [run.name for run in recording.runs]
    assert all(set(row) == KEYS for row in told["strategies"].values())
    recreate = told["strategies"]["recreate"]
    assert recreate["failed"] > 0
    assert recreate["outage_s"] > 0
    assert (tmp_path / "out" / "update.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr().out
    assert "Recreate" in shown
    assert str(recreate["failed"]) in shown


def test_replay_of_another_experiment_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = replace(synthetic.recording(), experiment="cuisine").save(tmp_path / "recording.json")
    assert call(["replay", str(path)]) == 13
    assert "cuisine" in capsys.readouterr().err
    assert not (tmp_path / "summary.json").exists()


def test_a_recording_that_lacks_what_its_lab_reads_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = replace(synthetic.recording(), experiment="memory").save(tmp_path / "recording.json")
    assert call(["replay", str(path)]) == 13
    assert "k8s-lab measure memory --out" in capsys.readouterr().err
