"""Facts that marks hold, and what is made of them: stories by code, entries of `summary.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from k8s_helpers.analysis.facts import facts, lapse, marks
from k8s_helpers.analysis.story import Story, plain
from k8s_helpers.measure import old_format
from k8s_helpers.measure.recording import Mark, Recording, Run


@dataclass(frozen=True)
class Seen:
    """A fact of a test."""

    who: str
    at_s: float = 0.0
    rows: tuple[tuple[int, ...], ...] = ()


RUN = Run(
    "run",
    "2026-01-01T10:00:00+00:00",
    9.0,
    marks=(
        Mark(3.0, "seen", facts={"who": "b"}),
        Mark(1.0, "seen", facts={"who": "a"}),
        Mark(2.0, "end"),
        Mark(4.0, "end"),
    ),
)


def test_facts_come_in_the_order_of_time_as_what_was_noted() -> None:
    assert facts(RUN, "seen", Seen) == [Seen("a"), Seen("b")]
    assert [mark.at_s for mark in marks(RUN, "seen")] == [1.0, 3.0]
    assert facts(RUN, "other", Seen) == []


def test_a_fact_of_another_shape_is_not_taken_for_one() -> None:
    with pytest.raises(TypeError):
        facts(RUN, "end", Seen)


def test_a_lapse_goes_from_the_first_mark_to_the_first_mark() -> None:
    assert lapse(RUN, "seen", "end") == 1.0
    assert lapse(RUN, "end", "gone") is None
    assert lapse(RUN, "gone", "end") is None


def test_a_story_has_a_code_a_run_and_no_duration_that_did_not_come() -> None:
    story = Story.of(
        {"a": {"lost": True}, "b": {"lost": False}},
        {"a": {"back": 1.5, "never": None}, "b": {"back": None}},
    )
    assert story.verdicts == {"a.lost": True, "b.lost": False}
    assert story.durations_s == {"a.back": 1.5}


def test_an_entry_of_a_summary_is_plain_json_with_times_to_the_millisecond() -> None:
    entry = plain(Seen("a", 1.23456, ((1, 2), ())), "at_s", "rows", "who")
    assert entry == {"at_s": 1.235, "rows": [[1, 2], []], "who": "a"}
    assert json.loads(json.dumps(entry)) == entry


def test_json_in_details_of_an_old_recording_becomes_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"facts": {"seen": {"person": "who"}}}
    (tmp_path / "essai.json").write_text(json.dumps(table), encoding="utf-8")
    monkeypatch.setattr(old_format, "_FOLDER", tmp_path)
    old = replace(
        RUN, marks=(Mark(1.0, "seen", '{"person": "a"}'), Mark(2.0, "apply", "deployment.yaml"))
    )
    path = tmp_path / "old.json"
    text = Recording("essai", "kind", "v1", (old,)).to_json()
    path.write_text(text.replace('"schema":2', '"schema":1'), encoding="utf-8")
    (run,) = Recording.load(path).runs
    assert run.marks == (
        Mark(1.0, "seen", facts={"who": "a"}),
        Mark(2.0, "apply", "deployment.yaml"),
    )
    assert facts(run, "seen", Seen) == [Seen("a")]
