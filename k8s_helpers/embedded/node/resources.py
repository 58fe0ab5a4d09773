"""What containers ask for and may use, and whether a resize in place can be done. Pure.

(source: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/,
`pkg/kubelet/allocation`, `k8s.io/component-helpers/resource`)
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from .quantities import milli, parse, parse_bytes
from .records import Object

RESIZABLE = ("cpu", "memory")


@dataclass(frozen=True)
class Limits:
    """What the runtime enforces on one container; None where there is no limit."""

    memory_bytes: int | None
    cpu_cores: float | None


def limits(resources: Object) -> Limits:
    """Return the limits of a container's `resources`."""
    said = resources.get("limits") or {}
    memory = parse_bytes(said["memory"]) if "memory" in said else None
    return Limits(memory or None, (float(parse(said["cpu"])) or None) if "cpu" in said else None)


def field_value(reference: Object, resources: Object, allocatable: Mapping[str, str]) -> str:
    """Return what a `resourceFieldRef` stands for.

    Parameters
    ----------
    reference : dict
        `resource` (`limits.cpu`, `requests.memory` …) and `divisor`.
    resources : dict
        The container's.
    allocatable : mapping
        The node's, which stands for a limit that is not set.

    Raises
    ------
    ValueError
        No such field.
    """
    kind, _, name = reference["resource"].partition(".")
    if kind not in ("limits", "requests") or not name:
        raise ValueError(f"unsupported container resource : {reference['resource']}")
    said = (resources.get(kind) or {}).get(name)
    if said is None and kind == "limits":
        said = allocatable.get(name)
    value = parse(said) if said is not None else Fraction(0)
    divisor = parse(str(reference.get("divisor") or "1")) or Fraction(1)
    if name == "cpu":
        return str(math.ceil(Fraction(milli(value), milli(divisor))))
    return str(math.ceil(value / divisor))


def requested(pod: Object, resource: str) -> Fraction:
    """Return what a pod asks of its node: its containers' sum, or its largest init container's if that is more."""
    spec = pod["spec"]
    total, sidecars, largest = Fraction(0), Fraction(0), Fraction(0)
    for container in spec.get("initContainers") or ():
        asks = _request(container, resource)
        if container.get("restartPolicy") == "Always":
            sidecars += asks
            largest = max(largest, sidecars)
        else:
            largest = max(largest, sidecars + asks)
    for container in spec.get("containers") or ():
        total += _request(container, resource)
    whole = ((spec.get("resources") or {}).get("requests") or {}).get(resource)
    asked = parse(whole) if whole is not None else max(total + sidecars, largest)
    return asked + parse((spec.get("overhead") or {}).get(resource, "0"))


def _request(container: Object, resource: str) -> Fraction:
    resources = container.get("resources") or {}
    said = (resources.get("requests") or {}).get(resource)
    if said is None:
        said = (resources.get("limits") or {}).get(resource)
    return parse(said) if said is not None else Fraction(0)


@dataclass(frozen=True)
class Refusal:
    """Why a resize cannot be done now."""

    reason: Literal["Infeasible", "Deferred"]
    message: str


def refusal_of_resize(
    pod: Object, others: Iterable[Object], allocatable: Mapping[str, str]
) -> Refusal | None:
    """Return why the resources that a pod asks for now do not fit this node; None where they do.

    Parameters
    ----------
    pod : dict
        With the resources wanted.
    others : iterable of dict
        The other pods of the node that are not over.
    allocatable : mapping
        The node's.
    """
    others = list(others)
    shortage = None
    for resource in RESIZABLE:
        wanted = _counted(requested(pod, resource), resource)
        capacity = _counted(parse(allocatable[resource]), resource)
        if wanted > capacity:
            return Refusal(
                "Infeasible",
                f"Node didn't have enough capacity: {resource}, requested: {wanted}, capacity: {capacity}",
            )
        used = sum(_counted(requested(other, resource), resource) for other in others)
        if wanted + used > capacity and shortage is None:
            shortage = (
                f"Node didn't have enough resource: {resource}, requested: {wanted}, "
                f"used: {used}, capacity: {capacity}"
            )
    return None if shortage is None else Refusal("Deferred", shortage)


def _counted(value: Fraction, resource: str) -> int:
    return milli(value) if resource == "cpu" else math.ceil(value)


def shortage_at_admission(
    pod: Object, others: Iterable[Object], allocatable: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return reason and message where a pod that was bound to this node does not fit (`OutOfcpu`).

    The scheduler sees to it that this does not happen; `spec.nodeName` set by hand goes round it.
    """
    others = list(others)
    for resource in RESIZABLE:
        wanted = _counted(requested(pod, resource), resource)
        capacity = _counted(parse(allocatable[resource]), resource)
        used = sum(_counted(requested(other, resource), resource) for other in others)
        if wanted and wanted + used > capacity:
            return (
                f"OutOf{resource}",
                f"Node didn't have enough resource: {resource}, requested: {wanted}, "
                f"used: {used}, capacity: {capacity}",
            )
    return None


def must_restart(container: Object, old: Object, new: Object) -> bool:
    """Return whether a container's `resizePolicy` asks for a restart where its resources change so."""
    policies = {
        one["resourceName"]: one["restartPolicy"] for one in container.get("resizePolicy") or ()
    }
    return any(
        policies.get(resource) == "RestartContainer"
        and any(
            (old.get(kind) or {}).get(resource) != (new.get(kind) or {}).get(resource)
            for kind in ("limits", "requests")
        )
        for resource in RESIZABLE
    )


def resize_message(prefix: str, pod: Object, error: str = "") -> str:
    """Return the message of a resize event: words, then the resources wanted as JSON."""
    spec = pod["spec"]
    said: Object = {}
    for key in ("initContainers", "containers"):
        if spec.get(key):
            said[key] = [
                {"name": one["name"], "resources": one.get("resources") or {}} for one in spec[key]
            ]
    said["generation"] = pod["metadata"].get("generation", 1)
    if error:
        said["error"] = error
    return f"{prefix}: {json.dumps(said, separators=(',', ':'))}"
