"""Forecasts of probes, held against the kubelet's worker played tick by tick with every phase of its tickers."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from k8s_helpers._errors import UsageError
from k8s_helpers.forecasts.probe_spec import (
    AT_ONCE,
    NEVER,
    Answers,
    Probe,
    Span,
    container_of,
    probes_of,
)
from k8s_helpers.forecasts.probes import forecast

LIVE, READY = "/actuator/health/liveness", "/actuator/health/readiness"
SLIDE = {
    "readinessProbe": {
        "httpGet": {"path": READY, "port": 8080},
        "initialDelaySeconds": 5,
        "periodSeconds": 10,
    },
    "livenessProbe": {
        "httpGet": {"path": LIVE, "port": 8080},
        "initialDelaySeconds": 10,
        "periodSeconds": 15,
    },
}
IMPATIENT = {
    "livenessProbe": {
        "httpGet": {"path": LIVE, "port": 8080},
        "initialDelaySeconds": 10,
        "periodSeconds": 5,
    }
}
SAVED = {
    **IMPATIENT,
    "readinessProbe": {"httpGet": {"path": READY, "port": 8080}, "periodSeconds": 5},
    "startupProbe": {
        "httpGet": {"path": LIVE, "port": 8080},
        "periodSeconds": 5,
        "failureThreshold": 30,
    },
}
EARLY = Answers(Span(2, 6), {LIVE: Span(2, 6), READY: Span(62, 66), "/": Span(62, 66)})
LATE = Answers(Span(62, 66), {LIVE: Span(62, 66), READY: Span(62, 66)})


def pod(probes, **more):
    return {"spec": {"containers": [{"name": "app", **probes, **more}]}}


def played(probes, good, phases, until_s=400.0):
    """Return when a container is Ready and when it is killed: the worker's loop, a step of 10 ms each."""
    made = probes_of({"name": "app", **probes})
    due = {kind: phases[kind] * probe.period_s for kind, probe in made.items()}
    if "readiness" in due:
        due["readiness"] = 0.0 if "startup" not in made else math.inf
    row = dict.fromkeys(made, (None, 0))
    started, ready = "startup" not in made, None if "readiness" in made else 0.0
    if not started:
        ready = None
    for step in range(int(until_s * 100)):
        now = step / 100
        for kind, probe in made.items():
            if now < due[kind]:
                continue
            due[kind] += probe.period_s
            if now < probe.initial_delay_s or (kind == "startup") == started:
                continue
            ok = now >= good[kind]
            last, count = row[kind]
            row[kind] = (ok, count + 1 if ok == last else 1)
            if not ok and row[kind][1] >= probe.failures and kind != "readiness":
                return ready, now
            if ok and row[kind][1] >= probe.successes:
                if kind == "startup":
                    started = True
                    if "readiness" in made:
                        due["readiness"] = now
                    elif ready is None:
                        ready = now
                elif kind == "readiness" and ready is None:
                    ready = now
        if ready is not None and started and now > ready + 60:
            return ready, None
    return ready, None


@pytest.mark.parametrize(
    ("probes", "answers"),
    [
        ({}, EARLY),
        (SLIDE, EARLY),
        (IMPATIENT, LATE),
        (SAVED, LATE),
        (SLIDE, LATE),
        ({"startupProbe": SAVED["startupProbe"]}, LATE),
        ({"readinessProbe": {**SLIDE["readinessProbe"], "successThreshold": 3}}, EARLY),
    ],
    ids=["none", "slide", "impatient", "saved", "slide-late", "startup", "three"],
)
def test_no_phase_of_the_tickers_escapes_a_forecast_and_its_ends_are_reached(probes, answers):
    found = forecast(pod(probes), answers)
    draw = random.Random(1)
    ends: dict[str, list[float]] = {"ready": [], "kill": []}
    made = probes_of({"name": "app", **probes})
    for share, phase in itertools.product(
        (0.0, 0.5, 1.0), (0.0, 0.02, 0.5, 0.65, 0.67, 0.98, None)
    ):
        good = {}
        for kind, probe in made.items():
            lo, hi = answers.to(probe, {})
            good[kind] = lo + share * (hi - lo)
        phases = {kind: draw.random() if phase is None else phase for kind in made}
        ready, kill = played(probes, good, phases)
        if kill is not None:
            assert found.kill is not None and found.kill.holds(kill, 0.02)
            ends["kill"].append(kill)
        else:
            assert not found.certain
            assert found.ready is not None and ready is not None
            assert found.ready.holds(ready, 0.02)
            ends["ready"].append(ready)
    if found.certain:
        assert ends["ready"] == []
        assert (found.ready is None) == ("readiness" in made or "startup" in made)
    if ends["kill"] and found.kill is not None:
        assert min(ends["kill"]) < found.kill.lo_s + 1
        assert (
            max(ends["kill"]) > found.kill.hi_s - 2
        )  # the time-out of a silent program is not played


