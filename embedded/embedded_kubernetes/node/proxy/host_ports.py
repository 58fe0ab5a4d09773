"""`hostPort`: a container's port that is open on the node, as the CNI plugin « portmap » does it.

As a NodePort it is open inside the pods' network at the node's address, and for this machine's own programs at
127.0.0.1, which all nodes and clusters of the machine share, and at a loopback address of the node's own. Nothing
outside the loopback is ever listened on.
"""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass

from ... import node_ports
from ...config import ClusterConfig
from ..network.sockets import Address, HostSockets, Sockets
from ..records import Object
from ..servers.streams import EventWriter
from .dialling import Dialler
from .door import Door
from .doors import open_door
from .topology import Routes, Target
from .udp_door import UdpDoor

_RETRY_S = 5.0
_REASON = "PortUnavailable"


@dataclass(frozen=True)
class HostPort:
    """One port of one pod on the node."""

    protocol: str
    host: str
    """Address of the node, or "" for all."""
    port: int
    container_port: int


def host_ports(pod: Object) -> tuple[HostPort, ...]:
    """Return the ports that a pod wants on its node; none for one that has the node's own network."""
    spec = pod["spec"]
    if spec.get("hostNetwork"):
        return ()
    sidecars = [
        container
        for container in spec.get("initContainers") or ()
        if container.get("restartPolicy") == "Always"
    ]
    ports = {
        HostPort(
            port.get("protocol", "TCP"),
            "" if port.get("hostIP", "") == "0.0.0.0" else port.get("hostIP", ""),
            port["hostPort"],
            port["containerPort"],
        )
        for container in (*sidecars, *spec["containers"])
        for port in container.get("ports") or ()
        if port.get("hostPort")
    }
    return tuple(sorted(ports, key=lambda port: (port.port, port.protocol, port.host)))


class HostPorts:
    """The doors of one node's pods.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    node_name : str
        This node.
    sockets : Sockets
        Of the pods' network.
    event : EventWriter
        Writes an Event on a pod.
    """

    def __init__(
        self, config: ClusterConfig, node_name: str, sockets: Sockets, event: EventWriter
    ) -> None:
        self._own_address = config.loopback_address(node_name)
        self._inner_address = config.node_address(node_name) if config.network == "pods" else None
        self._sockets = sockets
        self._host_sockets = HostSockets()
        self._dialler = Dialler(config, sockets)
        self._event = event
        self._doors: dict[str, list[Door | UdpDoor]] = {}
        self._retries: dict[str, asyncio.TimerHandle] = {}

    def open(self, pod: Object, address: str) -> None:
        """Open a pod's ports; what is taken is told by an Event and tried again.

        Parameters
        ----------
        pod : dict
            The pod.
        address : str
            Its bindable address.
        """
        for wanted in host_ports(pod):
            target = Target(address, wanted.container_port)
            for host, inside in self._places(wanted.host):
                self._open(pod, wanted, (host, wanted.port), target, inside=inside, is_first=True)

    async def start(self) -> None:
        """Be ready; each pod opens its own."""

    async def close(self) -> None:
        """Close the ports of all pods."""
        for uid in {*self._doors, *(place.split()[0] for place in self._retries)}:
            self.forget(uid)

    def forget(self, pod_uid: str) -> None:
        """Close a pod's ports, with the connections that go through them."""
        for place in [waiting for waiting in self._retries if waiting.startswith(pod_uid)]:
            self._retries.pop(place).cancel()
        for door in self._doors.pop(pod_uid, ()):
            door.close(connections=True)

    def _places(self, host: str) -> tuple[tuple[str, bool], ...]:
        """Return the addresses that a port is opened at, and whether each is one of the pods' network.

        The node's own 127.0.0.1 is there twice: for this machine's programs, and for pods with the node's network.
        """
        shared = node_ports.SHARED_ADDRESS
        if self._inner_address is None:
            hosts = (host,) if host else (shared, self._own_address)
            return tuple((each, False) for each in hosts)
        if not host:
            inner = ((self._inner_address, True), (shared, True))
            return ((shared, False), (self._own_address, False), *inner)
        if host == shared:
            return ((shared, False), (shared, True))
        return ((host, host == self._inner_address),)

    def _open(
        self,
        pod: Object,
        wanted: HostPort,
        address: Address,
        target: Target,
        *,
        inside: bool,
        is_first: bool,
    ) -> None:
        uid = pod["metadata"]["uid"]
        where = f"hostPort {address[0]}:{address[1]} ({wanted.protocol})"
        if wanted.protocol == "SCTP" or not (inside or _is_loopback(address[0])):
            why = (
                "this node forwards TCP and UDP, not SCTP"
                if wanted.protocol == "SCTP"
                else "this node listens on loopback addresses only"
            )
            self._event(pod, "Warning", _REASON, f"{where} is not served: {why}.")
            return
        loop = asyncio.get_running_loop()
        try:
            sockets = self._sockets if inside else self._host_sockets
            door = open_door(wanted.protocol, address, sockets, self._dialler)
            door.lead_to(Routes((target,)), None)
        except OSError as error:
            if is_first:
                self._event(pod, "Warning", _REASON, self._taken(where, address, error))
            self._retries[f"{uid} {where} {inside}"] = loop.call_later(
                _RETRY_S,
                lambda: self._open(pod, wanted, address, target, inside=inside, is_first=False),
            )
            return
        self._doors.setdefault(uid, []).append(door)

    def _taken(self, where: str, address: Address, error: OSError) -> str:
        """Return what an Event says of a door that cannot be opened."""
        elsewhere = ""
        if address[0] == node_ports.SHARED_ADDRESS:
            elsewhere = f" The port answers at {self._own_address}:{address[1]}."
        return (
            f"{where} cannot be opened: {error.strerror}.{elsewhere} Free it (see « ss -ltnp ») or "
            "choose another port. Retried every 5 s."
        )


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.IPv4Address(text).is_loopback
    except ValueError:
        return False
