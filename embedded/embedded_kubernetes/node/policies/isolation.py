"""What NetworkPolicies leave to each pod: pure, from the objects.

(source: https://kubernetes.io/docs/concepts/services-networking/network-policies/, `k8s.io/api/networking/v1/types.go`)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...selectors import label_selector_matches
from ..records import Object

LAST_PORT = 65535


@dataclass(frozen=True)
class Ports:
    """Ports of one protocol: from the first to the last."""

    protocol: str
    first: int = 0
    last: int = LAST_PORT


@dataclass(frozen=True)
class Block:
    """Addresses of a network, except those of some of its parts."""

    cidr: str
    exceptions: tuple[str, ...] = ()

    def __contains__(self, address: str) -> bool:
        where = ipaddress.IPv4Address(address)
        return where in ipaddress.IPv4Network(self.cidr, strict=False) and not any(
            where in ipaddress.IPv4Network(part, strict=False) for part in self.exceptions
        )


@dataclass(frozen=True)
class Allowance:
    """Traffic that a rule lets through.

    Attributes
    ----------
    pods : frozenset of str or None
        Addresses of the pods at the other end; None for whoever it is.
    blocks : tuple of Block
        Other addresses at the other end.
    ports : tuple of Ports or None
        At the end that is connected to; None for all.
    """

    pods: frozenset[str] | None
    blocks: tuple[Block, ...] = ()
    ports: tuple[Ports, ...] | None = None

    def lets(self, other: str, protocol: str, port: int) -> bool:
        """Return whether it lets through what goes between its pod and another address, to a port."""
        return (
            self.pods is None or other in self.pods or any(other in block for block in self.blocks)
        ) and (
            self.ports is None
            or any(p.protocol == protocol and p.first <= port <= p.last for p in self.ports)
        )


Allowances = tuple[Allowance, ...]


@dataclass(frozen=True)
class Isolation:
    """What a pod is left; None in a direction in which no policy isolates it."""

    ingress: Allowances | None = None
    egress: Allowances | None = None


@dataclass(frozen=True)
class Pod:
    """A pod as policies see it."""

    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: tuple[tuple[str, str, int], ...] = ()
    """Name, protocol and number of those that have a name."""

    def number(self, name: str, protocol: str) -> int | None:
        """Return the number of a port by its name."""
        for known, of, number in self.ports:
            if (known, of) == (name, protocol):
                return number
        return None


def pods_of(objects: Iterable[Object]) -> tuple[Pod, ...]:
    """Return the pods that have an address of their own and are not over."""
    pods = []
    for item in objects:
        meta, spec, status = item["metadata"], item["spec"], item.get("status") or {}
        address = status.get("podIP")
        if not address or spec.get("hostNetwork") or status.get("phase") in ("Succeeded", "Failed"):
            continue
        ports = tuple(
            (port["name"], port.get("protocol", "TCP"), port["containerPort"])
            for container in (*(spec.get("initContainers") or ()), *spec["containers"])
            for port in container.get("ports") or ()
            if port.get("name")
        )
        pods.append(Pod(meta["namespace"], meta.get("labels") or {}, address, ports))
    return tuple(pods)


def isolations(
    policies: Iterable[Object], pods: Sequence[Pod], namespaces: Mapping[str, Mapping[str, str]]
) -> dict[str, Isolation]:
    """Return what policies leave to each pod that some policy isolates, by its address.

    Parameters
    ----------
    policies : iterable of dict
        NetworkPolicies of all namespaces.
    pods : sequence of Pod
        All pods.
    namespaces : mapping
        Labels by namespace.
    """
    ingress: dict[str, list[Allowance]] = {}
    egress: dict[str, list[Allowance]] = {}
    for policy in policies:
        namespace, spec = policy["metadata"]["namespace"], policy["spec"]
        kinds = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        peers = _Peers(namespace, pods, namespaces)
        for pod in peers.selected(None, spec.get("podSelector") or {}):
            if "Ingress" in kinds:
                kept = ingress.setdefault(pod.address, [])
                for rule in spec.get("ingress") or ():
                    kept += _inward(rule, pod, peers)
            if "Egress" in kinds:
                kept = egress.setdefault(pod.address, [])
                for rule in spec.get("egress") or ():
                    kept += _outward(rule, peers)
    return {
        address: Isolation(
            tuple(ingress[address]) if address in ingress else None,
            tuple(egress[address]) if address in egress else None,
        )
        for address in sorted({*ingress, *egress})
    }


def allowed(
    isolated: Mapping[str, Isolation], source: str, target: str, protocol: str, port: int
) -> bool:
    """Return whether policies let a pod (or another address) connect to a port of another one."""
    if source == target:
        return True
    nothing = Isolation()
    outward = isolated.get(source, nothing).egress
    inward = isolated.get(target, nothing).ingress
    return (outward is None or any(rule.lets(target, protocol, port) for rule in outward)) and (
        inward is None or any(rule.lets(source, protocol, port) for rule in inward)
    )


class _Peers:
    """Finds pods for the policies of one namespace."""

    def __init__(
        self, own: str, pods: Sequence[Pod], namespaces: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._own = own
        self._pods = pods
        self._namespaces = namespaces

    def selected(self, namespaces: Object | None, pods: Object) -> list[Pod]:
        """Return the pods that selectors match, in the policy's own namespace where none selects namespaces."""
        return [
            pod
            for pod in self._pods
            if (
                pod.namespace == self._own
                if namespaces is None
                else label_selector_matches(namespaces, self._namespaces.get(pod.namespace, {}))
            )
            and label_selector_matches(pods, pod.labels)
        ]

    def everybody(self) -> Sequence[Pod]:
        """Return all pods."""
        return self._pods

    def of(self, given: Sequence[Object] | None) -> tuple[list[Pod] | None, tuple[Block, ...]]:
        """Return the pods and blocks of a rule's peers; None for everybody."""
        if not given:
            return None, ()
        pods: list[Pod] = []
        blocks = []
        for peer in given:
            if "ipBlock" in peer:
                block = peer["ipBlock"]
                if ":" not in block["cidr"]:
                    blocks.append(Block(block["cidr"], tuple(block.get("except") or ())))
            else:
                pods += self.selected(peer.get("namespaceSelector"), peer.get("podSelector") or {})
        return pods, tuple(blocks)


