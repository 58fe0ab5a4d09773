"""What the objects of an answer ask for, and what its pods say of their containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Objects = tuple[dict[str, Any], ...]

WITH_PODS = ("Deployment", "Pod", "ReplicaSet", "StatefulSet")
"""The kinds that describe pods."""


def only(objects: Objects, kind: str) -> dict[str, Any] | None:
    """Return the one object of a kind; None where there is none, or more than one."""
    of_kind = [item for item in objects if item["kind"] == kind]
    return of_kind[0] if len(of_kind) == 1 else None


def replicas(item: Mapping[str, Any]) -> object:
    """Return what a Deployment or a StatefulSet writes as its number of replicas: 1 where it says nothing."""
    spec = item.get("spec")
    written = spec.get("replicas") if isinstance(spec, Mapping) else None
    return 1 if written is None else written


def pod_spec(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the pod that a Pod, a Deployment or a StatefulSet describes, {} where there is none (the API tells)."""
    spec: Any = item
    for name in ("spec",) if item["kind"] == "Pod" else ("spec", "template", "spec"):
        spec = spec.get(name) if isinstance(spec, Mapping) else None
    return spec if isinstance(spec, Mapping) else {}


def containers(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of what describes pods, init containers included."""
    pod = pod_spec(item)
    lists = (pod.get(name) for name in ("initContainers", "containers"))
    return [
        container
        for listed in lists
        if isinstance(listed, list)
        for container in listed
        if isinstance(container, dict)
    ]


def pod_specs(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield what describes a pod, wherever it stands in an object of whatever kind."""
    if isinstance(value, Mapping):
        if isinstance(value.get("containers"), list):
            yield value
        for part in value.values():
            yield from pod_specs(part)


def all_containers(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the containers that a pod's spec describes, those to debug with included."""
    lists = (
        pod.get(name) or () for name in ("initContainers", "containers", "ephemeralContainers")
    )
    return [item for listed in lists for item in listed if isinstance(item, dict)]


def container_statuses(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the status of each container; none before the node has taken the pod."""
    return list(pod.get("status", {}).get("containerStatuses") or ())


def container_runs(pod: Mapping[str, Any]) -> bool:
    """Return whether a container of the pod runs now."""
    return any("running" in status.get("state", {}) for status in container_statuses(pod))


def container_has_ended(status: Mapping[str, Any]) -> bool:
    """Return whether a container has ended, now or before its last restart, from its status."""
    return any("terminated" in status.get(name, {}) for name in ("state", "lastState"))


def waiting_reasons(pod: Mapping[str, Any]) -> list[str]:
    """Return why containers of the pod wait ("ImagePullBackOff", "CreateContainerConfigError")."""
    states = (status.get("state", {}) for status in container_statuses(pod))
    return [state["waiting"].get("reason", "") for state in states if "waiting" in state]


def container_end(pod: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how a container of the pod has ended, now or before its last restart; None where none has.

    Returns
    -------
    dict or None
        With `reason` ("OOMKilled", "Error", "Completed") and `exitCode`, as the API tells them.
    """
    for status in container_statuses(pod):
        for state in (status.get("state", {}), status.get("lastState", {})):
            if ended := state.get("terminated"):
                return dict(ended)
    return None
