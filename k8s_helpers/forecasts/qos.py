"""Which class of quality of service a pod gets from its requests and limits. Pure.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

QosClass = Literal["Guaranteed", "Burstable", "BestEffort"]
_COUNTED = ("cpu", "memory")


def qos_class(pod: Mapping[str, Any]) -> QosClass:
    """Return the class of a pod's manifest: a limit without a request is its request too."""
    containers = pod["spec"]["containers"]
    asked = [_asked(container) for container in containers]
    if not any(requests or limits for requests, limits in asked):
        return "BestEffort"
    guaranteed = all(
        name in limits and requests.get(name) == limits[name]
        for requests, limits in asked
        for name in _COUNTED
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _asked(container: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    resources = container.get("resources") or {}
    limits = {k: str(v) for k, v in (resources.get("limits") or {}).items() if k in _COUNTED}
    requests = {k: str(v) for k, v in (resources.get("requests") or {}).items() if k in _COUNTED}
    return {**limits, **requests}, limits
