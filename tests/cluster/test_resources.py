"""Requests, limits and quotas on a live cluster: classes read, Pending explained, refusals in the API's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8s_helpers import labs
from k8s_helpers._progress import Silent

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_the_classes_are_those_that_the_manifests_make_expect(cluster: Cluster) -> None:
    recording = labs.qos.measure(cluster=cluster, progress=Silent())
    pods = labs.summarize(recording)["pods"]
    assert pods["diapositive"]["found"] == "Burstable"
    assert pods["limits-seules"]["found"] == "Guaranteed"
    assert pods["rien"]["found"] == "BestEffort"
    assert {name: pod["expected"] for name, pod in pods.items()} == {
        name: pod["found"] for name, pod in pods.items()
    }
    assert len(labs.qos.tabulate(recording).rows) == len(pods) == 6


def test_too_large_a_request_waits_with_the_schedulers_reason(cluster: Cluster) -> None:
    recording = labs.pending.measure(cluster=cluster, progress=Silent())
    story = labs.get("pending").to_story(recording)
    assert story.verdicts["trop-de-cpu.state"] == "Pending"
    assert story.verdicts["trop-de-cpu.lacks"] == ["cpu"]
    assert story.verdicts["trop-de-memoire.lacks"] == ["memory"]
    assert story.verdicts["raisonnable.state"] == "Bound"
    assert "Insufficient cpu" in str(labs.tabulate(recording))


def test_the_fifth_pod_does_not_fit_and_a_limit_range_fills_what_is_not_said(
    cluster: Cluster,
) -> None:
    before = set(cluster.namespaces())
    recording = labs.quota.measure(cluster=cluster, progress=Silent())
    runs = labs.summarize(recording)["runs"]
    assert [step["accepted"] for step in runs["quota"]] == [True] * 4 + [False]
    assert "exceeded quota: my-resource-quota" in runs["quota"][4]["message"]
    assert [step["accepted"] for step in runs["sans-requests"]] == [False]
    assert "must specify limits.cpu" in runs["sans-requests"][0]["message"]
    assert [step["accepted"] for step in runs["limitrange"]] == [True, False]
    assert "maximum cpu usage per Container is 1" in runs["limitrange"][1]["message"]
    (muet, _) = recording.run("limitrange").parameters["steps"]
    assert muet["given"]["requests"] == {"cpu": "100m", "memory": "128Mi"}
    assert "4 pods acceptés, pod-5 refusé" in labs.draw(recording).alternative
    assert set(cluster.namespaces()) <= before
