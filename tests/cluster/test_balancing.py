"""Who answers behind a Service, on a live cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8s_helpers import labs
from k8s_helpers._progress import Silent
from k8s_helpers.labs.balancing.summary import to_story as balancing_story

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_connections_are_spread_at_random_and_a_kept_one_is_not(cluster: Cluster) -> None:
    story = balancing_story(
        labs.balancing.measure(
            cluster=cluster, replicas=2, rate_per_s=30, duration_s=4, progress=Silent()
        )
    )
    assert story.verdicts == {
        "new-connections.answering-pods": 2,
        "new-connections.random": True,
        "new-connections.in-turn": False,
        "keep-alive.one-pod": True,
        "pod-dies.leaves-endpoints": True,
        "pod-dies.same-addresses": True,
        "pod-dies.loses-requests": False,
        "types.ClusterIP": ("cluster_ip",),
        "types.NodePort": ("cluster_ip", "node_port"),
        "types.LoadBalancer": ("cluster_ip", "node_port"),
        "types.ExternalName": ("alias",),
    }
