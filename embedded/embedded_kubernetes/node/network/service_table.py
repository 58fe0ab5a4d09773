"""Services and their endpoints as one table: what the proxy, the names and the ingress all look up.

Which endpoints get traffic follows kube-proxy: the ready ones; where there is none, those that still serve although
they terminate. (source: `k8s.io/kubernetes/pkg/proxy/topology.go`, KEP-1669)
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...config import ClusterConfig
from ..api import Api, Informer
from .affinity import Affinity

SERVICE_LABEL = "kubernetes.io/service-name"

Key = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True)
class Target:
    """One endpoint of a Service's port, at an address that this machine can reach."""

    address: str
    port: int


@dataclass(frozen=True)
class HostEndpoint:
    """One address of a headless Service for the names."""

    address: str
    hostname: str | None


@dataclass(frozen=True)
class ServicePort:
    """One port of a Service and where its connections go."""

    key: Key
    name: str
    cluster_ip: str | None
    port: int
    node_port: int | None
    affinity_s: int | None
    targets: tuple[Target, ...]
    protocol: str = "TCP"
    """TCP, UDP or SCTP."""


def reachable(config: ClusterConfig, address: str) -> str:
    """Return the loopback address that stands for a pod's address, and any other address as it is."""
    if ipaddress.ip_address(address) in ipaddress.ip_network(config.pod_cidr):
        return config.bindable(address)
    return address


def _endpoints(slices: Iterable[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return (slice, endpoint) of those that get traffic."""
    ready, serving = [], []
    for endpoint_slice in slices:
        for endpoint in endpoint_slice.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            is_ready = conditions.get("ready") is not False
            if is_ready:
                ready.append((endpoint_slice, endpoint))
            elif conditions.get("serving") and conditions.get("terminating"):
                serving.append((endpoint_slice, endpoint))
    return ready or serving


def targets(
    config: ClusterConfig, port_name: str, slices: Iterable[dict[str, Any]]
) -> tuple[Target, ...]:
    """Return where connections to one port of a Service go; empty where they are refused."""
    reached = {
        Target(reachable(config, endpoint["addresses"][0]), port["port"])
        for endpoint_slice, endpoint in _endpoints(
            s for s in slices if s.get("addressType") == "IPv4"
        )
        for port in endpoint_slice.get("ports") or ()
        if (port.get("name") or "") == port_name and port.get("port")
    }
    return tuple(sorted(reached, key=lambda target: (target.address, target.port)))


def service_ports(
    config: ClusterConfig, service: dict[str, Any], slices: Sequence[dict[str, Any]]
) -> tuple[ServicePort, ...]:
    """Return the ports of a Service with their endpoints."""
    meta, spec = service["metadata"], service["spec"]
    key = (meta["namespace"], meta["name"])
    affinity = None
    if spec.get("sessionAffinity") == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        affinity = client.get("timeoutSeconds", 10800)
    cluster_ip = spec.get("clusterIP")
    ports = []
    for port in spec.get("ports") or ():
        name = port.get("name") or ""
        goals = targets(config, name, slices)
        if key == ("default", "kubernetes"):
            # Validation refuses endpoints in 127/8, so the API server publishes none of its own.
            goals = (Target("127.0.0.1", config.api_port),)
        ports.append(
            ServicePort(
                key=key,
                name=name,
                cluster_ip=None if cluster_ip in (None, "", "None") else cluster_ip,
                port=port["port"],
                node_port=port.get("nodePort"),
                affinity_s=affinity,
                targets=goals,
                protocol=port.get("protocol", "TCP"),
            )
        )
    return tuple(ports)


def host_endpoints(
    config: ClusterConfig, slices: Iterable[dict[str, Any]]
) -> tuple[HostEndpoint, ...]:
    """Return the addresses behind a headless Service, as its DNS records would."""
    hosts = {
        HostEndpoint(reachable(config, endpoint["addresses"][0]), endpoint.get("hostname"))
        for endpoint_slice in slices
        if endpoint_slice.get("addressType") == "IPv4"
        for endpoint in endpoint_slice.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
    }
    return tuple(sorted(hosts, key=lambda host: (host.address, host.hostname or "")))


class ServiceTable:
    """Services and EndpointSlices, kept current by two watches.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    api : Api
        With the rights to read Services and EndpointSlices everywhere.
    """

    def __init__(self, config: ClusterConfig, api: Api) -> None:
        self.config = config
        self._services = Informer(api, "/api/v1/services", on_change=self._service_changed)
        self._slices = Informer(
            api, "/apis/discovery.k8s.io/v1/endpointslices", on_change=self._slice_changed
        )
        self._by_service: dict[Key, dict[Key, dict[str, Any]]] = {}
        self._listeners: list[Callable[[frozenset[Key]], None]] = []
        self._dirty: set[Key] = set()
        self._affinities: dict[tuple[Key, str], Affinity] = {}

    async def start(self) -> None:
        """Begin to watch; return at once, whether or not the API server answers yet."""
        await self._services.start()
        await self._slices.start()

    async def synced(self) -> None:
        """Return once both lists are there."""
        await self._services.synced()
        await self._slices.synced()

    async def close(self) -> None:
        """Stop watching."""
        await self._services.close()
        await self._slices.close()

    def subscribe(self, listener: Callable[[frozenset[Key]], None]) -> None:
        """Call `listener` with the Services that changed, once for changes that come together."""
        self._listeners.append(listener)
        if self._services.items:
            listener(frozenset(self._services.items))

    def keys(self) -> Iterable[Key]:
        """Return namespace and name of every Service."""
        return self._services.items.keys()

    def service(self, key: Key) -> dict[str, Any] | None:
        """Return a Service."""
        return self._services.items.get(key)

    def slices(self, key: Key) -> tuple[dict[str, Any], ...]:
        """Return the EndpointSlices of a Service."""
        return tuple(self._by_service.get(key, {}).values())

    def ports(self, key: Key) -> tuple[ServicePort, ...]:
        """Return the ports of a Service with their endpoints; empty where there is no such Service."""
        service = self.service(key)
        return () if service is None else service_ports(self.config, service, self.slices(key))

    def affinity(self, port: ServicePort) -> Affinity:
        """Return what is remembered of the clients of a Service port, whichever way they come."""
        return self._affinities.setdefault((port.key, port.name), Affinity())

    def by_cluster_ip(self, address: str) -> Key | None:
        """Return the Service that has a ClusterIP."""
        for key, service in self._services.items.items():
            if service["spec"].get("clusterIP") == address:
                return key
        return None

    def _service_changed(self, kind: str, service: dict[str, Any]) -> None:
        key = (service["metadata"]["namespace"], service["metadata"]["name"])
        if kind == "DELETED":
            for known in [port for port in self._affinities if port[0] == key]:
                del self._affinities[known]
        self._mark(key)

    def _slice_changed(self, kind: str, endpoint_slice: dict[str, Any]) -> None:
        meta = endpoint_slice["metadata"]
        service = (meta.get("labels") or {}).get(SERVICE_LABEL)
        if service is None:
            return
        key, own = (meta["namespace"], service), (meta["namespace"], meta["name"])
        if kind == "DELETED":
            kept = self._by_service.get(key, {})
            kept.pop(own, None)
            if not kept:
                self._by_service.pop(key, None)
        else:
            self._by_service.setdefault(key, {})[own] = endpoint_slice
        self._mark(key)

    def _mark(self, key: Key) -> None:
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._tell)
        self._dirty.add(key)

    def _tell(self) -> None:
        keys, self._dirty = frozenset(self._dirty), set()
        for listener in self._listeners:
            listener(keys)
