"""What a pod says of its containers, for checks: their states, and how one ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def container_statuses(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the status of each container; none before the node has taken the pod."""
    return list(pod.get("status", {}).get("containerStatuses") or ())


def container_runs(pod: Mapping[str, Any]) -> bool:
    """Return whether a container of the pod runs now."""
    return any("running" in one.get("state", {}) for one in container_statuses(pod))


def container_has_ended(status: Mapping[str, Any]) -> bool:
    """Return whether a container has ended, now or before its last restart, from its status."""
    return any("terminated" in status.get(name, {}) for name in ("state", "lastState"))


def container_end(pod: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how a container of the pod has ended, now or before its last restart; None where none has.

    Returns
    -------
    dict or None
        With `reason` ("OOMKilled", "Error", "Completed") and `exitCode`, as the API tells them.
    """
    for one in container_statuses(pod):
        for state in (one.get("state", {}), one.get("lastState", {})):
            if ended := state.get("terminated"):
                return dict(ended)
    return None