def test_the_words_say_when_and_why():
    rows = forecast(pod(SLIDE), EARLY).rows
    assert rows[0].startswith("Ready entre 62 et 76\u00a0s")
    assert "toutes les 10\u00a0s" in rows[0]
    assert rows[1] == "Jamais tué par une sonde."
    rows = forecast(pod({**IMPATIENT, "readinessProbe": SLIDE["readinessProbe"]}), LATE).rows
    assert rows[0].startswith("Jamais Ready\u00a0: la sonde liveness le fait tuer")
    assert rows[1].startswith(
        "Tué une première fois entre 20 et 26\u00a0s\u00a0: 3 échecs de suite"
    )
    assert rows[2].startswith("Puis relancé et tué de nouveau")
    assert "sans sonde readiness" in forecast(pod({}), EARLY).rows[0]


def test_what_is_killed_may_have_been_ready():
    unasked = forecast(pod(IMPATIENT), LATE)
    assert unasked.certain and unasked.ready == Span(0, 1)
    deaf = {**SLIDE, "livenessProbe": {"tcpSocket": {"port": 9}, "initialDelaySeconds": 100}}
    found = forecast(pod(deaf), EARLY)
    assert found.certain and found.ready == Span(62, 76)
    assert found.kill is not None and found.kill.lo_s == 120


def test_answers_slower_than_the_time_out_never_pass():
    slow = Answers(Span(2, 2), {LIVE: Span(2, 2), READY: Span(60, 60)}, takes_s=3)
    assert forecast(pod(SLIDE), slow).ready is None
    patient = {"readinessProbe": {**SLIDE["readinessProbe"], "timeoutSeconds": 4}}
    assert forecast(pod(patient), slow).ready == Span(63, 73)


def test_a_wrong_port_or_path_is_never_ready():
    wrong_port = {"readinessProbe": {"httpGet": {"path": READY, "port": 8081}}}
    found = forecast(pod(wrong_port), EARLY)
    assert (found.ready, found.kill) == (None, None)
    assert "jamais bien à la sonde readiness" in found.rows[0]
    wrong_path = {"readinessProbe": {"httpGet": {"path": "/health", "port": 8080}}}
    assert forecast(pod(wrong_path), EARLY).ready is None
    named = {"readinessProbe": {"httpGet": {"path": READY, "port": "web"}}}
    ports = [{"name": "web", "containerPort": 8080}]
    assert forecast(pod(named, ports=ports), EARLY).ready == Span(62, 76)


def test_a_kill_that_depends_on_the_ticks_is_only_possible():
    edge = {
        "livenessProbe": {
            "httpGet": {"path": LIVE, "port": 8080},
            "periodSeconds": 10,
            "failureThreshold": 1,
        }
    }
    found = forecast(pod(edge), Answers(Span(5, 5), {LIVE: Span(5, 5)}))
    assert found.kill is not None and not found.certain and found.ready is not None
    assert found.rows[1].startswith("Peut-être tué")


def test_the_second_restart_waits_where_the_lives_are_short():
    short = {
        "livenessProbe": {
            "httpGet": {"path": LIVE, "port": 8080},
            "periodSeconds": 1,
            "failureThreshold": 2,
        }
    }
    quick = Answers(NEVER, {}, stops=AT_ONCE)
    first, second, third = forecast(pod(short), quick, 30.0).kills[:3]
    assert first == Span(1, 3)
    assert second.lo_s == 2 and second.hi_s == 7  # a first restart is immediate
    assert third.lo_s == 2 + 10 + 1  # 10 s after the second end


def test_defaults_are_those_of_kubernetes():
    assert Probe.of("liveness", {"exec": {"command": ["true"]}}) == Probe(
        "liveness", {"exec": {"command": ["true"]}}, 0, 10, 1, 1, 3
    )


def test_tcp_exec_and_grpc_are_asked_of_what_the_program_does():
    answers = Answers(Span(1, 2), {}, command=Span(3, 4), grpc=Span(5, 6))

    def to(**action):
        return answers.to(Probe("readiness", action), {})

    assert to(tcpSocket={"port": 8080}) == Span(1, 2)
    assert to(exec={"command": ["true"]}) == Span(3, 4)
    assert to(grpc={"port": 9090}) == Span(5, 6)
    assert to(grpc={"port": 8080}) == NEVER
    assert to() == NEVER


def test_manifests_of_any_kind_have_a_container():
    deployment = (
        "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n        - name: a\n"
    )
    assert container_of("kind: Service\nspec: {ports: []}\n---\n" + deployment)["name"] == "a"
    assert container_of(pod({}))["name"] == "app"
    for wrong in ("", "- 1", "a: [", "kind: Service"):
        with pytest.raises(UsageError):
            container_of(wrong)


