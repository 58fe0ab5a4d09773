"""kube-proxy's work with plain sockets: ClusterIPs and NodePorts that lead to ready endpoints.

A door is one listening address of one Service port. Without endpoints it keeps its address but does not listen, so that
connections are refused, as kube-proxy's REJECT rule does. Connections that stand go on when their endpoint leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import socket
import time
from typing import Any

from .pump import Joint, connect, reset
from .service_table import Key, ServicePort, ServiceTable, Target
from .streams import EventWriter

_BACKLOG = 1024
_ACCEPTS_A_TURN = 64
_RETRY_S = 5.0
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Address = tuple[str, int]


class Door:
    """One address that leads to the endpoints of one Service port.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The running loop.
    address : tuple of str and int
        Where clients connect.

    Raises
    ------
    OSError
        The address cannot be bound (taken, or a port that only root may use).
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, address: Address) -> None:
        self._loop = loop
        self._targets: tuple[Target, ...] = ()
        self._affinity_s: int | None = None
        self._affine: dict[str, tuple[Target, float]] = {}
        self._joints: set[Joint] = set()
        self._listening = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            # SO_REUSEADDR lets two sockets bind one address; the second to listen is told so.
            self._socket.listen(_BACKLOG)
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._socket.close()
            raise

    def lead_to(self, targets: tuple[Target, ...], affinity_s: int | None) -> None:
        """Send new connections to these endpoints; refuse them where there is none."""
        self._targets = targets
        self._affinity_s = affinity_s
        if bool(targets) == self._listening:
            return
        if targets:
            self._socket.listen(_BACKLOG)
            self._loop.add_reader(self._socket, self._accept)
        else:
            self._loop.remove_reader(self._socket)
            # On Linux this ends listening and keeps the address bound.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._listening = bool(targets)

    def close(self, *, connections: bool = False) -> None:
        """Give the address back; standing connections go on unless `connections` says otherwise."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        if connections:
            for joint in list(self._joints):
                joint.abort()

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                client, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._rest()
                return
            client.setblocking(False)
            self._dial(client, self._choose(peer[0]))

    def _rest(self) -> None:
        """Accept nothing for a moment: this process has no file descriptor left."""
        self._loop.remove_reader(self._socket)

        def again() -> None:
            if self._listening and self._socket.fileno() >= 0:
                self._loop.add_reader(self._socket, self._accept)

        self._loop.call_later(0.1, again)

    def _choose(self, client: str) -> Target:
        if self._affinity_s is None:
            return random.choice(self._targets)
        now = time.monotonic()
        target, until = self._affine.get(client, (None, 0.0))
        if target is None or until < now or target not in self._targets:
            target = random.choice(self._targets)
        self._affine[client] = (target, now + self._affinity_s)
        return target

    def _dial(self, client: socket.socket, target: Target) -> None:
        def joined(server: socket.socket | None) -> None:
            if server is None:
                reset(client)
            else:
                joint = Joint(self._loop, client, server, self._joints.discard)
                self._joints.add(joint)
                joint.start()

        connect(self._loop, (target.address, target.port), joined)


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
        self._doors: dict[Address, tuple[Key, Door]] = {}
        self._refused: dict[Address, Key] = {}
        self._retry: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Open the doors and keep them current."""
        self._loop = asyncio.get_running_loop()
        self._table.subscribe(self._changed)

    async def close(self) -> None:
        """Close all doors and connections."""
        if self._retry is not None:
            self._retry.cancel()
        for _, door in self._doors.values():
            door.close(connections=True)
        self._doors.clear()

    def _changed(self, keys: frozenset[Key]) -> None:
        wanted = {
            address: port
            for key in keys
            for port in self._table.ports(key)
            for address in addresses(port)
        }
        for address in [
            a for a, (key, _) in self._doors.items() if key in keys and a not in wanted
        ]:
            self._doors.pop(address)[1].close()
        for address in [a for a, key in self._refused.items() if key in keys and a not in wanted]:
            del self._refused[address]
        for address, port in wanted.items():
            try:
                self._door(address, port.key).lead_to(port.targets, port.affinity_s)
            except OSError as error:
                if address in self._doors:
                    self._doors.pop(address)[1].close()
                self._cannot_bind(address, port, error)
            else:
                self._refused.pop(address, None)

    def _door(self, address: Address, key: Key) -> Door:
        known = self._doors.get(address)
        door = known[1] if known is not None else Door(self._loop, address)
        self._doors[address] = (key, door)
        return door

    def _cannot_bind(self, address: Address, port: ServicePort, error: OSError) -> None:
        if error.errno == errno.EACCES:
            # Below ip_unprivileged_port_start: the HTTP proxy of the containers serves this one.
            return
        first_time = address not in self._refused
        self._refused[address] = port.key
        if self._retry is None:
            self._retry = self._loop.call_later(_RETRY_S, self._try_again)
        service = self._table.service(port.key)
        if first_time and service is not None:
            self._tell(service, address, port, error)

    def _tell(
        self, service: dict[str, Any], address: Address, port: ServicePort, error: OSError
    ) -> None:
        what = "NodePort" if address[1] == port.node_port else "ClusterIP"
        message = (
            f"{what} {address[0]}:{address[1]} of port {port.name or port.port} cannot be opened: "
            f"{error.strerror}. Another program of this machine uses it; free it (see « ss -ltnp ») "
            "or choose another port. Retried every 5 s."
        )
        about = {"apiVersion": "v1", "kind": "Service", **service}
        self._event(about, "Warning", "PortUnavailable", message)

    def _try_again(self) -> None:
        self._retry = None
        self._changed(frozenset(self._refused.values()))


def addresses(port: ServicePort) -> tuple[Address, ...]:
    """Return where a Service port listens: its ClusterIP, and 127.0.0.1 for its NodePort."""
    found: list[Address] = []
    if port.cluster_ip is not None:
        with contextlib.suppress(OSError):
            socket.inet_aton(port.cluster_ip)
            found.append((port.cluster_ip, port.port))
    if port.node_port is not None:
        found.append(("127.0.0.1", port.node_port))
    return tuple(found)
