"""Who answers behind a Service, on a live cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8s_helpers import experiments
from k8s_helpers._progress import Silent
from k8s_helpers.timeline.balancing import balancing_story

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_connections_are_spread_at_random_and_a_kept_one_is_not(cluster: Cluster) -> None:
    story = balancing_story(
        experiments.balancing(
            cluster=cluster, replicas=2, rate_per_s=30, duration_s=4, progress=Silent()
        )
    )
    assert story.verdicts == {
        "nouvelles connexions : pods qui répondent": 2,
        "nouvelles connexions : au hasard": True,
        "nouvelles connexions : à tour de rôle": False,
        "connexion gardée : un pod répond à presque tout": True,
        "pod supprimé : quitte les endpoints": True,
        "pod supprimé : adresses inchangées": True,
        "pod supprimé : perd des requêtes": False,
        "ClusterIP : reçoit": ("cluster_ip",),
        "NodePort : reçoit": ("cluster_ip", "node_port"),
        "LoadBalancer : reçoit": ("cluster_ip", "node_port"),
        "ExternalName : reçoit": ("alias",),
    }
