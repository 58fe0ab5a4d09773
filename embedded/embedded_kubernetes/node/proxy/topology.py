"""Which endpoints of a Service a client gets: ready ones, near ones, its own node's.

As kube-proxy decides it on the client's node: the ready ones; where there is none, those that still serve although they
terminate. (source: `CategorizeEndpoints` of `k8s.io/kubernetes/pkg/proxy/topology.go`, KEP-1669)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, order=True)
class Target:
    """Where a connection goes: an address that `Dialler` can reach, and a port."""

    address: str
    port: int


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of a Service port, with what decides who gets it."""

    target: Target
    node: str = ""
    """The node that it is on, "" where the slice does not say."""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    node_hints: frozenset[str] = frozenset()
    zone_hints: frozenset[str] = frozenset()

    @property
    def is_last_resort(self) -> bool:
        """Whether it gets traffic only where nobody is ready."""
        return not self.ready and self.serving and self.terminating


def endpoints(
    port_name: str,
    protocol: str,
    slices: Iterable[Mapping[str, Any]],
    reach: Callable[[str], str] = str,
) -> tuple[Endpoint, ...]:
    """Return the endpoints of one port of a Service, each once, whoever wrote the slices.

    Parameters
    ----------
    port_name, protocol : str
        What slices call the port.
    slices : iterable of dict
        The Service's EndpointSlices.
    reach : callable, optional
        Returns the address to dial for one that a slice shows.
    """
    seen: dict[Target, Endpoint] = {}
    for endpoint_slice in slices:
        if endpoint_slice.get("addressType") != "IPv4":
            continue
        numbers = [
            port["port"]
            for port in endpoint_slice.get("ports") or ()
            if (port.get("name") or "") == port_name
            and (port.get("protocol") or "TCP") == protocol
            and port.get("port")
        ]
        for shown in endpoint_slice.get("endpoints") or ():
            for number in numbers:
                endpoint = _endpoint(shown, Target(reach(shown["addresses"][0]), number))
                seen.setdefault(endpoint.target, endpoint)
    return tuple(seen[target] for target in sorted(seen))


def _endpoint(shown: Mapping[str, Any], target: Target) -> Endpoint:
    conditions = shown.get("conditions") or {}
    hints = shown.get("hints") or {}
    return Endpoint(
        target,
        shown.get("nodeName") or "",
        ready=conditions.get("ready") is not False,
        serving=conditions.get("serving") is not False,
        terminating=conditions.get("terminating") is True,
        node_hints=frozenset(hint["name"] for hint in hints.get("forNodes") or ()),
        zone_hints=frozenset(hint["name"] for hint in hints.get("forZones") or ()),
    )


def cluster_targets(given: Iterable[Endpoint], node: str, zone: str) -> tuple[Target, ...]:
    """Return the endpoints for clients on a node: all that get traffic, or the near ones where hints are complete.

    Parameters
    ----------
    given : iterable of Endpoint
        All of the Service port.
    node, zone : str
        Where the clients are; "" where that is not known.
    """
    ready = [endpoint for endpoint in given if endpoint.ready]
    if not ready:
        return _last_resort(given)
    for hints, place in (
        ([endpoint.node_hints for endpoint in ready], node),
        ([endpoint.zone_hints for endpoint in ready], zone),
    ):
        near = [endpoint for endpoint, names in zip(ready, hints, strict=True) if place in names]
        if near and all(hints):
            return tuple(endpoint.target for endpoint in near)
    return tuple(endpoint.target for endpoint in ready)


def local_targets(given: Iterable[Endpoint], node: str) -> tuple[Target, ...]:
    """Return the endpoints that policy `Local` leaves to clients of a node: those on it."""
    local = [endpoint for endpoint in given if endpoint.node == node]
    ready = tuple(endpoint.target for endpoint in local if endpoint.ready)
    return ready or _last_resort(local)


def _last_resort(given: Iterable[Endpoint]) -> tuple[Target, ...]:
    return tuple(endpoint.target for endpoint in given if endpoint.is_last_resort)


class HasNodes(Protocol):
    """Knows where clients are."""

    def node_of(self, client: str) -> str | None:
        """Return the node of a client by its address, None where it is no pod."""


@dataclass(frozen=True)
class Routes:
    """Where the clients of one listening address go.

    Attributes
    ----------
    elsewhere : tuple of Target
        For clients of every node that `by_node` does not name, and for those that are no pods.
    by_node : mapping
        For the pods of a node.
    """

    elsewhere: tuple[Target, ...] = ()
    by_node: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)

    @property
    def targets(self) -> frozenset[Target]:
        """All of them."""
        return frozenset(self.elsewhere).union(*self.by_node.values())

    def of(self, nodes: HasNodes, client: str) -> tuple[Target, ...]:
        """Return what a client gets; `nodes` knows where it is."""
        if not self.by_node:
            return self.elsewhere
        return self.by_node.get(nodes.node_of(client) or "", self.elsewhere)


def internal_routes(
    given: tuple[Endpoint, ...], nodes: Mapping[str, str], own: str, *, local: bool
) -> Routes:
    """Return where the clients of a ClusterIP go.

    Parameters
    ----------
    given : tuple of Endpoint
        All of the Service port.
    nodes : mapping
        Zone ("" for none) by node.
    own : str
        The node for clients that are no pods.
    local : bool
        `internalTrafficPolicy: Local`.
    """

    def of(node: str) -> tuple[Target, ...]:
        if local:
            return local_targets(given, node)
        return cluster_targets(given, node, nodes.get(node, ""))

    elsewhere = of(own)
    by_node = {node: of(node) for node in nodes if node != own}
    return Routes(elsewhere, {node: to for node, to in by_node.items() if to != elsewhere})


def external_routes(
    given: tuple[Endpoint, ...], nodes: Mapping[str, str], own: str, *, local: bool
) -> Routes:
    """Return where the clients of a NodePort of node `own` go (`local`: `externalTrafficPolicy: Local`).

    The node's own pods get what policy `Cluster` gives, whatever the policy: they go in and out of an imaginary load
    balancer. (source: `EXT` chains of `pkg/proxy/iptables/proxier.go`)
    """
    every = cluster_targets(given, own, nodes.get(own, ""))
    if not local:
        return Routes(every)
    near = local_targets(given, own)
    return Routes(near, {} if near == every else {own: every})
