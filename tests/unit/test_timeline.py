"""What is computed from a recording, on runs whose every number is known, and on odd ones."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
import synthetic
from synthetic import Pod, request

from k8s_helpers import analysis, labs
from k8s_helpers.measure.recording import Incident, Mark, PodEvent, Recording, Run

EMPTY = Run("rolling", "2026-01-01T00:00:00+00:00", 10.0)


def test_a_rolling_update_loses_nothing_and_mixes_versions() -> None:
    summary = labs.update.summarize(synthetic.rolling())
    assert (summary.requests, summary.failed, summary.outage_s) == (1000, 0, 0)
    assert summary.peak_pods == 5  # three, one more that starts, one that ends
    assert summary.lowest_ready == 3
    assert summary.mixed_s == pytest.approx(6.0, abs=0.1)
    assert summary.duration_s == pytest.approx(9.0)
    assert summary.back_s is None


def test_a_recreate_answers_nobody_in_between() -> None:
    summary = labs.update.summarize(synthetic.recreate())
    assert summary.failed == 225
    assert summary.outage_s == pytest.approx(4.5)
    assert summary.mixed_s == 0
    assert summary.peak_pods == 3
    assert summary.lowest_ready == 0
    assert summary.errors == {"refused": 225}


def test_a_blue_green_switch_mixes_nothing_either_way() -> None:
    summary = labs.update.summarize(synthetic.blue_green())
    assert (summary.failed, summary.mixed_s, summary.peak_pods) == (0, 0, 6)
    assert summary.back_s == pytest.approx(0.01)
    assert summary.duration_s == pytest.approx(4.0)


def test_lost_requests_between_good_ones_are_no_outage() -> None:
    summary = labs.update.summarize(synthetic.naive())
    assert summary.failed == 100
    assert summary.outage_s == 0


def test_an_empty_run_has_a_summary_of_zeros() -> None:
    summary = labs.update.summarize(EMPTY)
    assert (summary.requests, summary.failed, summary.peak_pods, summary.lowest_ready) == (
        0,
        0,
        0,
        0,
    )
    assert summary.duration_s is None
    assert analysis.bins(()) == ()
    assert analysis.lives(EMPTY) == ()


def test_an_update_that_never_completes_has_no_duration_and_its_incidents_show() -> None:
    run = replace(EMPTY, marks=(Mark(1.0, "apply"),), incidents=(Incident(2.0, "etcd", "arrêté"),))
    summary = labs.update.summarize(run)
    assert summary.duration_s is None
    assert [one.component for one in summary.incidents] == ["etcd"]


def test_summary_json_has_the_keys_of_the_contract() -> None:
    plain = labs.summarize(synthetic.recording())
    assert set(plain) == {"provider", "kubernetes_version", "strategies"}
    assert set(plain["strategies"]) == {"rolling-naive", "rolling", "recreate", "blue-green"}
    keys = {"requests", "failed", "outage_s", "peak_pods", "mixed_s", "duration_s"}
    assert all(set(entry) == keys for entry in plain["strategies"].values())


def test_a_life_goes_through_its_phases_without_gaps() -> None:
    run = replace(
        EMPTY,
        pods=tuple(
            PodEvent(at_s, "p", "u", kind, "receipt", "v1")  # type: ignore[arg-type]
            for at_s, kind in [
                (1, "created"),
                (1.5, "started"),
                (2, "ready"),
                (4, "unready"),
                (4.5, "restarted"),
                (5, "ready"),
                (7, "terminating"),
                (7.2, "unready"),
                (8, "deleted"),
            ]
        ),
    )
    (life,) = analysis.lives(run)
    assert (life.started_s, life.restarts, life.gone_s) == (1.5, 1, 8)
    kinds = [(phase.kind, phase.start_s, phase.end_s) for phase in life.phases(10)]
    assert kinds == [
        ("starting", 1, 2),
        ("ready", 2, 4),
        ("unready", 4, 5),
        ("ready", 5, 7),
        ("terminating", 7, 8),
    ]


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ([], [("unready", 3, 10)]),
        ([(6, "terminating")], [("unready", 3, 6), ("terminating", 6, 10)]),
        ([(6, "terminating"), (8, "deleted")], [("unready", 3, 6), ("terminating", 6, 8)]),
        ([(6, "deleted")], [("unready", 3, 6)]),
    ],
)
def test_a_pod_that_is_not_ready_any_more_is_unready_to_its_end(
    end: list[tuple[float, str]], last: list[tuple[str, float, float]]
) -> None:
    (life,) = analysis.lives(events((0, "created"), (1, "ready"), (3, "unready"), *end))
    kinds = [(phase.kind, phase.start_s, phase.end_s) for phase in life.phases(10)]
    assert kinds == [("starting", 0, 1), ("ready", 1, 3), *last]


def test_a_pod_that_is_there_for_the_whole_run_is_one_phase() -> None:
    (life,) = analysis.lives(synthetic.run("x", lambda at_s: "v1", [Pod("a", "v1", -5, -3)]))
    assert [phase.kind for phase in life.phases(20)] == ["starting", "ready"]
    assert life.ready[0].end_s == 20


def test_a_pod_deleted_without_being_asked_to_end_is_not_terminating() -> None:
    (life,) = analysis.lives(synthetic.run("x", lambda at_s: "v1", [Pod("a", "v1", 1, 2, None, 5)]))
    assert [phase.kind for phase in life.phases(20)] == ["starting", "ready"]
    assert life.ready[0].end_s == 5


def events(*kinds: tuple[float, str]) -> Run:
    made = (PodEvent(at_s, "p", "u", kind, "receipt", "v1") for at_s, kind in kinds)  # type: ignore[arg-type]
    return replace(EMPTY, pods=tuple(made))


def test_a_pod_that_ends_is_gone_when_its_programs_are_not_when_its_object_is() -> None:
    (life,) = analysis.lives(
        events((0, "created"), (1, "ready"), (5, "terminating"), (6, "exited"), (8, "deleted"))
    )
    assert life.gone_s == 6
    assert analysis.counts(events((0, "created"), (5, "terminating"), (6, "exited")))[-1].total == 0


def test_a_program_that_crashes_does_not_end_its_pod() -> None:
    crashed = [(0, "created"), (1, "ready"), (2, "exited"), (3, "restarted"), (5, "terminating")]
    (life,) = analysis.lives(events(*crashed))
    assert life.gone_s is None
    (life,) = analysis.lives(events(*crashed, (8, "deleted")))
    assert life.gone_s == 8


def test_a_pod_never_ready_is_starting_all_its_life() -> None:
    (life,) = analysis.lives(synthetic.run("x", lambda at_s: "v1", [Pod("a", "v1", 1, None, 6, 7)]))
    assert [phase.kind for phase in life.phases(20)] == ["starting", "terminating"]


def test_lives_are_in_the_order_of_creation_then_of_version_and_name() -> None:
    told = [(1, "c", None), (1, "b", "v2"), (1, "a", "v2"), (1, "z", "v1"), (0, "y", "v9")]
    pods = tuple(
        PodEvent(at_s, name, name, "created", "receipt", version) for at_s, name, version in told
    )
    lives = analysis.lives(replace(EMPTY, pods=pods))
    assert [life.pod for life in lives] == ["y", "c", "z", "a", "b"]


def test_the_version_of_a_pod_is_the_first_one_told() -> None:
    told = [(0, None), (1, "v1"), (2, "v2")]
    pods = tuple(PodEvent(at_s, "p", "u", "ready", "receipt", version) for at_s, version in told)
    (life,) = analysis.lives(replace(EMPTY, pods=pods))
    assert life.version == "v1"


@pytest.mark.parametrize(
    ("told", "ready"),
    [
        ([(1, "ready"), (2, "ready"), (3, "unready")], [(1, 3)]),
        ([(1, "ready"), (1, "unready")], []),
        ([(1, "unready"), (2, "ready")], [(2, 10)]),
        ([(10, "ready")], []),
        ([(1, "ready"), (2, "deleted"), (3, "ready")], [(1, 2)]),
        ([(1, "ready"), (2, "terminating"), (3, "ready")], [(1, 2)]),
    ],
)
def test_a_pod_is_ready_from_the_first_word_of_it_until_another(
    told: list[tuple[float, str]], ready: list[tuple[float, float]]
) -> None:
    (life,) = analysis.lives(events((0, "created"), *told))
    assert [(stretch.start_s, stretch.end_s) for stretch in life.ready] == ready


def test_two_pods_of_the_same_name_are_two_lives() -> None:
    first = Pod("vitrine-0", "v1", -5, -4, 4, 5).events()
    second = tuple(replace(event, uid="other") for event in Pod("vitrine-0", "v2", 6, 8).events())
    lives = analysis.lives(replace(EMPTY, pods=first + second))
    assert [life.version for life in lives] == ["v1", "v2"]


def test_counts_begin_at_zero_and_change_only_when_something_does() -> None:
    steps = analysis.counts(synthetic.recreate())
    assert (steps[0].at_s, steps[0].ready, steps[0].total) == (0.0, 3, 3)
    assert (steps[1].at_s, steps[1].ready, steps[1].total) == (4.0, 0, 3)
    assert (steps[-1].ready, steps[-1].total) == (3, 3)
    assert all((a.ready, a.total) != (b.ready, b.total) for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize(("planned_s", "expected"), [((1.0, 1.25), 1), ((1.0, 1.2), 0)])
def test_a_quarter_of_a_second_without_an_answer_is_an_outage(
    planned_s: tuple[float, float], expected: int
) -> None:
    failed_s, answered_s = planned_s
    rows = [request(0.9), request(failed_s, error="refused"), request(answered_s)]
    assert len(analysis.outages(rows)) == expected


def test_outages_may_be_asked_for_from_any_length_on() -> None:
    rows = [request(0.0), request(0.1, error="refused"), request(0.2), request(0.3)]
    (outage,) = analysis.outages(rows, minimum_s=0)
    assert (outage.start_s, outage.end_s) == (0.1, 0.2)


def test_an_error_of_a_version_is_no_answer_of_it() -> None:
    refused = replace(request(2, "v1"), status=503, error="status")
    run = replace(EMPTY, requests=(request(0, "v1"), request(1, "v2"), refused))
    assert analysis.mixed(run) == ()


def test_bins_count_by_version_what_failed_and_what_never_left() -> None:
    rows = [
        request(1.0, "v1"),
        request(1.1, "v2"),
        request(1.2, "v2"),
        request(1.3, None),
        request(1.4, error="refused"),
        request(1.45, error="unsent"),
        request(1.5, "v2"),
    ]
    first, second = analysis.bins(rows, width_s=0.5)
    assert (first.start_s, first.end_s) == (1.0, 1.5)
    assert first.answered == {"v1": 1, "v2": 2, "": 1}
    assert (first.failed, first.unsent) == (1, 1)
    assert (second.start_s, second.answered, second.failed, second.unsent) == (1.5, {"v2": 1}, 0, 0)


def test_a_stretch_without_requests_is_an_empty_bin() -> None:
    bins = analysis.bins([request(0.0), request(0.1), request(2.1)], width_s=1.0)
    assert [sum(one.answered.values()) for one in bins] == [2, 0, 1]
    assert [(one.start_s, one.end_s) for one in bins[:2]] == [(0, 1), (1, 2)]


def test_one_request_alone_has_a_bin_with_a_length() -> None:
    (only,) = analysis.bins([request(3.0)], width_s=0.5)
    assert (only.start_s, only.end_s) == (3.0, 3.5)
    (burst,) = analysis.bins([request(3.0), request(3.0)], width_s=0.5)
    assert burst.start_s < burst.end_s < 3.01


@pytest.mark.parametrize(("count", "expected"), [(12, 0), (14, 1)])
def test_a_short_row_of_failures_is_no_outage(count: int, expected: int) -> None:
    rows = [
        request(number * 0.02, error="refused" if 10 <= number < 10 + count else None)
        for number in range(60)
    ]
    assert len(analysis.outages(rows)) == expected


def test_an_outage_until_the_end_lasts_until_the_last_failure() -> None:
    rows = [request(number * 0.1, error="timeout" if number >= 5 else None) for number in range(20)]
    (outage,) = analysis.outages(rows)
    assert (outage.start_s, outage.end_s) == (pytest.approx(0.5), pytest.approx(1.9))


def test_what_the_client_never_sent_is_neither_lost_nor_an_outage() -> None:
    rows = [request(number * 0.1, error="unsent") for number in range(20)]
    assert analysis.outages(rows) == ()
    assert analysis.failed(rows) == ()
    (first, *_) = analysis.bins(rows)
    assert (first.failed, first.unsent) == (0, 5)


def test_one_late_answer_of_the_old_version_counts_as_mixed() -> None:
    rows = (
        request(0, "v1"),
        request(1, "v2"),
        request(2, "v2"),
        request(3, "v1"),
        request(4, "v2"),
    )
    run = replace(EMPTY, requests=rows)
    assert labs.update.summarize(run).mixed_s == pytest.approx(2.0)


def test_three_versions_are_mixed_once() -> None:
    rows = (
        request(0, "v1"),
        request(1, "v2"),
        request(2, "v3"),
        request(3, "v1"),
        request(5, "v2"),
        request(6, "v3"),
    )
    assert labs.update.summarize(replace(EMPTY, requests=rows)).mixed_s == pytest.approx(4.0)


def test_answers_that_do_not_say_their_version_do_not_mix() -> None:
    rows = tuple(request(number, None if number % 2 else "v1") for number in range(10))
    assert analysis.mixed(replace(EMPTY, requests=rows)) == ()


def test_a_request_under_way_at_the_way_back_mixes_nothing() -> None:
    run = synthetic.blue_green()
    late = replace(run.requests[599], sent_s=12.02, answered_s=12.03, version="v1")
    assert late.planned_s < 12
    summary = labs.update.summarize(
        replace(run, requests=(*run.requests[:599], late, *run.requests[600:]))
    )
    assert summary.mixed_s == 0


def test_a_way_back_lasts_until_the_last_answer_of_the_new_version() -> None:
    rows = [
        request(0, error="timeout"),
        request(0.1, "v1"),
        request(1, "v2"),
        request(2.99, "v2"),
        request(3.2, "v2"),
        request(3.5, "v1"),
        request(4, "v2"),
        request(4.2, error="refused"),
        request(4.5, "v1"),
    ]
    run = replace(EMPTY, requests=tuple(rows), marks=(Mark(3.0, "switch-back"),))
    summary = labs.update.summarize(run)
    assert summary.back_s == pytest.approx(1.01)
    assert summary.mixed_s == pytest.approx(0.5)


def test_versions_mixed_on_the_way_there_and_on_the_way_back_are_two_stretches() -> None:
    versions = ["v1", "v2", "v1", "v2", "v2", "v1", "v2", "v1"]
    rows = tuple(request(number, version) for number, version in enumerate(versions))
    run = replace(EMPTY, requests=rows, marks=(Mark(3.5, "switch-back"),))
    assert [(one.start_s, one.end_s) for one in analysis.mixed(run)] == [(1.01, 2.01), (5.01, 6.01)]


def test_an_update_is_told_by_verdicts_and_durations() -> None:
    runs = (synthetic.rolling(), synthetic.recreate())
    story = labs.get("update").to_story(Recording("update", "embedded", "v1", runs))
    assert story.verdicts == {
        "rolling.loses-requests": False,
        "rolling.interrupts": False,
        "rolling.mixes-versions": True,
        "recreate.loses-requests": True,
        "recreate.interrupts": True,
        "recreate.mixes-versions": False,
    }
    assert story.durations_s == pytest.approx(
        {"rolling.duration": 9.0, "recreate.duration": 4.9, "recreate.outage": 4.5}
    )


def test_one_lost_request_is_told_and_an_update_that_did_not_end_has_no_duration() -> None:
    run = replace(EMPTY, requests=(request(0), request(1, error="reset"), request(1.1)))
    story = labs.get("update").to_story(Recording("update", "embedded", "v1", (run,)))
    assert story.verdicts["rolling.loses-requests"] is True
    assert story.verdicts["rolling.interrupts"] is False
    assert story.durations_s == {}


def test_a_second_of_mixed_answers_is_no_mixing_of_versions_to_tell() -> None:
    def mixes(last_s: float) -> object:
        rows = (request(0, "v1"), request(1, "v2"), request(last_s, "v1"))
        recording = Recording("update", "embedded", "v1", (replace(EMPTY, requests=rows),))
        return labs.get("update").to_story(recording).verdicts["rolling.mixes-versions"]

    assert [mixes(last_s) for last_s in (1.9, 2.0, 2.1)] == [False, False, True]


def test_half_a_second_without_answers_is_told_and_an_end_without_a_beginning_lasts_nothing() -> (
    None
):
    requests = (request(0), request(1, error="refused"), request(1.5))
    run = replace(EMPTY, requests=requests, marks=(Mark(3.0, "complete"),))
    assert labs.update.summarize(run).duration_s is None
    story = labs.get("update").to_story(Recording("update", "embedded", "v1", (run,)))
    assert story.verdicts["rolling.interrupts"] is True


def written(run: Run) -> dict[str, Any]:
    """Return what `summary.json` holds of a run."""
    summary = labs.summarize(Recording("update", "embedded", "v1", (run,)))
    entry: dict[str, Any] = summary["strategies"][run.name]
    return entry


def test_a_summary_is_written_to_the_millisecond() -> None:
    rows = (request(0), request(1 / 3, error="refused"), request(1), request(2, error="unsent"))
    marks = (Mark(1.0, "apply"), Mark(3.1234567, "complete"))
    run = replace(EMPTY, requests=rows, marks=marks)
    assert labs.update.summarize(run).unsent == 1
    assert written(run) == {
        "requests": 4,
        "failed": 1,
        "outage_s": 0.667,
        "peak_pods": 0,
        "mixed_s": 0,
        "duration_s": 2.123,
    }
    assert written(replace(run, marks=()))["duration_s"] is None
    rows = (request(0, "v1"), request(1 / 3, "v2"), request(1, "v1"), request(2, "v2"))
    assert written(replace(run, requests=rows))["mixed_s"] == 0.667


def test_without_an_update_the_whole_run_counts() -> None:
    run = synthetic.run("rolling", lambda at_s: "v1", [Pod("a", "v1", -5, 0.5)], [])
    assert labs.update.summarize(run).lowest_ready == 0


def test_what_was_ready_before_the_update_does_not_count_as_its_lowest() -> None:
    pods = [Pod("a", "v1", -5, 1), Pod("b", "v1", -5, 2), Pod("c", "v2", 5, 6)]
    run = synthetic.run("rolling", lambda at_s: "v1", pods, [(4, "apply"), (9, "complete")])
    summary = labs.update.summarize(run)
    assert (summary.lowest_ready, summary.peak_pods, summary.duration_s) == (2, 3, 5)
    gone = [*pods, Pod("d", "v1", -5, -4, 4.5, 8)]
    run = synthetic.run("rolling", lambda at_s: "v1", gone, [(4, "apply")])
    assert labs.update.summarize(run).lowest_ready == 2


def test_a_way_back_that_never_answers_has_no_length() -> None:
    run = synthetic.run(
        "blue-green",
        lambda at_s: "v1" if at_s < 8 else "v2",
        [],
        [(4, "apply"), (8, "switch"), (12, "switch-back")],
    )
    assert labs.update.summarize(run).back_s is None


def test_bins_hold_each_request_once_and_full_ones_show_the_true_rate() -> None:
    bins = analysis.bins(synthetic.naive().requests)
    assert sum(one.failed + sum(one.answered.values()) for one in bins) == 1000
    rates = [one.rate_per_s(one.failed + sum(one.answered.values())) for one in bins]
    assert rates == [pytest.approx(50)] * 40


def test_the_last_bin_shows_the_true_rate_too() -> None:
    bins = analysis.bins([request(number * 0.02) for number in range(60)])
    assert [one.rate_per_s(sum(one.answered.values())) for one in bins] == [pytest.approx(50)] * 3


def odd_run(seed: int) -> Run:
    """Return events and requests in any order, with missing and repeated ones."""
    dice = random.Random(seed)
    kinds = [
        "created",
        "scheduled",
        "started",
        "ready",
        "unready",
        "restarted",
        "terminating",
        "exited",
        "deleted",
    ]
    pods = tuple(
        PodEvent(
            dice.uniform(-5, 12),
            f"p{uid}",
            str(uid),
            dice.choice(kinds),
            "receipt",
            dice.choice(["v1", "v2"]),
        )  # type: ignore[arg-type]
        for uid in (dice.randrange(5) for _ in range(dice.randrange(40)))
    )
    errors = [None, None, None, "refused", "timeout", "unsent"]
    requests = tuple(
        request(dice.uniform(0, 10), dice.choice(["v1", "v2", None]), dice.choice(errors))
        for _ in range(dice.randrange(200))
    )
    marks = tuple(
        Mark(dice.uniform(0, 10), kind)
        for kind in ("apply", "complete", "switch-back")
        if dice.random() < 0.5
    )
    return replace(EMPTY, pods=pods, requests=requests, marks=marks)


@pytest.mark.parametrize("seed", range(200))
def test_whatever_the_events_the_numbers_make_sense(seed: int) -> None:
    run = odd_run(seed)
    summary = labs.update.summarize(run)
    assert 0 <= summary.failed <= summary.requests - summary.unsent
    assert sum(summary.errors.values()) == summary.failed
    assert 0 <= summary.outage_s <= 10
    assert 0 <= summary.mixed_s <= 10.1
    for step in analysis.counts(run):
        assert 0 <= step.ready <= step.total <= 5
    for life in analysis.lives(run):
        phases = life.phases(run.ended_s)
        assert all(a.end_s == b.start_s for a, b in itertools.pairwise(phases))
        assert all(a.end_s <= b.start_s for a, b in zip(life.ready, life.ready[1:], strict=False))
    assert sum(one.failed for one in analysis.bins(run.requests)) == summary.failed
