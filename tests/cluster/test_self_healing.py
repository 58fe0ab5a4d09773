"""Gaps between what is wished and what is, on a live cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from k8s_helpers import analysis, labs
from k8s_helpers._errors import UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.labs.self_healing import summarize as healing_summary

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_a_container_restarts_in_place_and_a_pod_is_replaced(cluster: Cluster) -> None:
    recording = labs.self_healing.measure(
        ["container", "pod"], cluster=cluster, replicas=2, progress=Silent()
    )
    container, pod = (healing_summary(run) for run in recording.runs)
    assert (container.same_pod, container.restarts) == (True, 1)
    assert (pod.created, pod.gone, pod.restarts) == (1, 1, 0)
    assert container.recovery_s and pod.recovery_s
    killed, deleted = (run.parameters["pod"] for run in recording.runs)
    assert {life.pod for life in analysis.lives(recording.runs[0])} >= {killed}
    assert [life.pod for life in analysis.lives(recording.runs[1]) if life.gone_s] == [deleted]


def test_an_image_makes_a_replica_set_and_keeps_the_old_one(cluster: Cluster) -> None:
    recording = labs.self_healing.measure(["image"], cluster=cluster, replicas=2, progress=Silent())
    assert healing_summary(recording.runs[0]).replica_sets == ((1, 0), (2, 2))


def test_bad_arguments_are_refused_before_anything_is_made(cluster: Cluster) -> None:
    with pytest.raises(UsageError, match="volcan"):
        labs.self_healing.measure(["volcan"], cluster=cluster)
    with pytest.raises(UsageError, match="50 réplicas"):
        labs.self_healing.measure(cluster=cluster, replicas=50)
