"""Whether a node takes a pod, where earlier ones may still be on their way out."""

from __future__ import annotations

import time

from ..cluster import Cluster
from ..cluster.conditions import unschedulable
from .bench import Bench

_RETRY_S = 3.0
"""The scheduler tries a pod again a second or two after another made room."""


def wait_placed(bench: Bench, pod: str) -> str:
    """Wait until a node takes a pod; return the scheduler's words where none does.

    Pods of an earlier check that are still on their way out keep their place: they do not count against an answer.
    """
    refused_s = None
    while True:
        found = bench.namespace.get("pod", pod)
        if found["spec"].get("nodeName"):
            return ""
        said = unschedulable(found)
        if not said or _some_leave(bench.cluster):
            refused_s = None
        elif refused_s is None:
            refused_s = time.monotonic()
        elif time.monotonic() - refused_s > _RETRY_S:
            return said
        bench.pause(0.2)


def _some_leave(cluster: Cluster) -> bool:
    if cluster.provider.kind == "existing":
        return False  # others' pods come and go there all day
    pods = cluster.api.request("GET", "/api/v1/pods")["items"]
    return any("deletionTimestamp" in pod["metadata"] for pod in pods)
