"""kube-proxy's work with plain sockets: ClusterIPs and NodePorts that lead to ready endpoints.

Pods reach both inside their network, a NodePort at the address of each node. This machine's own programs reach a
NodePort at 127.0.0.1, which all clusters of the machine share, and at a loopback address that no other cluster has.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ... import node_ports
from ...config import ClusterConfig
from ...errors import ResourceError
from ..network.sockets import Address, HostSockets, Sockets
from ..servers.streams import EventWriter
from .dialling import Dialler
from .door import Door
from .doors import open_door
from .service_table import API_SERVER_KEY, Key, ServicePort, ServiceTable
from .topology import Routes, external_routes, internal_routes
from .udp_door import UdpDoor

_RETRY_S = 5.0
_UNAVAILABLE = "PortUnavailable"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListeningPort:
    """Where a Service port listens."""

    protocol: str
    address: Address
    is_node_port: bool
    for_pods: bool = False
    """Whether it is in the pods' network, where that is another than this machine's."""


class ServiceProxy:
    """Doors for every Service of the cluster.

    Parameters
    ----------
    table : ServiceTable
        Services and endpoints; started by its owner.
    event : callable
        Writes an Event on a Service.
    node_name : str
        This node; the first one serves ClusterIPs and this machine, each one its own NodePorts.
    sockets : Sockets
        Of the pods' network.
    """

    def __init__(
        self, table: ServiceTable, event: EventWriter, node_name: str, sockets: Sockets
    ) -> None:
        self._table = table
        self._event = event
        self._node = node_name
        self._is_first = node_name == table.config.node_names[0]
        self._sockets = sockets
        self._host_sockets = HostSockets()
        self._dialler = Dialler(table.config, sockets)
        self._doors: dict[ListeningPort, tuple[Key, Door | UdpDoor]] = {}
        self._refused: dict[ListeningPort, Key] = {}
        self._unserved: set[tuple[Key, str]] = set()
        self._node_ports: dict[int, str] = {}
        self._retry: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Open the doors and keep them current."""
        self._loop = asyncio.get_running_loop()
        if self._is_first:
            node_ports.forget(self._table.config.path)
        self._table.subscribe(self._changed)

    async def close(self) -> None:
        """Close all doors and connections."""
        if self._retry is not None:
            self._retry.cancel()
        for _, door in self._doors.values():
            door.close(connections=True)
        self._doors.clear()

    def _changed(self, keys: frozenset[Key]) -> None:
        ports = [port for key in keys for port in self._table.ports(key)]
        self._tell_unserved(keys, ports)
        wanted = {
            place: port
            for port in ports
            if port.protocol != "SCTP"
            for place in places(self._table.config, port, self._node)
        }
        for place in [a for a, (key, _) in self._doors.items() if key in keys and a not in wanted]:
            self._doors.pop(place)[1].close()
        for place in [a for a, key in self._refused.items() if key in keys and a not in wanted]:
            del self._refused[place]
        for place, port in wanted.items():
            try:
                to = routes(place, port, self._table.zones(), self._node)
                self._door(place, port).lead_to(to, port.affinity_s)
            except OSError as error:
                if place in self._doors:
                    self._doors.pop(place)[1].close()
                self._cannot_bind(place, port, error)
            else:
                self._refused.pop(place, None)
        self._write_node_ports()

    def _door(self, place: ListeningPort, port: ServicePort) -> Door | UdpDoor:
        known = self._doors.get(place)
        if known is not None:
            door = known[1]
        else:
            sockets = self._sockets if place.for_pods else self._host_sockets
            affinity = self._table.affinity(port)
            door = open_door(place.protocol, place.address, sockets, self._dialler, affinity)
        self._doors[place] = (port.key, door)
        return door

    def _write_node_ports(self) -> None:
        """Write down where every NodePort answers: on 127.0.0.1 wherever that door could be opened."""
        if not self._is_first:
            return
        addresses: dict[int, str] = {}
        for place in self._doors:
            host, port = place.address
            if place.is_node_port and place.protocol == "TCP" and not place.for_pods:
                known = addresses.get(port)
                addresses[port] = host if known != node_ports.SHARED_ADDRESS else known
        if addresses != self._node_ports:
            self._node_ports = addresses
            try:
                node_ports.write(self._table.config.path, addresses)
            except (OSError, ResourceError) as error:
                _log.error("node ports not written down: %s", error)

    def _cannot_bind(self, place: ListeningPort, port: ServicePort, error: OSError) -> None:
        if error.errno == errno.EACCES and place.protocol == "TCP":
            # Below ip_unprivileged_port_start: the HTTP proxy of the containers serves this one.
            return
        first_time = place not in self._refused
        self._refused[place] = port.key
        if self._retry is None:
            self._retry = self._loop.call_later(_RETRY_S, self._try_again)
        if first_time:
            self._tell(port, self._closed(place, port, error))

    def _closed(self, place: ListeningPort, port: ServicePort, error: OSError) -> str:
        """Return what an Event says of a door that cannot be opened."""
        host, number = place.address
        what = "NodePort" if place.is_node_port else "ClusterIP"
        message = f"{what} {host}:{number} of port {port.name or port.port} cannot be opened: {error.strerror}. "
        if error.errno == errno.EACCES:
            return message + "Ports below 1024 are root's on this machine; choose a higher one."
        elsewhere = ""
        if place.is_node_port and host == node_ports.SHARED_ADDRESS:
            own = self._table.config.loopback_address(self._node)
            elsewhere = f"The Service answers at {own}:{number}. "
        return (
            f"{message}Another program of this machine uses it (another cluster?). {elsewhere}"
            "Free it (see « ss -ltnp ») or choose another port. Retried every 5 s."
        )

    def _tell_unserved(self, keys: frozenset[Key], ports: list[ServicePort]) -> None:
        """Say once of each SCTP port that nothing serves it."""
        unserved = {(port.key, port.name): port for port in ports if port.protocol == "SCTP"}
        self._unserved = {
            place for place in self._unserved if place[0] not in keys or place in unserved
        }
        for known in unserved.keys() - self._unserved:
            port = unserved[known]
            self._unserved.add(known)
            self._tell(
                port,
                f"Port {port.name or port.port} is not served: this node forwards TCP and UDP, not SCTP.",
            )

    def _tell(self, port: ServicePort, message: str) -> None:
        service: dict[str, Any] | None = self._table.service(port.key)
        if service is not None:
            about = {"apiVersion": "v1", "kind": "Service", **service}
            self._event(about, "Warning", _UNAVAILABLE, message)

    def _try_again(self) -> None:
        self._retry = None
        self._changed(frozenset(self._refused.values()))


