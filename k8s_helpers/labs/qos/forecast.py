"""Which class of quality of service a pod gets from its requests and limits. Pure.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/, `ComputePodQOS` in
kubernetes/pkg/apis/core/v1/helper/qos/qos.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

QosClass = Literal["Guaranteed", "Burstable", "BestEffort"]
_COUNTED = ("cpu", "memory")


def qos_class(pod: Mapping[str, Any]) -> QosClass:
    """Return the class of a pod's manifest: a limit without a request is its request too."""
    spec = pod["spec"]
    containers = [*spec["containers"], *(spec.get("initContainers") or ())]
    whole = spec.get("resources")  # of the pod itself: those of its containers do not count then
    asked = [_asked(whole)] if whole else [_asked(one.get("resources")) for one in containers]
    if not any(requests for requests, _ in asked):
        return "BestEffort"
    guaranteed = all(
        name in limits and requests.get(name) == limits[name]
        for requests, limits in asked
        for name in _COUNTED
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _asked(resources: Mapping[str, Any] | None) -> tuple[dict[str, str], dict[str, str]]:
    limits, requests = (
        {k: str(v) for k, v in ((resources or {}).get(field) or {}).items() if k in _COUNTED}
        for field in ("limits", "requests")
    )
    return {**limits, **requests}, limits
