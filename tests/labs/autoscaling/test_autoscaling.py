"""An autoscaler's run made by hand: its numbers, its chart, its words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic import Pod, request

from k8s_helpers import labs
from k8s_helpers._errors import RecordingError
from k8s_helpers.labs.autoscaling import summary as measured
from k8s_helpers.labs.autoscaling.forecast import ScalingFacts
from k8s_helpers.measure.recording import ClusterEvent, Mark, Recording, Request, Run, Sample
from k8s_helpers.measure.traffic.profile import Profile

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
    samples = []
    for at_s in range(1, 70):
        up = 10 <= at_s <= 60
        status = {"hpa_current": 4 if 11 <= at_s <= 60 else 1, "hpa_desired": 4 if up else 1}
        status["hpa_percent"] = 5 if at_s < 10 else 172 if at_s < 15 else 43 if at_s < 50 else 2
        samples += [Sample(at_s, name, float(value), "vitrine") for name, value in status.items()]
        samples.append(Sample(at_s, "cpu_cores", 0.1, "a"))
    return tuple(samples)


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


def recording(of: Run | None = None) -> Recording:
    return Recording("autoscaling", "embedded", "v1.37.0", (of or run(),))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_the_summary_has_exactly_its_numbers() -> None:
    assert labs.summarize(recording()) == {
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
    chart = labs.autoscaling.draw(recording(), predictions={"replicas": 3})
    load, cpu, pods, latency = chart.axes
    texts = [text.get_text() for text in pods.texts]
    assert texts == ["⌈1 × 172 % / 50 %⌉ = 4", "⌈4 × 2 % / 50 %⌉ = 1"]
    labels = [plain(str(text.get_text())) for text in pods.get_legend().get_texts()]
    assert labels == ["prévision", "plateau prévu : 4", "réplicas voulus", "réplicas réels"]
    assert any(plain(str(line.get_label())) == "cible : 50 %" for line in cpu.lines)
    assert {ax.get_xlim() for ax in (load, cpu, pods, latency)} == {(0, 70)}
    words = plain(chart.alternative)
    assert "4 pods au plateau, comme prévu ;" in words
    assert "vous aviez prévu 3 pods" in words
    assert "retour à 1 en 15 s" in words


def test_without_a_plateau_no_plateau_is_spoken_of() -> None:
    points = [list(point) for point in Profile.peak(20).points]
    peak = replace(run(), parameters={**PARAMETERS, "profile": "custom", "points": points})
    alternative = plain(labs.autoscaling.draw(recording(peak)).alternative)
    assert "charge « libre »" in alternative and "4 pods au plus, " in alternative
    assert "plateau" not in alternative


def test_a_load_that_the_machine_cannot_send_is_said_with_what_was_sent() -> None:
    unsent = tuple(request(at_s / 10, error="unsent") for at_s in range(100, 400))
    whole = run()
    weak = replace(whole, requests=(*whole.requests[:100], *unsent, *whole.requests[400:]))
    words = plain(labs.autoscaling.draw(recording(weak)).alternative)
    assert "charge trop forte pour cette machine : 400 requêtes envoyées sur 700 prévues" in words
    story = labs.get("autoscaling").to_story(recording(weak))
    assert story.verdicts["step.load-sent"] is False


def test_what_never_came_is_none() -> None:
    still = replace(run(), pods=PODS[0].events(), samples=())
    summary = labs.autoscaling.summarize(still)
    assert (summary.first_scale_up_s, summary.max_replicas, summary.back_to_min_s) == (None, 1, 0.0)
    assert "aucun ajout" in labs.autoscaling.draw(recording(still)).alternative
    up = replace(
        run(), pods=tuple(event for event in run().pods if event.kind in ("created", "ready"))
    )
    assert labs.autoscaling.summarize(up).back_to_min_s is None


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(RecordingError):
        labs.autoscaling.draw(Recording("autoscaling", "kind", "v1", ()))


def test_an_overshoot_is_told_apart_from_the_plateau() -> None:
    whole = run()
    extra = Pod("c", "v1", 20.0, 21.0, 30.0, 32.0)
    over = replace(whole, pods=(*whole.pods, *extra.events()))
    summary = labs.autoscaling.summarize(over)
    assert (summary.plateau_replicas, summary.max_replicas) == (4, 5)
    words = plain(labs.autoscaling.draw(recording(over)).alternative)
    assert "au plateau, comme prévu (un moment 5)" in words


def test_a_burst_just_before_the_end_makes_no_plateau() -> None:
    whole = run()
    extra = Pod("c", "v1", 39.0, 40.0, 60.0, 62.0)
    summary = labs.autoscaling.summarize(replace(whole, pods=(*whole.pods, *extra.events())))
    assert (summary.plateau_replicas, summary.max_replicas) == (4, 5)


def test_the_shortened_delays_are_told_in_words_beside_the_usual_ones() -> None:
    shortened = {**PARAMETERS, "shortened": {"stabilizationWindowSeconds": [15, 300.0]}}
    (row,) = labs.autoscaling.shortened_table(recording(replace(run(), parameters=shortened))).rows
    assert [plain(cell) for cell in row] == [
        "attente avant de retirer des pods",
        "15 s",
        "300 s",
        "stabilizationWindowSeconds",
    ]


def test_a_load_of_one_s_own_in_a_recording_of_format_1_has_its_code() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    assert labs.get("autoscaling").to_story(old).verdicts["custom.plateau-replicas"] == 4
    assert "charge « libre »" in plain(labs.draw(old).alternative)
    with pytest.raises(RecordingError):
        old.run("libre")


def test_percentiles_are_those_of_the_requests_due_in_each_stretch() -> None:
    def late(planned_s: float, answer_s: float, error: str | None = None) -> Request:
        return replace(request(planned_s, error=error), answered_s=planned_s + answer_s)

    # Of a hundred, the median is the 50th and the 99th percentile the 99th; the slowest is a lost one.
    first = [late(number * 0.01, 0.001 * (number + 1)) for number in range(99)]
    first.append(late(1.99, 9.0, "timeout"))
    rows = [*first, late(1.5, 50.0, "unsent"), late(7.0, 0.2), late(7.5, 0.3), late(6.5, 0.4)]
    early, other = measured.percentiles(rows)
    assert (early.at_s, early.p50_s, early.p99_s) == (
        1.0,
        pytest.approx(0.05),
        pytest.approx(0.099),
    )
    assert (other.at_s, other.p50_s, other.p99_s) == (7.0, pytest.approx(0.3), pytest.approx(0.4))
    assert [stretch.at_s for stretch in measured.percentiles(rows, width_s=5.0)] == [2.5, 7.5]
    assert measured.percentiles([late(1.0, 1.0, "unsent")]) == ()


def test_utilisation_is_the_mean_of_the_pods_that_were_measured() -> None:
    readings = [(2.0, "cpu_cores", 0.3), (1.0, "cpu_cores", 0.1), (2.0, "cpu_cores", 0.1)]
    readings.append((2.0, "memory_bytes", 7.0))
    some = replace(run(), samples=tuple(Sample(*reading, "a") for reading in readings))
    assert measured.utilization(some) == ((1.0, pytest.approx(50)), (2.0, pytest.approx(100)))


def deciding(*statuses: tuple[float, float, float | None], events: tuple[float, ...] = ()) -> Run:
    """Return a run in which the autoscaler says how many pods it wants, and at which use."""
    samples = []
    for at_s, desired, percent in statuses:
        samples.append(Sample(at_s, "hpa_desired", desired, "vitrine"))
        if percent is not None:
            samples.append(Sample(at_s, "hpa_percent", percent, "vitrine"))
    return replace(
        run(),
        samples=tuple(samples),
        events=tuple(
            ClusterEvent(at_s, "HorizontalPodAutoscaler", "vitrine", "SuccessfulRescale", "")
            for at_s in events
        ),
    )


def test_what_it_wants_at_first_is_no_decision_and_no_measure_is_told() -> None:
    assert measured.scalings(deciding((1, 3, 50.0), (2, 3, 90.0))) == ()
    assert measured.wanted(deciding((1, 3, 50.0), (2, 3, 90.0))) == ((0.0, 3),)
    (scaling,) = measured.scalings(deciding((3, 2, None), (1, 4, 20.0)))
    assert (scaling.at_s, scaling.current, scaling.desired, scaling.percent) == (3, 4, 2, None)
    assert "aucune mesure" in scaling.words
    assert measured.wanted(deciding()) == ()


@pytest.mark.parametrize(
    ("events", "at_s"), [((8.0,), 10), ((8.1,), 8.1), ((8.1, 10.0), 10), ((10.1,), 10), ((), 10)]
)
def test_an_event_of_the_last_two_seconds_tells_when_it_was_done(
    events: tuple[float, ...], at_s: float
) -> None:
    (scaling,) = measured.scalings(deciding((9, 1, 5.0), (10, 4, 172.0), events=events))
    assert scaling.at_s == at_s


def test_pods_that_are_asked_to_end_or_gone_do_not_count_any_more() -> None:
    pods = [Pod("a", "v1", -9, -8), Pod("b", "v1", 2, 3, 5, 8), Pod("c", "v1", 4, 4.5, None, 6)]
    some = replace(run(), pods=tuple(event for pod in pods for event in pod.events()))
    assert measured.running(some) == ((0.0, 1), (2, 2), (4, 3), (5, 2), (6, 1))
    nobody = replace(run(), pods=())
    assert measured.running(nobody) == ((0.0, 0),)
    assert labs.autoscaling.summarize(nobody).max_replicas == 0


def test_only_pods_that_come_with_the_load_are_its_scale_up() -> None:
    before = Pod("z", "v1", 1.0, 2.0, 3.0, 4.0)
    some = replace(run(), pods=(*run().pods, *before.events()))
    assert labs.autoscaling.summarize(some).first_scale_up_s == 4.0
    without = replace(some, marks=())
    summary = labs.autoscaling.summarize(without)
    assert (summary.first_scale_up_s, summary.back_to_min_s) == (1.0, None)
    assert summary.plateau_replicas == summary.max_replicas == 4
    at_once = Pod("y", "v1", 5.0, 6.0, 60.0, 61.0)
    some = replace(run(), pods=(*PODS[0].events(), *at_once.events()))
    assert labs.autoscaling.summarize(some).first_scale_up_s == 0.0


def test_what_was_lost_is_counted_without_what_never_left() -> None:
    rows = (request(0, error="reset"), request(1, error="unsent"), request(2), request(3))
    summary = labs.autoscaling.summarize(replace(run(), requests=rows))
    assert summary.failed == 1 and summary.effort.unsent == 1


@pytest.mark.parametrize(("held_s", "plateau"), [(20.0, 4), (19.9, 5)])
def test_a_rate_has_a_plateau_where_it_stays_for_twenty_seconds(
    held_s: float, plateau: int
) -> None:
    points = [list(point) for point in Profile.step(20, length_s=held_s).points]
    extra = Pod("c", "v1", 20.0, 21.0, 25.0, 26.0)
    some = replace(
        run(),
        parameters={**PARAMETERS, "points": points},
        pods=(*run().pods, *extra.events()),
    )
    summary = labs.autoscaling.summarize(some)
    assert (summary.plateau_replicas, summary.max_replicas) == (plateau, 5)


def test_a_load_without_a_plateau_is_predicted_at_its_peak() -> None:
    points = [list(point) for point in Profile.peak(20, length_s=30).points]
    some = replace(run(), parameters={**PARAMETERS, "points": points})
    facts = ScalingFacts.of(some)
    assert facts.predicted_replicas(70) == facts.forecast(70).peak[1]
    facts = ScalingFacts.of(run())
    assert facts.predicted_replicas(70) == facts.plateau.replicas == 4


def test_numbers_are_written_to_the_millisecond_or_not_at_all() -> None:
    later = Pod("b", "v1", 9.00049, 10.0, 60.0004, 62.0)
    some = replace(run(), pods=(*PODS[0].events(), *later.events()))
    plain_summary = labs.summarize(recording(some))
    assert (plain_summary["first_scale_up_s"], plain_summary["back_to_min_s"]) == (4.0, 15.0)
    still = replace(run(), pods=PODS[0].events())
    assert labs.summarize(recording(still))["first_scale_up_s"] is None


def test_a_load_is_told_by_verdicts_and_two_times() -> None:
    story = labs.get("autoscaling").to_story(recording())
    assert story.verdicts == {
        "step.predicted-replicas": 4,
        "step.plateau-replicas": 4,
        "step.back-to-min": True,
        "step.loses-requests": False,
        "step.load-sent": True,
    }
    assert story.durations_s == {"step.first-scale-up": 4.0, "step.back-to-min": 15.0}
    lost = replace(run(), requests=(request(0, error="reset"),), pods=PODS[0].events())
    story = labs.get("autoscaling").to_story(recording(lost))
    assert story.verdicts["step.loses-requests"] is True
    assert story.durations_s == {"step.back-to-min": 0.0}


def test_the_autoscaler_of_a_run_is_the_one_it_was_told() -> None:
    scaler = ScalingFacts.of(run()).scaler
    assert (scaler.target_percent, scaler.min_replicas, scaler.max_replicas) == (50, 1, 6)
    assert (scaler.up.window_s, scaler.down.window_s) == (0.0, 15.0)
