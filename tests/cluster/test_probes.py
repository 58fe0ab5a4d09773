"""The slow program under several probes, on a live cluster; its stand-in, as Java's own tests are elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.forecasts.span import SLACK_S
from k8s_helpers.labs.broken_probes import summarize as break_summary
from k8s_helpers.labs.probe_kinds import summarize as kind_summaries
from k8s_helpers.labs.probes.codes import Loss
from k8s_helpers.labs.slow_update import summarize as slow_update_summary

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster

WRONG_PORT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: perdue}
spec:
  selector: {matchLabels: {app: perdue}}
  template:
    metadata: {labels: {app: perdue}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: lente
          image: demarrage_lent:v1
          readinessProbe: {httpGet: {path: /actuator/health/readiness, port: 9999}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: perdue}
spec: {type: NodePort, selector: {app: perdue}, ports: [{port: 80, targetPort: 8080}]}
"""


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_SPRING", "standin")


@pytest.mark.quiet
def test_readiness_keeps_clients_away_until_the_program_answers(cluster: Cluster) -> None:
    recording = labs.probes.measure(
        ["no-probe", "readiness"], delay_s=6, cluster=cluster, progress=Silent()
    )
    without, readiness = (labs.probes.summarize(run) for run in recording.runs)
    assert without.ready_s is not None and without.answering_s is not None
    assert without.ready_s < without.answering_s and without.failed > 0
    assert readiness.ready_s is not None and readiness.answering_s is not None
    assert readiness.ready_s >= readiness.answering_s - SLACK_S
    assert set(readiness.losses) == {Loss.SILENCE} and readiness.once_ready == 0
    assert set(without.losses) > {Loss.SILENCE} and without.once_ready > 0
    assert any(one.ok for one in recording.run("readiness").probes)
    assert recording.runs[0].parameters["stand_in"]


def test_what_must_come_is_told_before_anything_is_started(cluster: Cluster) -> None:
    table = labs.probes.foresee(
        {"perdue": WRONG_PORT}, delay_s=6, cluster=cluster, progress=Silent()
    )
    assert table.rows == (("perdue", "jamais", "jamais"),)
    slow, slower = (
        labs.probes.foresee(["slide"], delay_s=at_s, cluster=cluster, progress=Silent())
        for at_s in (6, 60)
    )
    assert slow.rows[0][1] != slower.rows[0][1]


def test_a_probe_on_a_wrong_port_ends_in_time_and_says_why(cluster: Cluster) -> None:
    recording = labs.probes.measure(
        {"perdue": WRONG_PORT}, delay_s=2, cluster=cluster, progress=Silent()
    )
    (run,) = recording.runs
    assert labs.probes.summarize(run).ready_s is None
    assert any(not one.ok and one.probe == "readiness" for one in run.probes)


@pytest.mark.parametrize(
    ("variants", "delay_s", "told"), [(["volcan"], 6, "volcan"), (["slide"], 1, "1 s")]
)
def test_what_makes_no_sense_is_refused(
    cluster: Cluster, variants: list[str], delay_s: float, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        labs.probes.measure(variants, delay_s=delay_s, cluster=cluster, progress=Silent())


def test_a_broken_readiness_leaves_the_service_and_a_broken_liveness_restarts(
    cluster: Cluster,
) -> None:
    recording = labs.broken_probes.measure(cluster=cluster, progress=Silent())
    readiness, liveness = (break_summary(run) for run in recording.runs)
    assert (readiness.restarts, liveness.restarts) == (0, 1)
    for found in (readiness, liveness):
        assert found.left_s is not None and found.back_s is not None
        assert found.left_s < found.back_s
        assert found.decided_s is not None and found.decided_s >= found.predicted.lo_s - SLACK_S
    with pytest.raises(UsageError):
        labs.broken_probes.measure(["startup"], cluster=cluster)


def test_each_kind_of_probe_sees_what_it_asks_and_nothing_else(cluster: Cluster) -> None:
    recording = labs.probe_kinds.measure(cluster=cluster, progress=Silent())
    found = {one.kind: one for one in kind_summaries(recording.runs[0])}
    sees = {kind: one.sees_the_program for kind, one in found.items()}
    assert sees == {"http": True, "tcp": False, "exec": False, "grpc": True}
    for one in found.values():
        assert one.passed and one.restarts == 1 and one.said
        assert one.order == ["left", "killed", "back"]
        assert one.unready_s is not None
        assert one.unready_s >= one.predicted_unready.lo_s - SLACK_S
    with pytest.raises(UsageError, match="icmp"):
        labs.probe_kinds.measure(["icmp"], cluster=cluster)


@pytest.mark.quiet
def test_an_update_without_readiness_is_over_before_its_errors_are(cluster: Cluster) -> None:
    recording = labs.slow_update.measure(delay_s=6, cluster=cluster, progress=Silent())
    without, readiness = (slow_update_summary(run) for run in recording.runs)
    assert without.update.failed > 0 and without.after_s > 1
    assert readiness.update.failed == 0
    assert readiness.update.duration_s is not None and without.update.duration_s is not None
    assert readiness.update.duration_s >= readiness.predicted_duration.lo_s - SLACK_S
    assert without.update.duration_s < readiness.update.duration_s
    with pytest.raises(UsageError, match="liveness"):
        labs.slow_update.measure(["liveness"], cluster=cluster)