def test_a_probe_is_read_as_it_is_written():
    written = {
        "httpGet": {"path": "/a", "port": 80},
        "initialDelaySeconds": 7,
        "periodSeconds": 5,
        "timeoutSeconds": 2,
        "successThreshold": 4,
        "failureThreshold": 6,
        "terminationGracePeriodSeconds": 9,
    }
    action = {"httpGet": {"path": "/a", "port": 80}}
    assert Probe.of("readiness", written) == Probe("readiness", action, 7, 5, 2, 4, 6)
    for kind in ("tcpSocket", "grpc"):
        assert Probe.of("liveness", {kind: {"port": 1}}).action == {kind: {"port": 1}}
    made = probes_of({"readinessProbe": written, "livenessProbe": {}, "startupProbe": None})
    assert list(made) == ["readiness"]


@pytest.mark.parametrize(
    ("probe", "at_s", "span"),
    [
        # Ticks at 0, 10, 20 from an unknown instant on, then the time-out of the last one.
        (Probe("liveness"), 0, Span(20, 31)),
        (Probe("liveness"), 5, Span(25, 36)),
        (Probe("liveness", initial_delay_s=8), 5, Span(28, 39)),
        (Probe("liveness", failures=1), 0, Span(0, 11)),
        # A check that lasts longer than the period makes the next one wait.
        (Probe("liveness", period_s=5, timeout_s=7), 0, Span(10, 26)),
    ],
)
def test_the_last_failure_of_a_row_comes_within_a_period_and_a_time_out(probe, at_s, span):
    assert probe.fails_after(at_s) == span


@pytest.mark.parametrize(
    ("options", "at_s", "more", "span"),
    [
        ({}, 3, {}, Span(3, 13)),
        ({"initial_delay_s": 5}, 3, {}, Span(5, 15)),
        ({"successes": 3}, 3, {}, Span(23, 33)),
        ({}, 3, {"at_once": True}, Span(3, 3)),
        ({"initial_delay_s": 3}, 3, {"at_once": True}, Span(3, 3)),
        ({"initial_delay_s": 5}, 3, {"at_once": True}, Span(5, 15)),
        ({}, 3, {"takes_s": 2}, Span(5, 15)),
        # Answers that take longer than the period are asked for at their own pace.
        ({"successes": 2, "period_s": 1}, 3, {"takes_s": 2}, Span(6, 9)),
    ],
)
def test_the_last_success_of_a_row_comes_within_a_period(options, at_s, more, span):
    assert Probe("readiness", **options).passes_after(at_s, **more) == span


def test_what_asks_for_a_path_a_port_or_a_name_finds_what_is_there():
    answers = Answers(Span(1, 2), {"/": Span(3, 4), "/a": Span(5, 6)}, port=8080, takes_s=1)

    def http(**action):
        return answers.to(Probe("readiness", {"httpGet": action}), {"web": 8080, "admin": 9})

    assert http(port=8080) == Span(3, 4)
    assert http(port=8080, path="/a?deep=1") == Span(5, 6)
    assert http(port="web", path="/a") == Span(5, 6)
    assert http(port="admin", path="/a") == NEVER
    assert http(port="unknown") == NEVER
    assert http(port=8080, path="/b") == NEVER
    slower = Answers(Span(1, 2), {"/": Span(3, 4)}, takes_s=1.01)
    assert slower.to(Probe("readiness", {"httpGet": {"port": 8080}}), {}) == NEVER


def test_a_command_succeeds_at_once_and_grpc_never_unless_told():
    answers = Answers(Span(1, 2))
    assert answers.to(Probe("liveness", {"exec": {"command": ["true"]}}), {}) == AT_ONCE
    assert answers.to(Probe("liveness", {"grpc": {"port": 9090}}), {}) == NEVER
    assert answers.to(Probe("liveness", {"tcpSocket": {"port": 8080}}), {}) == Span(1, 2)
    assert answers.stops == Span(0, 1)


def test_the_first_container_counts_of_a_pod_a_template_or_a_later_document():
    two = {"containers": [{"name": "first"}, {"name": "second"}]}
    assert container_of({"spec": two})["name"] == "first"
    assert container_of({"spec": {"template": {"spec": two}}})["name"] == "first"
    assert container_of({"spec": {"template": {}, **two}})["name"] == "first"
    assert container_of("spec: null\n---\nspec: {containers: [{name: a}]}\n")["name"] == "a"
    with pytest.raises(UsageError, match="aucun conteneur"):
        container_of({"spec": {"containers": []}})


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(3.0, 3.0), "à 3\u00a0s"),
        (Span(3.04, 3.01), "à 3\u00a0s"),
        (Span(3.0, 4.25), "entre 3 et 4,2\u00a0s"),
        (Span(3.0, math.inf), "au plus tôt à 3\u00a0s"),
    ],
)
def test_an_interval_in_words(span, words):
    assert span.words() == words
