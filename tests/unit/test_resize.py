"""A pod resized in place: what a recording tells, and what makes no sense to ask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8s_helpers import charts, experiments, timeline
from k8s_helpers._errors import RecordingError, UsageError
from k8s_helpers.recording import Attempt, Mark, Recording, Request, Run, Sample

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
        attempts=(Attempt(16.5, "pod a-agrandir", "1000 processeurs", False, "403"),),
    )


def recording(one: Run | None = None) -> Recording:
    return Recording("resize", "embedded", "v1.37.0", (one or run(),))


def test_the_same_container_answers_faster() -> None:
    found = timeline.resize_summary(run())
    assert (found.before_s, found.after_s) == (pytest.approx(0.5), pytest.approx(0.07))
    assert found.done_in_s == pytest.approx(0.3)
    # 10 ms of work in each 100 ms: 60 ms take 420 ms at best.
    assert found.predicted_before[0] == pytest.approx(0.42)
    assert found.faster and found.kept and found.refusal == "403"
    assert timeline.STORIES["resize"](recording()).verdicts["réponses plus rapides"] is True
    assert timeline.summary_json(recording())["restarts"] == 0


def test_a_change_without_effect_is_not_taken_for_one() -> None:
    assert not timeline.resize_summary(run(after_s=0.45)).faster
    assert not timeline.resize_summary(replace(run(), marks=())).faster


def test_the_chart_tells_before_after_and_the_refusal() -> None:
    told = charts.draw(recording()).alternative.replace("\u00a0", " ").replace("\u202f", " ")
    assert (
        "De 100m à 1 000m : réponse en 0,5 s, puis en 70 ms ; même conteneur, 0 redémarrage" in told
    )
    assert "refusé (403), et la limite reste ce qu’elle était" in told
    with pytest.raises(RecordingError):
        charts.resize(Recording("resize", "kind", "v1", ()))


@pytest.mark.parametrize("limits", [("100m", "100m"), ("50m", "1"), ("beaucoup", "1")])
def test_limits_that_make_no_sense_are_refused(limits: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="travail"):
        experiments.resize(*limits)
    with pytest.raises(UsageError, match="3 à 60 s"):
        experiments.resize(duration_s=1)
