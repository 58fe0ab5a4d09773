"""What the cluster is made of, and how each part is now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ..._errors import K8sHelpersError
from ..._interruption import stoppable
from ..._progress import Progress, reporting
from ...cluster import Cluster, current_cluster
from ...cluster.conditions import ready
from ...measure.measure import snapshot
from ...measure.recording import Recording
from .lab import LAB
from .summary import ClusterParts, NodeFacts

PLANE = ("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager")
_CHECK = re.compile(r"^\[([+-])\](\S+)", re.MULTILINE)


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Look at the cluster's parts: the control plane's programs, each node with what runs on it, the add-ons.

    A part's health is what its supervisor says (embedded), what its pod's condition says (kind), and what the API
    server's own `/readyz` says of itself and of etcd.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told what is done; otherwise what fits (notebook, terminal, log).
    """
    cluster = cluster or current_cluster()
    LAB.require(cluster)
    with reporting(progress) as reporter:
        reporter.step("Lecture des composants du cluster")
        return snapshot("components", cluster, asdict(_read(cluster)))


def _read(cluster: Cluster) -> ClusterParts:
    checks = {name: sign == "+" for sign, name in _CHECK.findall(_readyz(cluster))}
    pods = cluster.api.request("GET", "/api/v1/namespaces/kube-system/pods")["items"]
    supervised = cluster.provider.status().components
    health = _of_pods(pods) | {component.name: component.running for component in supervised}
    if "etcd" in checks:
        health["etcd"] = checks["etcd"] and health.get("etcd", True)
    health["kube-apiserver"] = bool(checks) and all(checks.values())
    return ClusterParts(
        plane={name: health.get(name) for name in PLANE},
        addons={name: up for name, up in _of_pods(pods).items() if name not in PLANE},
        nodes=list(map(_node, cluster.nodes())),
        checks=len(checks),
        failed_checks=[name for name, up in checks.items() if not up],
    )


def _readyz(cluster: Cluster) -> str:
    try:
        return cluster.api.text("/readyz?verbose=")
    except K8sHelpersError:
        return ""


def _of_pods(pods: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    """Return whether all pods of each part in kube-system are ready, by its label or its owner's name."""
    parts: dict[str, bool] = {}
    for pod in pods:
        labels = pod["metadata"].get("labels", {})
        name = labels.get("component") or labels.get("k8s-app") or pod["metadata"]["name"]
        parts[name] = parts.get(name, True) and ready(dict(pod))
    return parts


def _node(node: Mapping[str, Any]) -> NodeFacts:
    info = node["status"]["nodeInfo"]
    return NodeFacts(
        name=node["metadata"]["name"],
        ready=ready(dict(node)),
        kubelet=info["kubeletVersion"],
        runtime=info["containerRuntimeVersion"],
        kernel=info["kernelVersion"],
    )
