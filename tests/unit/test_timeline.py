"""What is computed from a recording, on runs whose every number is known, and on odd ones."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
import synthetic
from synthetic import Pod, request

from k8s_helpers import timeline
from k8s_helpers.recording import Incident, Mark, PodEvent, Run

EMPTY = Run("rolling", "2026-01-01T00:00:00+00:00", 10.0)


def test_a_rolling_update_loses_nothing_and_mixes_versions() -> None:
    summary = timeline.update_summary(synthetic.rolling())
    assert (summary.requests, summary.failed, summary.outage_s) == (1000, 0, 0)
    assert summary.peak_pods == 5  # three, one more that starts, one that ends
    assert summary.lowest_ready == 3
    assert summary.mixed_s == pytest.approx(6.0, abs=0.1)
    assert summary.duration_s == pytest.approx(9.0)
    assert summary.back_s is None


def test_a_recreate_answers_nobody_in_between() -> None:
    summary = timeline.update_summary(synthetic.recreate())
    assert summary.failed == 225
    assert summary.outage_s == pytest.approx(4.5)
    assert summary.mixed_s == 0
    assert summary.peak_pods == 3
    assert summary.lowest_ready == 0
    assert summary.errors == {"refused": 225}


def test_a_blue_green_switch_mixes_nothing_either_way() -> None:
    summary = timeline.update_summary(synthetic.blue_green())
    assert (summary.failed, summary.mixed_s, summary.peak_pods) == (0, 0, 6)
    assert summary.back_s == pytest.approx(0.01)
    assert summary.duration_s == pytest.approx(4.0)


def test_lost_requests_between_good_ones_are_no_outage() -> None:
    summary = timeline.update_summary(synthetic.naive())
    assert summary.failed == 100
    assert summary.outage_s == 0


def test_an_empty_run_has_a_summary_of_zeros() -> None:
    summary = timeline.update_summary(EMPTY)
    assert (summary.requests, summary.failed, summary.peak_pods, summary.lowest_ready) == (
        0,
        0,
        0,
        0,
    )
    assert summary.duration_s is None
    assert timeline.bins(()) == ()
    assert timeline.lives(EMPTY) == ()


def test_an_update_that_never_completes_has_no_duration_and_its_incidents_show() -> None:
    run = replace(EMPTY, marks=(Mark(1.0, "apply"),), incidents=(Incident(2.0, "etcd", "arrêté"),))
    summary = timeline.update_summary(run)
    assert summary.duration_s is None
    assert [one.component for one in summary.incidents] == ["etcd"]


def test_summary_json_has_the_keys_of_the_contract() -> None:
    plain = timeline.summary_json(synthetic.recording())
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
    (life,) = timeline.lives(run)
    assert (life.started_s, life.restarts, life.gone_s) == (1.5, 1, 8)
    kinds = [(phase.kind, phase.start_s, phase.end_s) for phase in life.phases(10)]
    assert kinds == [
        ("starting", 1, 2),
        ("ready", 2, 4),
        ("unready", 4, 5),
        ("ready", 5, 7),
        ("terminating", 7, 8),
    ]


def test_a_pod_that_is_there_for_the_whole_run_is_one_phase() -> None:
    (life,) = timeline.lives(synthetic.run("x", lambda at_s: "v1", [Pod("a", "v1", -5, -3)]))
    assert [phase.kind for phase in life.phases(20)] == ["starting", "ready"]
    assert life.ready[0].end_s == 20


def test_a_pod_deleted_without_being_asked_to_end_is_not_terminating() -> None:
    (life,) = timeline.lives(synthetic.run("x", lambda at_s: "v1", [Pod("a", "v1", 1, 2, None, 5)]))
    assert [phase.kind for phase in life.phases(20)] == ["starting", "ready"]
    assert life.ready[0].end_s == 5


def events(*kinds: tuple[float, str]) -> Run:
    made = (PodEvent(at_s, "p", "u", kind, "receipt", "v1") for at_s, kind in kinds)  # type: ignore[arg-type]
    return replace(EMPTY, pods=tuple(made))


def test_a_pod_that_ends_is_gone_when_its_programs_are_not_when_its_object_is() -> None:
    (life,) = timeline.lives(
        events((0, "created"), (1, "ready"), (5, "terminating"), (6, "exited"), (8, "deleted"))
    )
    assert life.gone_s == 6
    assert timeline.counts(events((0, "created"), (5, "terminating"), (6, "exited")))[-1].total == 0


def test_a_program_that_crashes_does_not_end_its_pod() -> None:
    crashed = [(0, "created"), (1, "ready"), (2, "exited"), (3, "restarted"), (5, "terminating")]
    (life,) = timeline.lives(events(*crashed))
    assert life.gone_s is None
    (life,) = timeline.lives(events(*crashed, (8, "deleted")))
    assert life.gone_s == 8


def test_a_pod_never_ready_is_starting_all_its_life() -> None:
    (life,) = timeline.lives(synthetic.run("x", lambda at_s: "v1", [Pod("a", "v1", 1, None, 6, 7)]))
    assert [phase.kind for phase in life.phases(20)] == ["starting", "terminating"]


def test_two_pods_of_the_same_name_are_two_lives() -> None:
    first = Pod("vitrine-0", "v1", -5, -4, 4, 5).events()
    second = tuple(replace(event, uid="other") for event in Pod("vitrine-0", "v2", 6, 8).events())
    lives = timeline.lives(replace(EMPTY, pods=first + second))
    assert [life.version for life in lives] == ["v1", "v2"]


def test_counts_begin_at_zero_and_change_only_when_something_does() -> None:
    steps = timeline.counts(synthetic.recreate())
    assert (steps[0].at_s, steps[0].ready, steps[0].total) == (0.0, 3, 3)
    assert (steps[1].at_s, steps[1].ready, steps[1].total) == (4.0, 0, 3)
    assert (steps[-1].ready, steps[-1].total) == (3, 3)
    assert all((a.ready, a.total) != (b.ready, b.total) for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize(("count", "expected"), [(12, 0), (14, 1)])
def test_a_short_row_of_failures_is_no_outage(count: int, expected: int) -> None:
    rows = [
        request(number * 0.02, error="refused" if 10 <= number < 10 + count else None)
        for number in range(60)
    ]
    assert len(timeline.outages(rows)) == expected


def test_an_outage_until_the_end_lasts_until_the_last_failure() -> None:
    rows = [request(number * 0.1, error="timeout" if number >= 5 else None) for number in range(20)]
    (outage,) = timeline.outages(rows)
    assert (outage.start_s, outage.end_s) == (pytest.approx(0.5), pytest.approx(1.9))


def test_what_the_client_never_sent_is_neither_lost_nor_an_outage() -> None:
    rows = [request(number * 0.1, error="unsent") for number in range(20)]
    assert timeline.outages(rows) == ()
    assert timeline.failed(rows) == ()
    (first, *_) = timeline.bins(rows)
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
    assert timeline.update_summary(run).mixed_s == pytest.approx(2.0)


def test_three_versions_are_mixed_once() -> None:
    rows = (
        request(0, "v1"),
        request(1, "v2"),
        request(2, "v3"),
        request(3, "v1"),
        request(5, "v2"),
        request(6, "v3"),
    )
    assert timeline.update_summary(replace(EMPTY, requests=rows)).mixed_s == pytest.approx(4.0)


def test_answers_that_do_not_say_their_version_do_not_mix() -> None:
    rows = tuple(request(number, None if number % 2 else "v1") for number in range(10))
    assert timeline.mixed(replace(EMPTY, requests=rows)) == ()


def test_a_request_under_way_at_the_way_back_mixes_nothing() -> None:
    run = synthetic.blue_green()
    late = replace(run.requests[599], sent_s=12.02, answered_s=12.03, version="v1")
    assert late.planned_s < 12
    summary = timeline.update_summary(
        replace(run, requests=(*run.requests[:599], late, *run.requests[600:]))
    )
    assert summary.mixed_s == 0


def test_a_way_back_that_never_answers_has_no_length() -> None:
    run = synthetic.run(
        "blue-green",
        lambda at_s: "v1" if at_s < 8 else "v2",
        [],
        [(4, "apply"), (8, "switch"), (12, "switch-back")],
    )
    assert timeline.update_summary(run).back_s is None


def test_bins_hold_each_request_once_and_full_ones_show_the_true_rate() -> None:
    bins = timeline.bins(synthetic.naive().requests)
    assert sum(one.failed + sum(one.answered.values()) for one in bins) == 1000
    rates = [one.rate_per_s(one.failed + sum(one.answered.values())) for one in bins]
    assert rates == [pytest.approx(50)] * 40


def test_the_last_bin_shows_the_true_rate_too() -> None:
    bins = timeline.bins([request(number * 0.02) for number in range(60)])
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
    summary = timeline.update_summary(run)
    assert 0 <= summary.failed <= summary.requests - summary.unsent
    assert sum(summary.errors.values()) == summary.failed
    assert 0 <= summary.outage_s <= 10
    assert 0 <= summary.mixed_s <= 10.1
    for step in timeline.counts(run):
        assert 0 <= step.ready <= step.total <= 5
    for life in timeline.lives(run):
        phases = life.phases(run.ended_s)
        assert all(a.end_s == b.start_s for a, b in itertools.pairwise(phases))
        assert all(a.end_s <= b.start_s for a, b in zip(life.ready, life.ready[1:], strict=False))
    assert sum(one.failed for one in timeline.bins(run.requests)) == summary.failed
