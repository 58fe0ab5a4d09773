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

from ...quantities import format_bytes, format_cpu, milli, parse, parse_bytes
from ..records import Object

RESIZABLE = ("cpu", "memory")


@dataclass(frozen=True)
class Limits:
    """What the runtime enforces on one container; None where there is no limit."""

    memory_bytes: int | None
    cpu_cores: float | None


def limits(resources: Object, of_pod: Object | None = None) -> Limits:
    """Return the limits of a container's `resources`; where it has none of a kind, those of the pod as a whole.

    (source: `getMemoryLimit` and `getCPULimit` of `pkg/kubelet/kuberuntime/kuberuntime_container_linux.go`)
    """
    said = {**((of_pod or {}).get("limits") or {}), **(resources.get("limits") or {})}
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


def requested_cores(resources: Object) -> float:
    """Return the processors that a container's `resources` ask for; a limit stands for a request that is missing."""
    return float(_request({"resources": resources}, "cpu"))


def _request(container: Object, resource: str) -> Fraction:
    resources = container.get("resources") or {}
    said = (resources.get("requests") or {}).get(resource)
    if said is None:
        said = (resources.get("limits") or {}).get(resource)
    return parse(said) if said is not None else Fraction(0)


@dataclass(frozen=True)
class ResizeRefusal:
    """Why a resize cannot be done now."""

    reason: Literal["Infeasible", "Deferred"]
    message: str


def refusal_of_resize(
    pod: Object, others: Iterable[Object], allocatable: Mapping[str, str]
) -> ResizeRefusal | None:
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
            return ResizeRefusal(
                "Infeasible",
                f"Node didn't have enough capacity: {resource}, requested: {wanted}, capacity: {capacity}",
            )
        used = sum(_counted(requested(other, resource), resource) for other in others)
        if wanted + used > capacity and shortage is None:
            shortage = (
                f"Node didn't have enough resource: {resource}, requested: {wanted}, "
                f"used: {used}, capacity: {capacity}"
            )
    return None if shortage is None else ResizeRefusal("Deferred", shortage)


@dataclass(frozen=True)
class MemoryUse:
    """A running container's memory: its limits before and after a resize (None without one), and what it uses."""

    container: str
    before_bytes: int | None
    after_bytes: int | None
    used_bytes: int


def refusal_of_decrease(
    of_pod: tuple[int | None, int | None], uses: Iterable[MemoryUse]
) -> str | None:
    """Return why memory limits cannot be lowered now: more than that is in use; None where they can.

    Parameters
    ----------
    of_pod : tuple of int or None
        The limit of the pod as a whole, before and after.
    uses : iterable of MemoryUse
        Its running containers. What is in use is the pod's, in the message of each container too, as upstream has it.
    """
    uses = list(uses)
    used = sum(use.used_bytes for use in uses)
    errors = []
    if _decreases(*of_pod) and used >= (of_pod[1] or 0):
        errors.append(
            f"attempting to set pod memory limit ({of_pod[1]}) below current usage ({used})"
        )
    errors += [
        f'attempting to set container "{use.container}" memory limit ({use.after_bytes}) '
        f"below current usage ({used})"
        for use in uses
        if _decreases(use.before_bytes, use.after_bytes)
        and use.used_bytes >= (use.after_bytes or 0)
    ]
    if not errors:
        return None
    words = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
    return f"cannot decrease memory limits: {words}"


def _decreases(before: int | None, after: int | None) -> bool:
    return after is not None and (before is None or after < before)


def memory_limit_of_pod(pod_resources: Object, containers: Iterable[Object]) -> int | None:
    """Return the memory limit of a pod as a whole: its own, or the sum of its containers' if each has one."""
    own = limits(pod_resources).memory_bytes
    if own is not None:
        return own
    sizes = [limits(resources).memory_bytes for resources in containers]
    known = [size for size in sizes if size is not None]
    return sum(known) if known and len(known) == len(sizes) else None


def whole(pod: Object) -> Object:
    """Return the resources of a pod as a whole: its own, or those that its containers come to.

    A limit of the whole is there where each container has one.
    """
    spec = pod["spec"]
    own = spec.get("resources") or {}
    mains = [container.get("resources") or {} for container in spec.get("containers") or ()]
    inits = [container.get("resources") or {} for container in spec.get("initContainers") or ()]
    asked = {
        name: requested(pod, name)
        for resources in (own, *mains, *inits)
        for name in resources.get("requests") or ()
    }
    totals: Object = {
        "requests": {name: _written(name, value) for name, value in sorted(asked.items())},
        "limits": dict(own.get("limits") or {}),
    }
    for name in RESIZABLE:
        said = [
            resources["limits"][name]
            for resources in mains
            if name in (resources.get("limits") or {})
        ]
        if name not in totals["limits"] and said and len(said) == len(mains):
            total = sum(map(parse, said), Fraction(0))
            totals["limits"][name] = _written(name, total)
    return {kind: values for kind, values in totals.items() if values}


def _written(name: str, value: Fraction) -> str:
    return format_cpu(value) if name == "cpu" else format_bytes(math.ceil(value))


def _counted(value: Fraction, resource: str) -> int:
    return milli(value) if resource == "cpu" else math.ceil(value)


def shortage_at_admission(
    pod: Object, others: Iterable[Object], allocatable: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return reason and message where a pod that was bound to this node does not fit (`OutOfcpu`)."""
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
        policy["resourceName"]: policy["restartPolicy"]
        for policy in container.get("resizePolicy") or ()
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
                {"name": container["name"], "resources": container.get("resources") or {}}
                for container in spec[key]
            ]
    said["generation"] = pod["metadata"].get("generation", 1)
    if error:
        said["error"] = error
    return f"{prefix}: {json.dumps(said, separators=(',', ':'))}"
