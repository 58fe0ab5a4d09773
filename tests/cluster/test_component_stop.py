"""A component of the control plane away for a while, on a live cluster."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from k8s_helpers import labs
from k8s_helpers._progress import Silent
from k8s_helpers.labs.component_stop import summarize as stop_summary

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster
    from k8s_helpers.measure.lane import Lane

module = importlib.import_module("k8s_helpers.labs.component_stop.experiment")


def running(cluster: Cluster, program: str) -> bool:
    return next(one.running for one in cluster.provider.status().components if one.name == program)


def test_each_component_is_missed_in_its_own_way(cluster: Cluster) -> None:
    recording = labs.component_stop.measure(cluster=cluster, stopped_s=2, progress=Silent())
    scheduler, controllers = (stop_summary(run) for run in recording.runs)
    assert (scheduler.pending, scheduler.created, scheduler.failed) == (2, 2, 0)
    assert (controllers.missing, controllers.created) == (1, 0)
    assert controllers.failed > 0  # nobody takes the dead pod's address from the Service
    assert scheduler.caught_up_s is not None and controllers.caught_up_s is not None
    assert all(run.incidents == () for run in recording.runs)


def test_a_component_is_started_again_when_the_student_interrupts(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(lane: Lane) -> None:
        assert not running(cluster, "kube-scheduler")
        raise KeyboardInterrupt

    part = replace(module.PARTS["scheduler"], ask=interrupted)
    monkeypatch.setattr(module, "PARTS", {"scheduler": part})
    with pytest.raises(KeyboardInterrupt):
        labs.component_stop.measure("scheduler", cluster=cluster, progress=Silent())
    assert running(cluster, "kube-scheduler")
