"""An autoscaler's run made by hand: its numbers, its chart, its words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synthetic import Pod, request

from k8s_helpers import charts, timeline
from k8s_helpers._errors import RecordingError
from k8s_helpers.load import Profile
from k8s_helpers.recording import ClusterEvent, Mark, Recording, Run, Sample
from k8s_helpers.timeline import autoscaling as measured

PARAMETERS = {
    "profile": "step",
    "points": [list(point) for point in Profile.step(20).points],
    "target_percent": 50,
    "min_replicas": 1,
    "max_replicas": 6,
    "cpu_ms": 16.0,
    "cpu_s_per_request": 0.0172,
    "request_millicores": 200,
    "limit_millicores": 500,
    "sync_period_s": 5.0,
    "metrics_window_s": 2.0,
    "stabilization_s": 15,
    "shortened": {},
}
PODS = [Pod("a", "v1", -9.0, -8.0)] + [Pod(f"b{i}", "v1", 9.0, 10.0, 60.0, 62.0) for i in range(3)]


def samples() -> tuple[Sample, ...]:
    """Return what the autoscaler says: one pod, four wanted from 9.4 s on (seen at 10), one from 60.4 s on."""
    found = []
    for at_s in range(1, 70):
        up = 10 <= at_s <= 60
        told = {"hpa_current": 4 if 11 <= at_s <= 60 else 1, "hpa_desired": 4 if up else 1}
        told["hpa_percent"] = 5 if at_s < 10 else 172 if at_s < 15 else 43 if at_s < 50 else 2
        found += [Sample(at_s, name, float(value), "vitrine") for name, value in told.items()]
        found.append(Sample(at_s, "cpu_cores", 0.1, "a"))
    return tuple(found)


def run() -> Run:
    times = [at_s / 10 for at_s in range(700)]
    return Run(
        "step",
        "2026-01-01T10:00:00+00:00",
        70.0,
        PARAMETERS,
        requests=tuple(request(at_s) for at_s in times),
        pods=tuple(event for pod in PODS for event in pod.events()),
        samples=samples(),
        marks=(Mark(5.0, "load"), Mark(45.0, "load-end")),
        events=(ClusterEvent(9.1, "HorizontalPodAutoscaler", "vitrine", "SuccessfulRescale", "4"),),
    )


def recording(one: Run | None = None) -> Recording:
    return Recording("autoscaling", "embedded", "v1.37.0", (one or run(),))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_the_summary_has_exactly_its_numbers() -> None:
    assert timeline.summary_json(recording()) == {
        "provider": "embedded",
        "kubernetes_version": "v1.37.0",
        "predicted_replicas": 4,
        "plateau_replicas": 4,
        "max_replicas": 4,
        "first_scale_up_s": 4.0,
        "back_to_min_s": 15.0,
        "cpu_target": 50,
    }


def test_each_decision_has_its_event_s_time_and_its_figures() -> None:
    up, down = measured.scalings(run())
    assert (up.at_s, up.current, up.desired, up.percent) == (9.1, 1, 4, 172)
    assert up.words == "⌈1 × 172 % / 50 %⌉ = 4"
    assert (down.at_s, down.current, down.desired) == (61, 4, 1)
    assert measured.wanted(run()) == ((0.0, 1), (9.1, 4), (61, 1))
    assert measured.running(run()) == ((0.0, 1), (9.0, 4), (60.0, 1))


def test_utilisation_and_answer_times_are_in_percent_and_seconds() -> None:
    assert measured.utilization(run())[0] == (1, pytest.approx(50))
    first = measured.percentiles(run().requests)[0]
    assert (first.at_s, first.p50_s, first.p99_s) == (1, pytest.approx(0.01), pytest.approx(0.01))


def test_the_chart_shows_target_forecast_and_formulas() -> None:
    chart = charts.autoscaling(recording(), predictions={"replicas": 3})
    load, cpu, pods, latency = chart.axes
    texts = [text.get_text() for text in pods.texts]
    assert texts == ["⌈1 × 172 % / 50 %⌉ = 4", "⌈4 × 2 % / 50 %⌉ = 1"]
    labels = [plain(str(text.get_text())) for text in pods.get_legend().get_texts()]
    assert labels == ["prévision", "plateau prévu : 4", "réplicas voulus", "réplicas réels"]
    assert any(plain(str(line.get_label())) == "cible : 50 %" for line in cpu.lines)
    assert {ax.get_xlim() for ax in (load, cpu, pods, latency)} == {(0, 70)}
    told = plain(chart.alternative)
    assert "4 pods au plateau, comme prévu ;" in told
    assert "vous aviez prévu 3 pods" in told
    assert "retour à 1 en 15 s" in told


def test_a_load_that_the_machine_cannot_send_is_said_with_what_was_sent() -> None:
    unsent = tuple(request(at_s / 10, error="unsent") for at_s in range(100, 400))
    whole = run()
    weak = replace(whole, requests=(*whole.requests[:100], *unsent, *whole.requests[400:]))
    told = plain(charts.autoscaling(recording(weak)).alternative)
    assert "charge trop forte pour cette machine : 400 requêtes envoyées sur 700 prévues" in told
    story = timeline.STORIES["autoscaling"](recording(weak))
    assert story.verdicts["step : charge vraiment envoyée"] is False


def test_what_never_came_is_none() -> None:
    still = replace(run(), pods=PODS[0].events(), samples=())
    found = timeline.autoscaling_summary(still)
    assert (found.first_scale_up_s, found.max_replicas, found.back_to_min_s) == (None, 1, 0.0)
    assert "aucun ajout" in charts.autoscaling(recording(still)).alternative
    up = replace(
        run(), pods=tuple(event for event in run().pods if event.kind in ("created", "ready"))
    )
    assert timeline.autoscaling_summary(up).back_to_min_s is None


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(RecordingError):
        charts.autoscaling(Recording("autoscaling", "kind", "v1", ()))


def test_an_overshoot_is_told_apart_from_the_plateau() -> None:
    whole = run()
    extra = Pod("c", "v1", 20.0, 21.0, 30.0, 32.0)
    over = replace(whole, pods=(*whole.pods, *extra.events()))
    found = timeline.autoscaling_summary(over)
    assert (found.plateau_replicas, found.max_replicas) == (4, 5)
    told = plain(charts.autoscaling(recording(over)).alternative)
    assert "au plateau, comme prévu (un moment 5)" in told


def test_a_burst_just_before_the_end_makes_no_plateau() -> None:
    whole = run()
    extra = Pod("c", "v1", 39.0, 40.0, 60.0, 62.0)
    found = timeline.autoscaling_summary(replace(whole, pods=(*whole.pods, *extra.events())))
    assert (found.plateau_replicas, found.max_replicas) == (4, 5)


def test_the_shortened_delays_are_told_in_words_beside_the_usual_ones() -> None:
    told = {**PARAMETERS, "shortened": {"stabilizationWindowSeconds": [15, 300.0]}}
    (row,) = charts.shortened_table(recording(replace(run(), parameters=told))).rows
    assert [plain(cell) for cell in row] == [
        "attente avant de retirer des pods",
        "15 s",
        "300 s",
        "stabilizationWindowSeconds",
    ]
