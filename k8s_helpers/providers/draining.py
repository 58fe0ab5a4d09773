"""Empties a node as `kubectl drain` does: nothing new comes there, and each of its pods is evicted."""

from __future__ import annotations

import time
from typing import Any

from .._api import MERGE_PATCH, ApiSession, ApiStatusError

_POLL_S = 0.1


def drain(api: ApiSession, node: str, timeout_s: float) -> None:
    """Mark a node unschedulable and evict its pods; return once they are gone, or when time is over.

    A PodDisruptionBudget may refuse an eviction (429): it is asked again. Nothing happens where the node is unknown.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
    """
    end_s = time.monotonic() + timeout_s
    path = f"/api/v1/nodes/{node}"
    cordon = {"spec": {"unschedulable": True}}
    if _answered(api, "PATCH", path, body=cordon, content_type=MERGE_PATCH) == 404:
        return
    query = {"fieldSelector": f"spec.nodeName={node}"}
    while time.monotonic() < end_s:
        left = [pod["metadata"] for pod in api.request("GET", "/api/v1/pods", query=query)["items"]]
        if not left:
            return
        for meta in left:
            if "deletionTimestamp" not in meta:
                _evict(api, meta["namespace"], meta["name"])
        time.sleep(_POLL_S)


def _evict(api: ApiSession, namespace: str, name: str) -> None:
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"namespace": namespace, "name": name},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
    _answered(api, "POST", path, body=eviction)


def _answered(api: ApiSession, method: str, path: str, **details: Any) -> int:
    """Send a request; return the status of what it is refused for (gone already, not yet), 200 where it is not."""
    try:
        api.request(method, path, **details)
    except ApiStatusError as error:
        if error.code not in (404, 409, 429):
            raise
        return error.code
    return 200
