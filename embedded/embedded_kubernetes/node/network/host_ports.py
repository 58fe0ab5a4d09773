"""`hostPort`: a container's port that is open on the node, as the CNI plugin « portmap » does it.

As for a NodePort there are two doors: 127.0.0.1, which all nodes and clusters of the machine share, and the node's own
address. Nothing outside the loopback is ever listened on.
"""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass

from ... import node_ports
from ..records import Object
from ..servers.streams import EventWriter
from .door import Address, Door
from .service_table import Target
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
    own_address : str
        The node's own loopback address.
    event : EventWriter
        Writes an Event on a pod.
    """

    def __init__(self, own_address: str, event: EventWriter) -> None:
        self._own_address = own_address
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
            for host in (wanted.host,) if wanted.host else self._hosts():
                self._open(pod, wanted, (host, wanted.port), target, is_first=True)

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

    def _hosts(self) -> tuple[str, ...]:
        return (node_ports.SHARED_ADDRESS, self._own_address)

    def _open(
        self, pod: Object, wanted: HostPort, address: Address, target: Target, *, is_first: bool
    ) -> None:
        uid = pod["metadata"]["uid"]
        where = f"hostPort {address[0]}:{address[1]} ({wanted.protocol})"
        if wanted.protocol == "SCTP" or not _is_loopback(address[0]):
            why = (
                "this node forwards TCP and UDP, not SCTP"
                if wanted.protocol == "SCTP"
                else "this node listens on loopback addresses only"
            )
            self._event(pod, "Warning", _REASON, f"{where} is not served: {why}.")
            return
        loop = asyncio.get_running_loop()
        try:
            door = (UdpDoor if wanted.protocol == "UDP" else Door)(loop, address)
            door.lead_to((target,), None)
        except OSError as error:
            if is_first:
                self._event(pod, "Warning", _REASON, self._taken(where, address, error))
            self._retries[f"{uid} {where}"] = loop.call_later(
                _RETRY_S, lambda: self._open(pod, wanted, address, target, is_first=False)
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
