"""The recorder and the experiment on a live cluster."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from k8s_helpers import analysis, labs
from k8s_helpers._errors import WaitTimeoutError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.measure import traffic as load
from k8s_helpers.measure.recorder import Recorder

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster, Namespace

UNSCHEDULED = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "seul", "labels": {"version": "v9"}},
    "spec": {"schedulerName": "personne", "containers": [{"name": "c", "image": "c"}]},
}


def until(condition: object, timeout_s: float = 10.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_a_pod_s_life_marks_and_samples_are_recorded(
    cluster: Cluster, namespace: Namespace
) -> None:
    namespace.apply({**UNSCHEDULED, "metadata": {**UNSCHEDULED["metadata"], "name": "ancien"}})  # type: ignore[dict-item]
    before = threading.active_count()
    with Recorder(
        cluster, namespace, "essai", sample=lambda: [("charge", 1.5, "seul")], sample_period_s=0.1
    ) as recorder:
        until(lambda: recorder.run().pods)
        recorder.mark("apply")
        namespace.apply(UNSCHEDULED)
        namespace.delete_object("pod", "seul", grace_s=0, timeout_s=30)
        until(lambda: any(event.kind == "deleted" for event in recorder.run().pods))
        until(lambda: recorder.run().samples)
    run = recorder.run()
    lives = {life.pod: life for life in analysis.lives(run)}
    assert set(lives) == {"ancien", "seul"}
    mark = run.mark("apply")
    assert mark is not None and lives["seul"].gone_s is not None
    assert mark.at_s <= lives["seul"].created_s < lives["seul"].gone_s <= run.ended_s
    assert lives["seul"].version == "v9"
    assert run.samples[0].name == "charge" and run.samples[0].value == 1.5
    assert run.incidents == ()
    assert threading.active_count() <= before


def test_a_recorder_whose_block_fails_stops_all_the_same(
    cluster: Cluster, namespace: Namespace
) -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Recorder(cluster, namespace, "essai"):
        raise ZeroDivisionError
    assert threading.active_count() <= before


@pytest.mark.quiet
def test_rolling_loses_nothing_and_recreate_loses_some(cluster: Cluster) -> None:
    before = set(cluster.namespaces())
    recording = labs.update.measure(
        ["rolling", "recreate"],
        cluster=cluster,
        replicas=2,
        rate_per_s=30,
        startup_s=1,
        progress=Silent(),
    )
    rolling, recreate = (labs.update.summarize(run) for run in recording.runs)
    assert (rolling.failed, rolling.outage_s, rolling.unsent) == (0, 0, 0)
    assert rolling.mixed_s > 0
    assert rolling.lowest_ready >= 2
    assert recreate.failed > 10
    assert recreate.outage_s > 0.5
    assert recreate.mixed_s == 0
    for run in recording.runs:
        assert {one.version for one in run.requests if one.ok} == {"v1", "v2"}
        assert load.effort(run.requests).lag_p99_s < 0.5
        assert run.endpoints[-1].ready
        assert len(analysis.lives(run)) == 4
    assert recording.runs[0].parameters["max_surge_pods"] == 1
    assert set(cluster.namespaces()) <= before  # those of other tests may end meanwhile


def test_blue_green_switches_and_goes_back_without_a_loss(cluster: Cluster) -> None:
    recording = labs.update.measure(
        ["blue-green"], cluster=cluster, replicas=2, startup_s=0, progress=Silent()
    )
    summary = labs.update.summarize(recording.run("blue-green"))
    assert (summary.failed, summary.peak_pods) == (0, 4)
    assert summary.back_s is not None and summary.back_s < 15
    assert summary.mixed_s < 6


def test_an_update_that_fails_leaves_no_namespace(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "ensure", lambda *_: "nulle-part/vitrine:v0")
    monkeypatch.setattr("k8s_helpers.measure.lane.ROLLOUT_TIMEOUT_S", 3.0)
    before = set(cluster.namespaces())
    with pytest.raises(WaitTimeoutError):
        labs.update.measure(["recreate"], cluster=cluster, progress=Silent())
    assert set(cluster.namespaces()) <= before  # those of other tests may end meanwhile
