"""The same experiment tells the same story on kind and on the embedded cluster: the kept recordings are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8s_helpers import analysis, labs
from k8s_helpers.analysis.story import TOLERANCE, Story
from k8s_helpers.labs.lab import Explained, Lab

KEPT = [(name, provider) for name in labs.LABS for provider in labs.get(name).recordings()]
BOTH = [name for name in labs.LABS if {"embedded", "kind"} <= set(labs.get(name).recordings())]


def _differences(one: Story, other: Story) -> dict[str, tuple[object, object]]:
    return {found.name: (found.first, found.second) for found in analysis.differences(one, other)}


@pytest.mark.parametrize(("name", "provider"), KEPT)
def test_a_kept_recording_is_drawn_and_summed_up(name: str, provider: str) -> None:
    recording = labs.kept(name, provider)
    assert (recording.experiment, recording.provider) == (name, provider)
    assert labs.get(name).recordings()[provider].stat().st_size < 1_000_000
    assert len(labs.draw(recording).alternative) > 40
    assert labs.summarize(recording)["provider"] == recording.provider


def test_the_main_experiment_is_kept_on_both_providers() -> None:
    assert "update" in BOTH


@pytest.mark.parametrize("name", BOTH)
def test_both_providers_tell_the_same_story(name: str) -> None:
    lab = labs.get(name)
    embedded, kind = (lab.to_story(lab.kept(provider)) for provider in ("embedded", "kind"))
    assert embedded.verdicts
    unexplained = {
        code: pair
        for code, pair in _differences(embedded, kind).items()
        if code not in lab.explained
    }
    assert unexplained == {}


def _pair(lab: Lab, code: str) -> tuple[float, float] | None:
    """Return a duration on both providers, as the kept recordings have it."""
    if lab.name not in BOTH:
        return None
    times = [lab.to_story(lab.kept(name)).durations_s.get(code) for name in ("embedded", "kind")]
    return None if times[0] is None or times[1] is None else (times[0], times[1])


def _without_duration(lab: Lab) -> list[str]:
    """Return what is explained though no pair of kept recordings has such a duration."""
    return [code for code in lab.explained if not _pair(lab, code)]


def _without_difference(lab: Lab) -> set[str]:
    """Return the reasons where none of the durations that they explain differs."""
    needed = {
        duration.reason
        for code, duration in lab.explained.items()
        if (pair := _pair(lab, code)) and max(pair) - min(pair) > TOLERANCE * max(pair)
    }
    return {duration.reason for duration in lab.explained.values()} - needed


@pytest.mark.parametrize("name", labs.LABS)
def test_what_is_explained_is_a_duration_that_differs(name: str) -> None:
    assert _without_duration(labs.get(name)) == []
    assert _without_difference(labs.get(name)) == set()


def test_a_reason_for_what_no_lab_measures_is_seen() -> None:
    update = labs.get("update")
    verdict = next(iter(update.to_story(update.kept("kind")).verdicts))
    duration = next(iter(update.explained))
    reasons = {verdict: "a", "sieste": "b", duration: "c"}
    stale = replace(update, explained={code: Explained(code, why) for code, why in reasons.items()})
    assert _without_duration(stale) == [verdict, "sieste"]
    assert _without_difference(stale) == {"a", "b"}
    assert _without_duration(replace(stale, name="nulle_part")) == list(reasons)


def test_a_difference_is_seen() -> None:
    one = Story({"perd": True, "ordre": "a b"}, {"durée": 10.0, "courte": 0.2})
    assert _differences(one, one) == {}
    other = Story({"perd": False, "ordre": "a b"}, {"durée": 12.6, "courte": 0.9})
    assert _differences(one, other) == {"perd": (True, False), "durée": (10.0, 12.6)}
    assert _differences(one, Story(one.verdicts, {"durée": 10.0})) == {"courte": (0.2, None)}
