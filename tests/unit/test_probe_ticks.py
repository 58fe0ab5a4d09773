"""Lives played tick by tick, held against what is foreseen for any phase of the ticks."""

from __future__ import annotations

import random

import pytest

from k8s_helpers.forecasts.probe_spec import Answers, Probe, ProbeKind, probes_of
from k8s_helpers.forecasts.probe_ticks import simulate
from k8s_helpers.forecasts.probes import forecast
from k8s_helpers.forecasts.span import Span

LIVE, READY = "/live", "/ready"
UNTIL_S = 500.0


def program(listens_s: float, good_s: float, takes_s: float = 0.0) -> Answers:
    listens = Span(listens_s, listens_s)
    return Answers(listens, {LIVE: listens, READY: Span(good_s, good_s)}, takes_s=takes_s)


def probe(kind: ProbeKind, path: str, **numbers: float) -> Probe:
    return Probe(kind, {"httpGet": {"path": path, "port": 8080}}, **numbers)  # type: ignore[arg-type]


def asked(course, kind):
    return [one.at_s for one in course.checks if one.kind == kind and one.asked]


def test_ticks_count_from_the_pod_s_arrival_and_the_initial_delay_only_lets_them_count() -> None:
    probes = {"readiness": probe("readiness", READY, initial_delay_s=5, period_s=10)}
    course = simulate(probes, program(3, 22), since_s=4.0, until_s=40)
    assert [one.at_s for one in course.checks if not one.asked] == []
    assert asked(course, "readiness") == [6, 16, 26, 36]
    assert course.ready_s == 26
    late = simulate(probes, program(3, 22), since_s=8.0, until_s=40)
    assert [one.at_s for one in late.checks if not one.asked] == [2]
    assert late.ready_s == 22


def test_three_refusals_in_a_row_kill() -> None:
    probes = {"liveness": probe("liveness", LIVE, initial_delay_s=10, period_s=5)}
    course = simulate(probes, program(60, 60), since_s=1.0, until_s=90)
    assert asked(course, "liveness") == [14, 19, 24]
    assert (course.killed_s, course.killer) == (24, "liveness")
    assert simulate(probes, program(20, 20), since_s=1.0, until_s=90).killed_s is None


def test_the_others_wait_for_the_startup_probe_and_readiness_follows_it_at_once() -> None:
    probes = {
        "startup": probe("startup", LIVE, period_s=5, failures=30),
        "readiness": probe("readiness", READY, period_s=20),
        "liveness": probe("liveness", LIVE, period_s=5, failures=1),
    }
    course = simulate(probes, program(60, 60), since_s=1.0, until_s=90)
    assert asked(course, "readiness") == [64, 84]
    assert min(asked(course, "liveness")) == 64
    assert course.ready_s == 64 and course.killed_s is None


def test_an_answer_later_than_the_time_out_is_a_failure_that_comes_with_it() -> None:
    probes = {"liveness": probe("liveness", LIVE, period_s=10, timeout_s=2, failures=2)}
    course = simulate(probes, program(1, 1, takes_s=3), since_s=1.0, until_s=90)
    assert asked(course, "liveness") == [9, 19]
    assert course.killed_s == 21
    assert simulate(probes, program(1, 1, takes_s=1.5), since_s=1.0, until_s=90).killed_s is None


def test_a_tick_that_comes_during_a_check_is_not_lost() -> None:
    probes = {"readiness": probe("readiness", READY, period_s=2, timeout_s=5)}
    course = simulate(probes, program(0, 0, takes_s=3), since_s=1.0, until_s=12)
    assert asked(course, "readiness") == [1, 4, 7, 10]
    assert course.ready_s == 4


def drawn(seed: int) -> tuple[dict, Answers, float]:
    draw = random.Random(seed)

    def written(path: str, successes: int = 1) -> dict:
        return {
            "httpGet": {"path": path, "port": 8080},
            "initialDelaySeconds": draw.choice([0, 3, 5, 10, 30]),
            "periodSeconds": draw.choice([1, 2, 5, 10, 15]),
            "timeoutSeconds": draw.choice([1, 2, 5]),
            "successThreshold": successes,
            "failureThreshold": draw.choice([1, 2, 3, 6, 20]),
        }

    container: dict = {"name": "app"}
    if draw.random() < 0.7:
        container["readinessProbe"] = written(READY, draw.choice([1, 1, 2, 3]))
    if draw.random() < 0.6:
        container["livenessProbe"] = written(LIVE)
    if draw.random() < 0.5:
        container["startupProbe"] = written(LIVE)
    good_s = draw.uniform(0, 80)
    listens_s = min(2.0, good_s) if draw.random() < 0.5 else good_s
    answers = program(listens_s, good_s, draw.choice([0, 0, 0.5, 1.5, 3]))
    return container, answers, draw.uniform(0.01, 15)


@pytest.mark.parametrize("start", range(0, 4000, 1000))
def test_whatever_is_played_was_foreseen(start: int) -> None:
    ends = set()
    for seed in range(start, start + 1000):
        container, answers, since_s = drawn(seed)
        found = forecast({"spec": {"containers": [container]}}, answers, UNTIL_S)
        course = simulate(probes_of(container), answers, since_s, UNTIL_S)
        ends.add((course.ready_s is not None, course.killed_s is not None))
        if course.killed_s is None:
            assert not found.certain, seed
        else:
            assert found.kill is not None and found.kill.holds(course.killed_s, 1e-6), seed
        if course.ready_s is None:
            assert found.ready is None or course.killed_s is not None, seed
        else:
            assert found.ready is not None and found.ready.holds(course.ready_s, 1e-6), seed
    assert len(ends) == 4
