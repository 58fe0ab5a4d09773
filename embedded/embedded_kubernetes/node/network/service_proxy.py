"""kube-proxy's work with plain sockets: ClusterIPs and NodePorts that lead to ready endpoints.

A NodePort has two doors: 127.0.0.1, which all clusters of the machine share, and the node's own address.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
from dataclasses import dataclass
from typing import Any

from ... import node_ports
from ...config import ClusterConfig
from ...errors import ResourceError
from ..servers.streams import EventWriter
from .door import Address, Door
from .service_table import Key, ServicePort, ServiceTable
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


class ServiceProxy:
    """Doors for every Service of the cluster.

    Parameters
    ----------
    table : ServiceTable
        Services and endpoints; started by its owner.
    event : callable
        Writes an Event on a Service.
    """

    def __init__(
        self,
        table: ServiceTable,
        event: EventWriter,
    ) -> None:
        self._table = table
        self._event = event
        self._doors: dict[ListeningPort, tuple[Key, Door | UdpDoor]] = {}
        self._refused: dict[ListeningPort, Key] = {}
        self._unserved: set[tuple[Key, str]] = set()
        self._node_ports: dict[int, str] = {}
        self._retry: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Open the doors and keep them current."""
        self._loop = asyncio.get_running_loop()
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
            for place in places(self._table.config, port)
        }
        for place in [a for a, (key, _) in self._doors.items() if key in keys and a not in wanted]:
            self._doors.pop(place)[1].close()
        for place in [a for a, key in self._refused.items() if key in keys and a not in wanted]:
            del self._refused[place]
        for place, port in wanted.items():
            try:
                self._door(place, port).lead_to(port.targets, port.affinity_s)
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
            kind = UdpDoor if place.protocol == "UDP" else Door
            door = kind(self._loop, place.address, self._table.affinity(port))
        self._doors[place] = (port.key, door)
        return door

    def _write_node_ports(self) -> None:
        """Write down where every NodePort answers: on 127.0.0.1 wherever that door could be opened."""
        addresses: dict[int, str] = {}
        for place in self._doors:
            host, port = place.address
            if place.is_node_port and place.protocol == "TCP":
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
            elsewhere = f"The Service answers at {own_address(self._table.config)}:{number}. "
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


def own_address(config: ClusterConfig) -> str:
    """Return the address where the node that serves the whole cluster has its NodePorts to itself."""
    return config.node_address(config.node_names[0])


def places(config: ClusterConfig, port: ServicePort) -> tuple[ListeningPort, ...]:
    """Return where a Service port listens: its ClusterIP, and two addresses for its NodePort."""
    ports: list[ListeningPort] = []
    if port.cluster_ip is not None and _is_ipv4(port.cluster_ip):
        ports.append(ListeningPort(port.protocol, (port.cluster_ip, port.port), False))
    if port.node_port is not None:
        for host in (node_ports.SHARED_ADDRESS, own_address(config)):
            ports.append(ListeningPort(port.protocol, (host, port.node_port), True))
    return tuple(ports)


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