def places(config: ClusterConfig, port: ServicePort, node: str) -> tuple[ListeningPort, ...]:
    """Return where a node lets clients of a Service port in.

    Not at the address of the cluster's DNS, which answers there itself.
    """
    ports: list[ListeningPort] = []
    is_first = node == config.node_names[0]
    inside = config.network == "pods"
    is_dns = inside and port.cluster_ip == config.dns_address
    if is_first and port.cluster_ip and _is_ipv4(port.cluster_ip) and not is_dns:
        ports.append(ListeningPort(port.protocol, (port.cluster_ip, port.port), False, inside))
    if is_first and inside and port.key == API_SERVER_KEY:
        address = (config.advertised_address, config.api_port)
        ports.append(ListeningPort(port.protocol, address, False, for_pods=True))
    if port.node_port is None:
        return tuple(ports)
    for host in (node_ports.SHARED_ADDRESS, config.loopback_address(node)) if is_first else ():
        ports.append(ListeningPort(port.protocol, (host, port.node_port), True))
    if inside:
        address = (config.node_address(node), port.node_port)
        ports.append(ListeningPort(port.protocol, address, True, for_pods=True))
    return tuple(ports)


def routes(place: ListeningPort, port: ServicePort, zones: Mapping[str, str], node: str) -> Routes:
    """Return where a node leads the clients of a Service port that come in at a place.

    Parameters
    ----------
    zones : mapping
        Zone by node (see `ServiceTable.zones`).
    node : str
        The node that leads them.
    """
    if not place.is_node_port:
        return internal_routes(port.endpoints, zones, node, local=port.internal_local)
    to = external_routes(port.endpoints, zones, node, local=port.external_local)
    # This machine's own programs are no pods.
    return to if place.for_pods else Routes(to.elsewhere)


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
