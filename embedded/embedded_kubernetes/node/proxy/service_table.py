"""Services and their endpoints as one table: what the proxy, the names and the ingress all look up."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...config import ClusterConfig
from ..api import Api, Informer
from ..tasks import Tasks
from .affinity import Affinity
from .topology import Endpoint, Target, cluster_targets, endpoints

SERVICE_LABEL = "kubernetes.io/service-name"
API_SERVER_KEY = ("default", "kubernetes")
_ZONE_LABEL = "topology.kubernetes.io/zone"

Key = tuple[str, str]
"""Namespace and name."""


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
    endpoints: tuple[Endpoint, ...]
    protocol: str = "TCP"
    """TCP, UDP or SCTP."""
    internal_local: bool = False
    """Whether clients of the ClusterIP get their own node's endpoints alone (`internalTrafficPolicy`)."""
    external_local: bool = False
    """Whether a NodePort leads to its own node's endpoints alone (`externalTrafficPolicy`)."""
    external_ips: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """Where connections go that come from nowhere in particular; empty where they are refused."""
        return cluster_targets(self.endpoints, "", "")


def reachable(config: ClusterConfig, address: str) -> str:
    """Return the loopback address that stands for a pod's address, and any other address as it is."""
    if ipaddress.ip_address(address) in ipaddress.ip_network(config.pod_cidr):
        return config.bindable(address)
    return address


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
        name, protocol = port.get("name") or "", port.get("protocol", "TCP")
        given = endpoints(name, protocol, slices, functools.partial(reachable, config))
        if key == API_SERVER_KEY:
            # It listens on this machine's loopback, which no endpoint may lead to.
            given = (Endpoint(Target("127.0.0.1", config.api_port)),)
        ports.append(
            ServicePort(
                key=key,
                name=name,
                cluster_ip=None if cluster_ip in (None, "", "None") else cluster_ip,
                port=port["port"],
                node_port=port.get("nodePort"),
                affinity_s=affinity,
                endpoints=given,
                protocol=protocol,
                internal_local=spec.get("internalTrafficPolicy") == "Local",
                external_local=spec.get("externalTrafficPolicy") == "Local",
                external_ips=tuple(spec.get("externalIPs") or ()),
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
        self._nodes = Informer(api, "/api/v1/nodes", on_change=self._node_changed)
        self._zones: dict[str, str] | None = None
        self._tasks = Tasks()
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
        await self._tasks.close()
        await self._nodes.close()
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

    def zones(self) -> Mapping[str, str]:
        """Return the zone of every node ("" for none); without the nodes where no Service minds them."""
        return self._zones or {}

    def _mind_nodes(self) -> None:
        """Watch the nodes from now on: some Service treats clients by where they are."""
        if self._zones is None:
            self._zones = {}
            self._tasks.start(self._nodes.start())

    def _node_changed(self, kind: str, node: dict[str, Any]) -> None:
        zones = {
            name: (item["metadata"].get("labels") or {}).get(_ZONE_LABEL, "")
            for (_, name), item in self._nodes.items.items()
        }
        if zones != self._zones:
            self._zones = zones
            for key in self.keys():
                self._mark(key)

    def _service_changed(self, kind: str, service: dict[str, Any]) -> None:
        key = (service["metadata"]["namespace"], service["metadata"]["name"])
        if service["spec"].get("internalTrafficPolicy") == "Local":
            self._mind_nodes()
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
            if any(endpoint.get("hints") for endpoint in endpoint_slice.get("endpoints") or ()):
                self._mind_nodes()
        self._mark(key)

    def _mark(self, key: Key) -> None:
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._tell)
        self._dirty.add(key)

    def _tell(self) -> None:
        keys, self._dirty = frozenset(self._dirty), set()
        for listener in self._listeners:
            listener(keys)
