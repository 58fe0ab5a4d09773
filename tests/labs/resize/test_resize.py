"""A pod resized in place: what a recording tells, and what makes no sense to ask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import RecordingError, UsageError
from k8s_helpers.measure.recording import Attempt, Mark, Recording, Request, Run, Sample

PARAMETERS = {
    "cpu_ms": 60.0,
    "before_cores": 0.1,
    "after_cores": 1.0,
    "same_container": True,
    "restarts": 0,
    "limit_after_refusal_cores": 1.0,
}


def run(after_s: float = 0.07) -> Run:
    requests = tuple(
        Request(float(at), float(at), at + (0.5 if at < 8 else after_s), 200) for at in range(16)
    )
    return Run(
        "resize",
        "2026-01-01T10:00:00+00:00",
        17.0,
        PARAMETERS,
        requests=requests,
        marks=(Mark(7.6, "resize", "1"), Mark(7.9, "resized")),
        samples=(
            Sample(1.0, "limit_cores", 0.1, "a-agrandir"),
            Sample(8.0, "limit_cores", 1.0, "a-agrandir"),
        ),
        attempts=(Attempt(16.5, "a-agrandir", "cpu=1000", False, "403"),),
    )


def recording() -> Recording:
    return Recording("resize", "embedded", "v1.37.0", (run(),))


def test_the_same_container_answers_faster() -> None:
    found = labs.resize.summarize(run())
    assert (found.before_s, found.after_s) == (pytest.approx(0.5), pytest.approx(0.07))
    assert found.done_in_s == pytest.approx(0.3)
    # 10 ms of work in each 100 ms: 60 ms take 420 ms at best.
    assert found.predicted_before[0] == pytest.approx(0.42)
    assert found.faster and found.kept and found.refused and found.refusal == "403"
    assert labs.get("resize").to_story(recording()).verdicts["faster"] is True
    assert labs.summarize(recording())["restarts"] == 0


def test_a_change_without_effect_is_not_taken_for_one() -> None:
    assert not labs.resize.summarize(run(after_s=0.45)).faster
    assert not labs.resize.summarize(replace(run(), marks=())).faster


def test_the_chart_tells_before_after_and_the_refusal() -> None:
    told = labs.draw(recording()).alternative.replace("\u00a0", " ").replace("\u202f", " ")
    assert (
        "De 100m à 1 000m : réponse en 0,5 s, puis en 70 ms ; même conteneur, 0 redémarrage" in told
    )
    assert "refusé (403), et la limite reste ce qu’elle était" in told
    with pytest.raises(RecordingError):
        labs.resize.draw(Recording("resize", "kind", "v1", ()))


def test_a_demand_that_was_not_made_or_was_granted_is_told_as_such() -> None:
    early = labs.draw(Recording("resize", "kind", "v1", (replace(run(), attempts=()),))).alternative
    assert "pas encore essayé" in early and "refusé" not in early
    granted = replace(run(), attempts=(replace(run().attempts[0], ok=True, answer="resized"),))
    assert (
        "accepté (resized)" in labs.draw(Recording("resize", "kind", "v1", (granted,))).alternative
    )


@pytest.mark.parametrize("limits", [("100m", "100m"), ("50m", "1"), ("beaucoup", "1")])
def test_limits_that_make_no_sense_are_refused(limits: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="travail"):
        labs.resize.measure(*limits)
    with pytest.raises(UsageError, match="3 à 60 s"):
        labs.resize.measure(duration_s=1)


def test_a_recording_of_format_1_holds_the_same_codes() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    assert old == labs.kept("resize", "kind")
