"""What a HorizontalPodAutoscaler says of itself in its status. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..recorder import Reading


def percent(hpa: Mapping[str, Any]) -> int | None:
    """Return the CPU utilisation that an autoscaler saw last, in percent of the requests; None where it sees none."""
    for metric in hpa.get("status", {}).get("currentMetrics") or ():
        found = metric.get("resource", {}).get("current", {}).get("averageUtilization")
        if found is not None:
            return int(found)
    return None


def too_many(hpa: Mapping[str, Any]) -> bool:
    """Return whether there are, or shall be, more pods than `minReplicas`."""
    status = hpa.get("status", {})
    low = hpa["spec"].get("minReplicas", 1)
    return bool(status.get("currentReplicas") != low or status.get("desiredReplicas") != low)


def _conditions(hpa: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {one["type"]: one for one in hpa.get("status", {}).get("conditions") or ()}


def complaint(hpa: Mapping[str, Any]) -> str:
    """Return why an autoscaler does not work; "" where it does."""
    found = _conditions(hpa).get("ScalingActive", {})
    if found.get("status") == "False":
        return f"{found.get('reason', '')} : {found.get('message', '')}"
    return ""


def readings(hpa: Mapping[str, Any]) -> Iterator[Reading]:
    """Yield what an autoscaler says of itself as samples."""
    status = hpa.get("status", {})
    for name, key in (("hpa_current", "currentReplicas"), ("hpa_desired", "desiredReplicas")):
        if key in status:
            yield name, float(status[key]), hpa["metadata"]["name"]
    if (seen := percent(hpa)) is not None:
        yield "hpa_percent", float(seen), hpa["metadata"]["name"]
