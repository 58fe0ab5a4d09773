"""What the pods of a node use, in the form of the kubelet's `/stats/summary`.

(source: `k8s.io/kubelet/pkg/apis/stats/v1alpha1`)
"""

from __future__ import annotations

import resource
import time
from functools import cache
from pathlib import Path
from typing import Any

from ..cri import Usage
from ..wall import timestamp_micro
from .streams import PodLookup


@cache
def _started_wall_s() -> float:
    return time.time()


def _own_usage() -> Usage:
    """Return what this process itself uses."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Usage(
        time.time(), spent.ru_utime + spent.ru_stime, resident_pages * resource.getpagesize()
    )


def _figures(usage: Usage) -> dict[str, Any]:
    moment = timestamp_micro(usage.wall_s)
    return {
        "cpu": {"time": moment, "usageCoreNanoSeconds": int(usage.cpu_seconds * 1e9)},
        "memory": {"time": moment, "workingSetBytes": usage.memory_bytes},
    }


def summary(node_name: str, pods: PodLookup) -> dict[str, Any]:
    """Return the summary; the node's figures are those of its agent and its containers together."""
    started = timestamp_micro(_started_wall_s())
    by_pod: dict[tuple[str, str], list[dict[str, Any]]] = {}
    own = _own_usage()
    cpu_seconds, memory_bytes = own.cpu_seconds, own.memory_bytes
    for (namespace, pod, name), usage in pods.usage().items():
        container = pods.container(namespace, pod, name)
        if container is None:
            continue
        cpu_seconds += usage.cpu_seconds
        memory_bytes += usage.memory_bytes
        by_pod.setdefault((namespace, pod), []).append(
            {
                "name": name,
                "startTime": timestamp_micro(container.started_wall_s),
                **_figures(usage),
            }
        )
    return {
        "node": {
            "nodeName": node_name,
            "startTime": started,
            **_figures(Usage(own.wall_s, cpu_seconds, memory_bytes)),
            "systemContainers": [{"name": "kubelet", "startTime": started, **_figures(own)}],
        },
        "pods": [_pod(pods, key, containers) for key, containers in sorted(by_pod.items())],
    }


def _pod(pods: PodLookup, key: tuple[str, str], containers: list[dict[str, Any]]) -> dict[str, Any]:
    pod = pods.pod(*key) or {"metadata": {}}
    return {
        "podRef": {
            "namespace": key[0],
            "name": key[1],
            "uid": pod["metadata"].get("uid", ""),
        },
        "containers": containers,
    }
