"""The journey of an apply, from recordings made by hand."""

from __future__ import annotations

import pytest
from drawings import arrows, made

from k8s_helpers import labs
from k8s_helpers.labs.journey import passages
from k8s_helpers.labs.journey.summary import STEPS, in_order
from k8s_helpers.labs.journey.summary import to_story as journey_story
from k8s_helpers.measure.recording import Mark, Recording


def voyage(*late: tuple[str, float], **revisions: int) -> Recording:
    """Return a journey whose steps are 0.1 s and one write apart from 1 s on, but for those given."""
    kinds = [step.kind for step in STEPS]
    times = {kind: 1 + 0.1 * index for index, kind in enumerate(kinds)} | dict(late)
    marks = tuple(Mark(at_s, kind, "2026-01-01T10:00:01Z") for kind, at_s in times.items())
    numbers = {kind: 700 + index for index, kind in enumerate(kinds[1:])} | revisions
    return made("journey", marks, revisions=numbers)


def test_steps_are_timed_from_the_apply() -> None:
    found = passages(voyage().runs[0])
    assert [round(passage.since_s, 3) for passage in found] == [
        0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
    ]
    assert in_order(found)
    assert journey_story(voyage()).durations_s["apply-to-ready"] == pytest.approx(0.6)


def test_the_order_of_steps_is_that_of_their_writes_whatever_their_receipts() -> None:
    assert in_order(passages(voyage(("replicaset", 1.02)).runs[0]))
    assert in_order(passages(voyage(started=705, ready=705).runs[0]))  # one write told both
    assert not in_order(passages(voyage(replicaset=699).runs[0]))


def test_a_step_is_never_drawn_before_the_one_that_it_follows_from_where_receipts_crossed() -> None:
    found = {
        passage.step.kind: passage.since_s
        for passage in passages(voyage(("replicaset", 1.02)).runs[0])
    }
    assert found["accepted"] == found["replicaset"] == pytest.approx(0.1)


def test_the_sequence_diagram_has_an_arrow_a_step_and_says_its_resolution() -> None:
    chart = labs.journey.draw(voyage())
    words = [label for label in arrows(chart) if label]
    assert len(words) == len(STEPS)
    assert len(arrows(chart)) == len(STEPS) + 5  # who is woken by the API, once in a row
    assert "que 1 pour 7 étapes" in chart.alternative.replace("\u00a0", " ")


def test_a_step_that_comes_too_early_is_told() -> None:
    assert "personne n’appelle personne" in labs.journey.draw(voyage()).alternative
    early = labs.journey.draw(voyage(replicaset=699)).alternative
    assert "avant celle dont elle découle" in early and "personne n’appelle" not in early
