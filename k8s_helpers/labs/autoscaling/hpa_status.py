"""What a HorizontalPodAutoscaler says of itself in its status. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...measure.recorder import Reading
from .codes import Metric


def condition(hpa: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a condition of an autoscaler ("AbleToScale", "ScalingActive", "ScalingLimited"); empty without it."""
    conditions = hpa.get("status", {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == kind), {})


def complaint(hpa: Mapping[str, Any]) -> str:
    """Return why an autoscaler does not work; "" where it does."""
    active = condition(hpa, "ScalingActive")
    if active.get("status") == "False":
        return f"{active.get('reason', '')} : {active.get('message', '')}"
    return ""


def percent(hpa: Mapping[str, Any]) -> int | None:
    """Return the CPU utilisation that an autoscaler saw last, in percent of the requests; None where it sees none."""
    for metric in hpa.get("status", {}).get("currentMetrics") or ():
        seen = metric.get("resource", {}).get("current", {}).get("averageUtilization")
        if seen is not None:
            return int(seen)
    return None


def too_many(hpa: Mapping[str, Any]) -> bool:
    """Return whether there are, or shall be, more pods than `minReplicas`."""
    status = hpa.get("status", {})
    low = hpa["spec"].get("minReplicas", 1)
    return bool(status.get("currentReplicas") != low or status.get("desiredReplicas") != low)


def readings(hpa: Mapping[str, Any]) -> Iterator[Reading]:
    """Yield what an autoscaler says of itself as samples."""
    status, name = hpa.get("status", {}), hpa["metadata"]["name"]
    for metric, key in (
        (Metric.CURRENT, "currentReplicas"),
        (Metric.DESIRED, "desiredReplicas"),
    ):
        if key in status:
            yield metric, float(status[key]), name
    if (seen := percent(hpa)) is not None:
        yield Metric.PERCENT, float(seen), name
