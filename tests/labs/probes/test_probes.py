"""One variant of probes: what its run says beside what was foreseen, and its chart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import synthetic

from k8s_helpers import labs
from k8s_helpers._errors import RecordingError
from k8s_helpers.analysis import probe_log
from k8s_helpers.forecasts.probe_spec import probes_of
from k8s_helpers.forecasts.probes import Forecast
from k8s_helpers.forecasts.span import Span
from k8s_helpers.labs.probes import words as probe_words
from k8s_helpers.labs.probes.codes import Loss
from k8s_helpers.measure.objects import Clock
from k8s_helpers.measure.recording import (
    ClusterEvent,
    EndpointsEvent,
    Mark,
    PodEvent,
    ProbeResult,
    Recording,
    Run,
)

STARTED_S = 1.0
READY_S = 13.0


def run(name: str = "readiness", ready_s: float | None = READY_S, **changes: Any) -> Run:
    """Return a run whose container starts at 1 s, listens at 2 s and answers well from 11 s on."""

    def outcome(at_s: float) -> str:
        return "v1" if ready_s is not None and at_s >= max(ready_s, 11.0) else "!refused"

    kinds = [("created", 0.5), ("started", STARTED_S)]
    kinds += [("ready", ready_s)] if ready_s is not None else []
    values: dict[str, Any] = {
        "name": name,
        "started_at": "2026-01-01T10:00:00+00:00",
        "ended_s": 20.0,
        "parameters": {
            "probes": {"readiness": {}},
            "predicted_ready_s": [10.0, 14.0],
            "predicted_kill_s": None,
        },
        "requests": synthetic.requests(outcome, 20.0),
        "pods": tuple(PodEvent(at_s, "p", "u", kind, "receipt") for kind, at_s in kinds),
        "endpoints": (EndpointsEvent(ready_s, "p", ("p",)),) if ready_s is not None else (),
        "marks": (Mark(0.2, "apply"), Mark(STARTED_S, "container"), Mark(2.0, "listening")),
    }
    return Run(**{**values, **changes})


def test_instants_count_from_the_container_s_start() -> None:
    found = labs.probes.summarize(run())
    assert (found.ready_s, found.listening_s, found.restarts) == (12.0, 1.0, 0)
    assert found.ready_as_predicted and found.kill_as_predicted
    assert (found.failed, found.once_ready) == (13 * synthetic.RATE_PER_S, 0)
    assert found.losses == {Loss.SILENCE: found.failed}


def test_an_instant_outside_its_interval_is_not_as_predicted() -> None:
    late = labs.probes.summarize(run(ready_s=16.5))
    assert not late.ready_as_predicted
    assert labs.probes.summarize(run(ready_s=15.5)).ready_as_predicted  # a second of slack
    never = labs.probes.summarize(run(ready_s=None))
    assert never.ready_s is None and not never.ready_as_predicted


def test_a_pod_that_passes_for_ready_before_it_answers_loses_requests() -> None:
    found = labs.probes.summarize(run("no-probe", ready_s=1.0))
    assert found.once_ready == 10 * synthetic.RATE_PER_S
    assert found.failed == 11 * synthetic.RATE_PER_S
    assert found.first_failed_s == pytest.approx(-1.0)
    assert found.last_failed_s == pytest.approx(10.0, abs=0.1)


def test_a_kill_is_told_by_the_kubelet_s_event() -> None:
    killing = ClusterEvent(7.0, "Pod", "p", "Killing", "Container c failed liveness probe", 1)
    parameters = {"probes": {}, "predicted_ready_s": None, "predicted_kill_s": [5.0, 6.5]}
    found = labs.probes.summarize(
        run("impatient", ready_s=None, events=(killing,), parameters=parameters)
    )
    assert found.kills_s == (6.0,)
    assert found.kill_as_predicted and found.ready_as_predicted
    early = {**parameters, "predicted_kill_s": [8.0, 9.0]}
    assert not labs.probes.summarize(
        run("impatient", ready_s=None, events=(killing,), parameters=early)
    ).kill_as_predicted


def test_the_summary_has_the_contract_s_fields() -> None:
    recording = Recording("probes", "embedded", "v1.37.0", (run(), run("no-probe", 1.0)))
    told = labs.summarize(recording)
    assert set(told["variants"]["readiness"]) == {
        "predicted_ready_s",
        "ready_s",
        "first_failed_s",
        "failed",
        "restarts",
    }
    assert told["variants"]["readiness"]["predicted_ready_s"] == [10.0, 14.0]
    assert told["as_predicted"] is False  # without a probe it was Ready long before


def test_the_chart_has_a_panel_a_variant_and_says_what_it_shows() -> None:
    results = (
        ProbeResult(6.0, "p", "readiness", False, "log", "503"),
        ProbeResult(13.0, "p", "readiness", True, "log", "200"),
    )
    figure = labs.probes.draw(
        Recording("probes", "embedded", "v1.37.0", (run(probes=results), run("no-probe", 1.0)))
    )
    assert len(figure.axes) == 2
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "clients",
        "conteneur",
        "readiness",
    ]
    assert "Ready à 12" in figure.alternative
    assert "550\xa0requêtes perdues\xa0: sans réponse ; 500 une fois Ready" in figure.alternative
    assert "650\xa0requêtes perdues\xa0: sans réponse ; aucune une fois Ready" in figure.alternative
    with pytest.raises(RecordingError):
        labs.probes.draw(Recording("probes", "embedded", "v1.37.0", ()))


def test_the_tables_put_what_was_foreseen_beside_what_was_measured() -> None:
    killed = run("impatient", None, parameters={"predicted_kill_s": [20.0, 26.0]})
    table = labs.probes.tabulate(Recording("probes", "embedded", "v1.37.0", (run(), killed)))
    assert table.header[1:5] == ("Ready prévu", "mesuré", "premier arrêt prévu", "mesuré")
    ready, never = (row[1:5] for row in table.rows)
    assert ready == ("entre 10 et 14\u00a0s", "12\u00a0s", "jamais", "jamais")
    assert never == ("jamais", "jamais", "entre 20 et 26\u00a0s", "jamais")
    foreseen = labs.probes.tabulate_forecast(
        {
            "no-probe": Forecast(Span(0, 1), (), False, None, ()),
            "perhaps": Forecast(Span(0, 1), (Span(3, 9),), False, "liveness", ()),
        }
    )
    assert foreseen.rows[0] == (
        "Sans sonde, le programme de la diapositive",
        "entre 0 et 1\u00a0s",
        "jamais",
    )
    assert foreseen.rows[1][2] == "peut-être entre 3 et 9\u00a0s"


def test_the_program_s_log_tells_who_asked_and_the_events_who_was_refused() -> None:
    probe = {"httpGet": {"path": "/ready", "port": 8080}}
    probes = probes_of({"name": "c", "readinessProbe": probe})
    clock = Clock(zero_monotonic_s=0.0, zero_wall_s=100.0)
    log = (
        "a banner\n"
        '{"event": "starting", "at": 101.5}\n'
        '{"event": "probe", "at": 106.0, "path": "/ready", "status": 503}\n'
        '{"event": "probe", "at": 116.0, "path": "/ready", "status": 200}\n'
        '{"event": "probe", "at": 117.0, "path": "/other", "status": 200}\n'
    )
    answered = list(probe_log.answered([log], "p", probes, clock))
    assert [(one.at_s, one.probe, one.ok) for one in answered] == [
        (6.0, "readiness", False),
        (16.0, "readiness", True),
    ]
    assert probe_log.first([log], "starting", clock) == 1.5

    def unhealthy(at_s: float) -> ClusterEvent:
        message = "Readiness probe failed: connection refused"
        return ClusterEvent(at_s, "Pod", "p", "Unhealthy", message, 1, True)

    refused = list(probe_log.refused([unhealthy(2.0), unhealthy(6.2)], answered))
    assert [one.at_s for one in refused] == [2.0]  # the other one is in the log already


def test_the_container_s_start_is_bounded_by_its_clues() -> None:
    assert probe_log.container_start(None, None, None) is None
    assert probe_log.container_start(3.0, 3.4, 3.6) == 3.4
    assert probe_log.container_start(3.0, 6.0, 7.0) == 4.0
    assert probe_log.container_start(None, 6.0, 5.0) == 5.0


def test_in_the_middle_of_a_measure_nothing_is_never() -> None:
    waiting = run(ready_s=None)
    over = probe_words.sentence(waiting)
    assert "jamais Ready" in over and "1\u202f000\xa0requêtes perdues" in over
    middle = replace(waiting, parameters={**waiting.parameters, "going_on": True})
    told = probe_words.sentence(middle)
    assert "jamais" not in told and "pas encore Ready" in told
    # What is lost is lost: the end says nothing else of it.
    assert probe_words.clients(labs.probes.summarize(middle)) in over


def test_a_live_chart_accuses_nobody_before_it_is_sure() -> None:
    requests = outcomes((12, "refused"), (13.2, "refused"))
    live = run(requests=requests)
    live = replace(live, parameters={**live.parameters, "going_on": True})
    assert labs.probes.summarize(live).once_ready == 0
    later = replace(live, requests=outcomes((12, "refused"), (13.2, "refused"), (15, "refused")))
    assert labs.probes.summarize(later).once_ready == 2


def test_every_request_without_its_page_is_lost_whatever_its_client_got() -> None:
    got = [
        ("content", 200, "p"),
        ("status", 503, "p"),
        ("status", 503, None),
        ("refused", None, None),
    ]
    requests = tuple(
        replace(synthetic.request(14.0 + index, error=error), status=status, pod=pod)
        for index, (error, status, pod) in enumerate(got)
    )
    found = labs.probes.summarize(run("no-probe", 13.0, requests=requests))
    assert found.losses == {Loss.EMPTY: 1, Loss.ERROR: 1, Loss.SILENCE: 2}
    assert (found.failed, found.sent, found.once_ready) == (4, 4, 4)
    table = labs.probes.tabulate_clients(
        Recording("probes", "embedded", "v1.37.0", (run("no-probe", 13.0, requests=requests),))
    )
    assert table.rows[0][1:] == ("4", "4", "1", "1", "2", "4")
    told = probe_words.clients(found)
    assert told == (
        "4\xa0requêtes perdues\xa0: 1\xa0page sans données, 1\xa0erreur du programme, "
        "2\xa0sans réponse ; 4 une fois Ready"
    )


def outcomes(*told: tuple[float, str | None]) -> tuple[Any, ...]:
    """Return requests by the instant at which they were due and their error."""
    return tuple(synthetic.request(at_s, error=error) for at_s, error in told)


def test_what_was_never_sent_is_neither_waited_for_nor_lost() -> None:
    requests = outcomes((2, "unsent"), (3, "refused"), (14, "unsent"), (15, "reset"), (16, None))
    found = labs.probes.summarize(run(requests=requests))
    assert (found.sent, found.failed, found.once_ready) == (3, 2, 1)
    assert (found.first_failed_s, found.last_failed_s) == (2.0, 14.0)


@pytest.mark.parametrize(
    ("first_answer_s", "failed"),
    [(14.5, []), (14.6, [13.5, 14.2])],  # a second and a half is what the proxies may take
)
def test_a_service_has_a_moment_to_lead_to_a_pod_that_has_become_ready(
    first_answer_s: float, failed: list[float]
) -> None:
    requests = outcomes(
        (12, "refused"), (13.5, "refused"), (14.2, "refused"), (first_answer_s, None)
    )
    found = labs.probes.summarize(run(requests=requests))
    assert (found.once_ready, found.failed) == (len(failed), 3)


def test_an_answer_before_the_pod_was_behind_the_service_does_not_begin_it() -> None:
    requests = outcomes((12.9, None), (13.1, "refused"), (13.2, None), (16, None), (17, "reset"))
    found = labs.probes.summarize(run(requests=requests))
    assert (found.failed, found.once_ready, found.last_failed_s) == (2, 1, 16.0)


def test_a_service_without_a_ready_pod_leads_nowhere() -> None:
    endpoints = (EndpointsEvent(5.0, "p", ()), EndpointsEvent(9.0, "p", ("p",)))
    assert labs.probes.summarize(run(endpoints=endpoints)).once_ready == 4 * synthetic.RATE_PER_S
    nobody = labs.probes.summarize(run(ready_s=None))
    assert (nobody.once_ready, nobody.failed) == (0, 20 * synthetic.RATE_PER_S)


def test_the_start_that_the_experiment_found_wins_over_the_one_that_was_seen() -> None:
    marks = (Mark(0.4, "container"), Mark(2.0, "listening"), Mark(11.0, "answering"))
    found = labs.probes.summarize(run(marks=marks))
    assert (found.started_s, found.listening_s, found.answering_s) == pytest.approx(
        (0.4, 1.6, 10.6)
    )
    seen = labs.probes.summarize(run(marks=()))
    assert (seen.started_s, seen.listening_s, seen.answering_s) == (STARTED_S, None, None)
    never = labs.probes.summarize(run(marks=(), pods=()))
    assert (never.started_s, never.ready_s, never.restarts) == (0.0, None, 0)


def killed() -> Run:
    """Return a run whose liveness probe kills twice; its pod is then deleted."""
    words = "Container c failed liveness probe, will be restarted"
    told = [(7.0004, words), (17.0006, words), (19.0, "Stopping container c")]
    events = [ClusterEvent(at_s, "Pod", "p", "Killing", message, 1) for at_s, message in told]
    events.insert(0, ClusterEvent(6.0, "Pod", "p", "Unhealthy", "Liveness probe failed: no", 3))
    pods = [PodEvent(STARTED_S, "p", "u", "started", "receipt")]
    pods += [PodEvent(at_s, "p", "u", "restarted", "receipt") for at_s in (8.0, 18.0)]
    parameters = {"probes": {}, "predicted_ready_s": None, "predicted_kill_s": [5.0, 6.5]}
    changes = {"events": tuple(events), "pods": tuple(pods), "parameters": parameters}
    return run("impatient", ready_s=None, **changes)


def test_only_what_a_probe_kills_is_a_kill() -> None:
    found = labs.probes.summarize(killed())
    assert found.kills_s == pytest.approx((6.0004, 16.0006))
    assert (found.kill_s, found.restarts) == (found.kills_s[0], 2)


def test_the_summary_is_written_to_the_millisecond_with_every_kill() -> None:
    late = run(ready_s=13.0126, requests=outcomes((13.2, None), (14.0004, "reset"), (15, None)))
    told = labs.summarize(Recording("probes", "embedded", "v1.37.0", (late, killed())))
    assert told["variants"]["readiness"] == {
        "predicted_ready_s": [10.0, 14.0],
        "ready_s": 12.013,
        "first_failed_s": 13.0,
        "failed": 1,
        "restarts": 0,
    }
    assert told["variants"]["impatient"]["predicted_ready_s"] is None
    assert told["variants"]["impatient"]["ready_s"] is None
    assert told["kills"] == {
        "readiness": {"predicted_first_s": None, "measured_s": []},
        "impatient": {"predicted_first_s": [5.0, 6.5], "measured_s": [6.0, 16.001]},
    }
    assert told["as_predicted"] is True


def test_variants_are_told_by_what_must_hold_everywhere() -> None:
    story = labs.get("probes").to_story(
        Recording("probes", "embedded", "v1.37.0", (run(), killed(), run("no-probe", 1.0)))
    )
    assert story.verdicts == {
        "readiness.becomes-ready": True,
        "readiness.restarts": 0,
        "readiness.loses-requests-once-ready": False,
        "readiness.answers-without-data": False,
        "readiness.as-predicted": True,
        "readiness.order": "listening < ready",
        "impatient.becomes-ready": False,
        "impatient.restarts": 2,
        "impatient.loses-requests-once-ready": False,
        "impatient.answers-without-data": False,
        "impatient.as-predicted": True,
        "impatient.order": "listening < kill",
        "no-probe.becomes-ready": True,
        "no-probe.restarts": 0,
        "no-probe.loses-requests-once-ready": True,
        "no-probe.answers-without-data": False,
        "no-probe.as-predicted": False,
        "no-probe.order": "ready < listening",
    }


@pytest.mark.parametrize(("ready_s", "kept"), [(9.9, False), (10.0, True), (16.0, True)])
def test_a_second_of_slack_is_left_on_either_side(ready_s: float, kept: bool) -> None:
    assert labs.probes.summarize(run(ready_s=ready_s)).ready_as_predicted == kept


def test_a_kill_that_was_not_foreseen_or_never_came_is_not_as_predicted() -> None:
    unforeseen = replace(killed(), parameters={"predicted_ready_s": None, "predicted_kill_s": None})
    assert not labs.probes.summarize(unforeseen).kill_as_predicted
    spared = replace(killed(), events=())
    assert not labs.probes.summarize(spared).kill_as_predicted


def test_only_variants_with_a_readiness_probe_have_a_time_to_compare() -> None:
    asked = {"probes": {"readiness": {"period_s": 1}}, "predicted_ready_s": [10.0, 14.0]}
    recording = Recording("probes", "embedded", "v1.37.0", (run(parameters=asked), killed()))
    durations = labs.get("probes").to_story(recording).durations_s
    assert durations == pytest.approx({"readiness.ready": 12.0, "impatient.kill": 6.0004})
    bare = run(parameters={"predicted_ready_s": [10.0, 14.0], "probes": {}})
    recording = Recording("probes", "embedded", "v1.37.0", (bare,))
    assert labs.get("probes").to_story(recording).durations_s == {}
