"""Whether a pod that was bound to this node may run here. Pure.

The scheduler sees to it that it may; `spec.nodeName` set by hand goes round it.
(source: `predicateAdmitHandler` of `pkg/kubelet/lifecycle/predicate.go`, `AdmissionCheck` of
`pkg/scheduler/eventhandlers.go`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ..records import Object
from .resources import shortage_at_admission
from .sysctls import forbidden

Verdict = tuple[str, str]
"""Reason and message, as the pod's status and event have them."""

_AFFINITY = "requiredDuringSchedulingIgnoredDuringExecution"


def refusal_at_admission(
    pod: Object, others: Iterable[Object], labels: Mapping[str, str], allocatable: Mapping[str, str]
) -> Verdict | None:
    """Return why a pod may not run here; None where it may.

    Parameters
    ----------
    pod : dict
        The pod.
    others : iterable of dict
        The other pods of the node that are not over.
    labels : mapping
        The node's, where the pod chooses nodes (see `chooses_nodes`).
    allocatable : mapping
        The node's.
    """
    others = list(others)
    if (pod["spec"].get("os") or {}).get("name", "linux") != "linux":
        return "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"
    refused = forbidden(pod) or shortage_at_admission(pod, others, allocatable)
    if refused is not None:
        return refused
    if not _chosen(pod["spec"], labels):
        return _failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    if _taken(pod, others):
        return _failed("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    return None


def _failed(name: str, reason: str) -> Verdict:
    return name, f"Predicate {name} failed: {reason}"


def _required(spec: Object) -> list[Object] | None:
    """Return the terms of which a node must satisfy one; None where any node will do."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get(_AFFINITY)
    return None if required is None else list(required.get("nodeSelectorTerms") or ())


def chooses_nodes(spec: Object) -> bool:
    """Return whether a pod's spec says which nodes it may run on."""
    return bool(spec.get("nodeSelector")) or _required(spec) is not None


def _chosen(spec: Object, labels: Mapping[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    terms = _required(spec)
    return terms is None or any(_satisfied(term, labels) for term in terms)


def _satisfied(term: Object, labels: Mapping[str, str]) -> bool:
    """Return whether a node satisfies a term; one that asks for nothing is satisfied by none."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    name = {"metadata.name": labels.get("kubernetes.io/hostname", "")}
    return (
        bool(expressions or fields)
        and all(_fits(expression, labels) for expression in expressions)
        and all(_fits(field, name) for field in fields)
    )


_OPERATORS: Mapping[str, Callable[[str | None, list[str]], bool]] = {
    "In": lambda value, wanted: value in wanted,
    "NotIn": lambda value, wanted: value not in wanted,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": lambda value, wanted: _is_number(value) and int(value or "") > int(wanted[0]),
    "Lt": lambda value, wanted: _is_number(value) and int(value or "") < int(wanted[0]),
}


def _fits(expression: Object, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    return _OPERATORS[expression["operator"]](value, expression.get("values") or [])


def _is_number(value: str | None) -> bool:
    return value is not None and value.removeprefix("-").isdigit()


def _taken(pod: Object, others: Iterable[Object]) -> bool:
    """Return whether another pod has a port of the node that this one wants."""
    taken = [port for other in others for port in _host_ports(other)]
    return any(
        wanted[1:] == used[1:] and (wanted[0] == used[0] or "" in (wanted[0], used[0]))
        for wanted in _host_ports(pod)
        for used in taken
    )


def _host_ports(pod: Object) -> Iterator[tuple[str, str, int]]:
    """Yield address ("" for all), protocol and number of the ports of the node that a pod has."""
    spec = pod["spec"]
    sidecars = (
        container
        for container in spec.get("initContainers") or ()
        if container.get("restartPolicy") == "Always"
    )
    for container in (*sidecars, *spec["containers"]):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                address = port.get("hostIP", "")
                everywhere = address in ("0.0.0.0", "::")
                protocol = port.get("protocol", "TCP")
                yield "" if everywhere else address, protocol, port["hostPort"]
