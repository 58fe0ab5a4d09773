"""Labs made of attempts: each code that one of them can write has a French word, and no word is for nothing."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from k8s_helpers import labs
from k8s_helpers.analysis.attempts import AttemptWords
from k8s_helpers.labs.attempts import AttemptLab
from k8s_helpers.measure.recording import Recording

LABS = [name for name in labs.LABS if isinstance(labs.get(name), AttemptLab)]
NEWER = {"wordpress"}
"""Labs that there were not yet when recordings had their first format."""

MADE = {"who": "Who", "what": "What", "answer": "Outcome"}
"""The classes of codes of `codes.py`, by the field of an attempt."""


def words(name: str) -> AttemptWords:
    lab = labs.get(name)
    assert isinstance(lab, AttemptLab)
    return lab.words


def test_labs_are_made_of_attempts() -> None:
    assert {"secrets", "ingress", "namespaces"} <= set(LABS)


@pytest.mark.parametrize("name", LABS)
def test_each_code_has_a_word_and_each_word_a_code(name: str) -> None:
    codes = import_module(f"k8s_helpers.labs.{name}.codes")
    for field, kind in MADE.items():
        assert set(getattr(words(name), field)) == set(getattr(codes, kind)), field


@pytest.mark.parametrize("name", LABS)
def test_kept_recordings_hold_codes_alone(name: str) -> None:
    for provider in labs.get(name).recordings():
        for run in labs.kept(name, provider).runs:
            for attempt in run.attempts:
                assert attempt.who in words(name).who and attempt.what in words(name).what
            for attempt, french in zip(run.attempts, words(name).translate(run), strict=True):
                assert french.ok == attempt.ok
                known = attempt.answer in words(name).answer
                assert known or french.answer == attempt.answer


@pytest.mark.parametrize("name", [*sorted({*LABS} - NEWER), "configuration", "shared_pod"])
def test_a_recording_of_the_first_format_says_the_same(name: str) -> None:
    folder = Path(__file__).parent / name
    old, again = Recording.load(folder / "format_1.json"), folder / "format_2.json"
    # Where the kept one has been measured anew since, the folder has the same measure in both formats.
    lab = labs.get(name)
    kept = Recording.load(again) if again.exists() else labs.kept(name, "embedded")
    assert [run.attempts for run in old.runs] == [run.attempts for run in kept.runs]
    assert lab.to_json(old) == lab.to_json(kept)
    assert lab.to_story(old) == lab.to_story(kept)
    assert labs.draw(old).alternative == labs.draw(kept).alternative
