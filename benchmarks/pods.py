"""How quick pods are on the embedded cluster, and what the cluster takes of the machine meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator

from k8s_helpers.cluster import Cluster

from . import processes
from .harness import (
    PODS,
    Sightings,
    at_most,
    at_once,
    cluster_of,
    create_pod,
    delete_all,
    is_ready,
    median_of,
    pause_image,
    pod_spec,
)
from .row import Row

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SETTLE_S = 10.0


def measure() -> Iterator[Row]:
    """Measure one embedded cluster from idle to fifty pods."""
    with cluster_of("embedded") as cluster:
        image = pause_image(cluster)
        create_pod(cluster, "warm-up", image)
        delete_all(cluster, PODS)
        time.sleep(SETTLE_S)
        yield at_most(
            "control plane memory, idle",
            processes.resident_mb(processes.control_plane()),
            "MB",
            460,
        )
        numbers = iter(range(10_000))
        one_s = median_of(15, lambda: ready_s(cluster, image, 1, next(numbers)))
        yield at_most("create → Ready, one pod, no probe, API", one_s * 1000, "ms", 50)
        many_s = median_of(5, lambda: ready_s(cluster, image, 20, next(numbers)))
        yield at_most("20 pods at once → all Ready", many_s, "s", 0.5)
        yield at_most("50 Deployments → all available", deployments_s(cluster, image), "s", 8)
        time.sleep(SETTLE_S)
        yield at_most(
            "control plane memory, 50 pods",
            processes.resident_mb(processes.control_plane()),
            "MB",
            500,
        )
        node = processes.node_with_helpers()
        yield at_most(
            "node's memory (agent and its spawner), 50 pods",
            processes.proportional_mb(node),
            "MB",
            60,
        )
        yield at_most("node's own CPU, 50 idle pods", processes.cpu_percent(node), "%", 3)


def ready_s(cluster: Cluster, image: str, count: int, series: int) -> float:
    """Return the time from the first POST until the last of `count` pods was seen Ready; deletes them."""
    names = [f"pod-{series}-{index}" for index in range(count)]
    with Sightings(cluster, PODS, is_ready) as seen:
        time.sleep(0.3)  # the watch must stand before the pods come
        began_s = at_once(lambda name: create_pod(cluster, name, image), names)
        took_s = seen.wait(names) - began_s
    delete_all(cluster, PODS)
    return took_s


def deployments_s(cluster: Cluster, image: str) -> float:
    """Return the time from the first POST until fifty Deployments of one replica were seen available; leaves them."""
    names = [f"deployment-{index}" for index in range(50)]

    def create(name: str) -> None:
        labels = {"app": name}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod_spec(image)},
            },
        }
        cluster.api.request("POST", DEPLOYMENTS, body=body)

    def is_available(deployment: dict[str, object]) -> bool:
        status = deployment.get("status")
        return isinstance(status, dict) and status.get("availableReplicas") == 1

    with Sightings(cluster, DEPLOYMENTS, is_available) as seen:
        time.sleep(0.3)
        began_s = at_once(create, names)
        return seen.wait(names) - began_s
