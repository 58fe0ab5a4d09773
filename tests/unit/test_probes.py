"""One variant of probes: what its run says beside what was foreseen, and its chart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import synthetic

from k8s_helpers import charts, timeline
from k8s_helpers._errors import RecordingError
from k8s_helpers.charts import probe_words
from k8s_helpers.experiments import probe_log
from k8s_helpers.forecasts.probe_spec import probes_of
from k8s_helpers.forecasts.probes import Forecast
from k8s_helpers.forecasts.span import Span
from k8s_helpers.recorder import Clock
from k8s_helpers.recording import (
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
    found = timeline.probes_summary(run())
    assert (found.ready_s, found.listening_s, found.restarts) == (12.0, 1.0, 0)
    assert found.ready_as_predicted and found.kill_as_predicted
    assert (found.failed, found.first_failed_s) == (0, None)
    assert found.waiting == 13 * synthetic.RATE_PER_S


def test_an_instant_outside_its_interval_is_not_as_predicted() -> None:
    late = timeline.probes_summary(run(ready_s=16.5))
    assert not late.ready_as_predicted
    assert timeline.probes_summary(run(ready_s=15.5)).ready_as_predicted  # a second of slack
    never = timeline.probes_summary(run(ready_s=None))
    assert never.ready_s is None and not never.ready_as_predicted


def test_a_pod_that_passes_for_ready_before_it_answers_loses_requests() -> None:
    found = timeline.probes_summary(run("no-probe", ready_s=1.0))
    assert found.waiting == 1 * synthetic.RATE_PER_S
    assert found.failed == 10 * synthetic.RATE_PER_S
    assert found.first_failed_s == pytest.approx(0.0)
    assert found.last_failed_s == pytest.approx(10.0, abs=0.1)


def test_a_kill_is_told_by_the_kubelet_s_event() -> None:
    killing = ClusterEvent(7.0, "Pod", "p", "Killing", "Container c failed liveness probe", 1)
    parameters = {"probes": {}, "predicted_ready_s": None, "predicted_kill_s": [5.0, 6.5]}
    found = timeline.probes_summary(
        run("impatient", ready_s=None, events=(killing,), parameters=parameters)
    )
    assert found.kills_s == (6.0,)
    assert found.kill_as_predicted and found.ready_as_predicted
    early = {**parameters, "predicted_kill_s": [8.0, 9.0]}
    assert not timeline.probes_summary(
        run("impatient", ready_s=None, events=(killing,), parameters=early)
    ).kill_as_predicted


def test_the_summary_has_the_contract_s_fields() -> None:
    recording = Recording("probes", "embedded", "v1.37.0", (run(), run("no-probe", 1.0)))
    told = timeline.summary_json(recording)
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
    figure = charts.probes(
        Recording("probes", "embedded", "v1.37.0", (run(probes=results), run("no-probe", 1.0)))
    )
    assert len(figure.axes) == 2
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "clients",
        "conteneur",
        "readiness",
    ]
    assert "Ready à 12" in figure.alternative
    assert "500\xa0requêtes perdues" in figure.alternative
    with pytest.raises(RecordingError):
        charts.probes(Recording("probes", "embedded", "v1.37.0", ()))


def test_the_tables_put_what_was_foreseen_beside_what_was_measured() -> None:
    killed = run("impatient", None, parameters={"predicted_kill_s": [20.0, 26.0]})
    table = charts.probes_table(Recording("probes", "embedded", "v1.37.0", (run(), killed)))
    assert table.header[1:5] == ("Ready prévu", "mesuré", "premier arrêt prévu", "mesuré")
    ready, never = (row[1:5] for row in table.rows)
    assert ready == ("entre 10 et 14\u00a0s", "12\u00a0s", "jamais", "jamais")
    assert never == ("jamais", "jamais", "entre 20 et 26\u00a0s", "jamais")
    foreseen = charts.probes_forecast(
        {
            "no-probe": Forecast(Span(0, 1), (), False, None, ()),
            "perhaps": Forecast(Span(0, 1), (Span(3, 9),), False, "liveness", ()),
        }
    )
    assert foreseen.rows[0] == ("Sans sonde", "entre 0 et 1\u00a0s", "jamais")
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
    assert "jamais Ready" in over and "jamais personne derrière le Service" in over
    middle = replace(waiting, parameters={**waiting.parameters, "going_on": True})
    assert timeline.probes_summary(middle).failed == 0
    told = probe_words.sentence(middle)
    assert "jamais" not in told and "perdue" not in told
    assert "pas encore Ready" in told and "encore personne derrière le Service" in told
