"""Journey of an apply, components, a pod with two containers, a namespace's map: on a live cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8s_helpers import labs
from k8s_helpers._progress import Silent
from k8s_helpers.labs.components.summary import to_story as components_story
from k8s_helpers.labs.journey import passages
from k8s_helpers.labs.journey.summary import STEPS
from k8s_helpers.labs.journey.summary import to_story as journey_story
from k8s_helpers.labs.live_map import ways
from k8s_helpers.labs.shared_pod.summary import to_json as shared_pod_json

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster, Namespace


def test_an_apply_goes_through_all_components_in_their_order(cluster: Cluster) -> None:
    recording = labs.journey.measure(cluster=cluster, progress=Silent())
    assert journey_story(recording).verdicts == {
        "steps": tuple(step.kind for step in STEPS),
        "in-order": True,
    }
    assert all(one.stamp for one in passages(recording.runs[0])[1:-1])


def test_a_healthy_cluster_is_seen_and_a_stopped_scheduler_too(cluster: Cluster) -> None:
    whole = components_story(labs.components.measure(cluster=cluster, progress=Silent()))
    assert whole.verdicts.pop("readyz.failed") == 0
    assert set(whole.verdicts.values()) == {True}
    cluster.provider.stop_component("kube-scheduler")
    try:
        less = components_story(labs.components.measure(cluster=cluster, progress=Silent()))
    finally:
        cluster.provider.start_component("kube-scheduler")
    assert less.verdicts["kube-scheduler.healthy"] is False
    assert less.verdicts["etcd.healthy"] is True


def test_two_containers_share_network_and_volume_alone(cluster: Cluster) -> None:
    found = shared_pod_json(labs.shared_pod.measure(cluster=cluster, progress=Silent()))["shared"]
    assert (found["network"], found["ports"], found["volume"]) == (True, True, True)
    own_files = "namespaces" in cluster.nodes()[0]["status"]["nodeInfo"]["containerRuntimeVersion"]
    if own_files:  # without the kernel's namespaces containers see each other's files and processes
        assert (found["root"], found["processes"]) == (False, False)


def test_the_map_of_a_namespace_says_who_is_reached(cluster: Cluster, namespace: Namespace) -> None:
    recording = labs.live_map.measure(cluster=cluster, progress=Silent())
    assert [(one.request, one.service, len(one.pods)) for one in ways(recording)] == [
        ("mon-app.example.com/", "boutique", 2),
        ("mon-app.example.com/blog", "blog", 1),
        ("mon-app.example.com/archives", "archives", 0),
    ]
    empty = labs.live_map.measure(namespace, cluster=cluster)
    assert ways(empty) == () and empty.runs[0].parameters["pods"] == []