def _inward(rule: Object, pod: Pod, peers: _Peers) -> Iterator[Allowance]:
    others, blocks = peers.of(rule.get("from"))
    pods = None if others is None else frozenset(other.address for other in others)
    if not rule.get("ports"):
        yield Allowance(pods, blocks)
        return
    ports = tuple(known for port in rule["ports"] if (known := _ports(port, pod)) is not None)
    if ports:
        yield Allowance(pods, blocks, ports)


def _outward(rule: Object, peers: _Peers) -> Iterator[Allowance]:
    others, blocks = peers.of(rule.get("to"))
    pods = None if others is None else frozenset(other.address for other in others)
    if not rule.get("ports"):
        yield Allowance(pods, blocks)
        return
    numbered = [port for port in rule["ports"] if not isinstance(port.get("port"), str)]
    ports = tuple(known for port in numbered if (known := _ports(port, None)) is not None)
    if ports:
        yield Allowance(pods, blocks, ports)
    # A name is another number in each pod that is connected to.
    named: dict[Ports, set[str]] = {}
    for port in rule["ports"]:
        if isinstance(port.get("port"), str):
            for other in peers.everybody() if others is None else others:
                if (known := _ports(port, other)) is not None:
                    named.setdefault(known, set()).add(other.address)
    for known, addresses in named.items():
        yield Allowance(frozenset(addresses), (), (known,))


def _ports(port: Object, pod: Pod | None) -> Ports | None:
    """Return the ports of a rule; None for a name that a pod has not."""
    protocol, number = port.get("protocol", "TCP"), port.get("port")
    if isinstance(number, int):
        return Ports(protocol, number, port.get("endPort", number))
    if number is None:
        return Ports(protocol)
    named = pod.number(number, protocol) if pod is not None else None
    return None if named is None else Ports(protocol, named, named)
