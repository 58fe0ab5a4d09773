"""One address of one Service port, for UDP: each client's datagrams go to one endpoint, and its answers come back.

What kube-proxy leaves to the kernel's connection tracking is done by hand: a client (address and port) keeps its
endpoint until it has been silent for as long as Linux would remember it, or until the endpoint leaves.
(source: `nf_conntrack_udp_timeout_stream`, `docs.kernel.org/networking/nf_conntrack-sysctl.html`)
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

from ..network.sockets import Address
from .affinity import Affinity
from .dialling import Dialler
from .topology import Routes, Target

_SILENCE_S = 120.0
_FLOWS = 1024
_DATAGRAMS_A_TURN = 64
_DATAGRAM_BYTES = 65_535


class _Flow:
    """One client's way to one endpoint."""

    def __init__(self, target: Target, sock: socket.socket) -> None:
        self.target = target
        self.used_s = time.monotonic()
        self.socket = sock
        try:
            self.socket.connect((target.address, target.port))
        except OSError:
            self.socket.close()
            raise


class UdpDoor:
    """One UDP address that leads to the endpoints of one Service port.

    Without endpoints nothing is bound, so that the kernel answers « port unreachable », as kube-proxy's REJECT does.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The running loop.
    bind : callable
        Returns a socket that is bound where clients send.
    dialler : Dialler
        Leads to the endpoints.
    affinity : Affinity, optional
        What the other doors of the same Service port remember of their clients too.

    Raises
    ------
    OSError
        The address cannot be bound (taken, or a port that only root may use).
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bind: Callable[[], socket.socket],
        dialler: Dialler,
        affinity: Affinity | None = None,
    ) -> None:
        self._loop = loop
        self._bind = bind
        self._dialler = dialler
        self._affinity = affinity or Affinity()
        self._affinity_s: int | None = None
        self._routes = Routes()
        self._flows: dict[Address, _Flow] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._socket: socket.socket | None = None
        self._bind().close()

    def lead_to(self, routes: Routes, affinity_s: int | None) -> None:
        """Send new clients to these endpoints; those of an endpoint that has left get another one.

        Raises
        ------
        OSError
            There are endpoints again, and the address has been taken meanwhile.
        """
        self._routes, self._affinity_s = routes, affinity_s
        targets = routes.targets
        for client in [
            address for address, flow in self._flows.items() if flow.target not in targets
        ]:
            self._forget(client)
        if targets and self._socket is None:
            self._socket = self._bind()
            self._loop.add_reader(self._socket, self._from_clients, self._socket)
        elif not targets:
            self._unbind()

    def close(self, *, connections: bool = False) -> None:
        """Give the address back; `connections` is for the other kind of door: nothing stands here."""
        self._unbind()
        for client in list(self._flows):
            self._forget(client)
        if self._timer is not None:
            self._timer.cancel()

    def _unbind(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _from_clients(self, sock: socket.socket) -> None:
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                data, client = sock.recvfrom(_DATAGRAM_BYTES)
            except OSError:
                return
            try:
                flow = self._flow(client)
                flow.used_s = time.monotonic()
                flow.socket.send(data)
            except BlockingIOError:
                continue  # as any router does with what it cannot hold
            except OSError:
                self._forget(client)  # nobody listens there

    def _flow(self, client: Address) -> _Flow:
        known = self._flows.get(client)
        if known is not None:
            return known
        targets = self._routes.of(self._dialler, client[0])
        if not targets:
            raise ConnectionRefusedError
        target = self._affinity.choose(client[0], targets, self._affinity_s)
        flow = self._flows[client] = _Flow(target, self._dialler.datagram(client[0], target))
        self._loop.add_reader(flow.socket, self._from_endpoint, client, flow)
        if len(self._flows) > _FLOWS:
            self._forget(next(iter(self._flows)))
        if self._timer is None:
            self._timer = self._loop.call_later(_SILENCE_S, self._forget_silent)
        return flow

    def _from_endpoint(self, client: Address, flow: _Flow) -> None:
        try:
            data = flow.socket.recv(_DATAGRAM_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._forget(client)
            return
        flow.used_s = time.monotonic()
        if self._socket is not None:
            try:
                self._socket.sendto(data, client)
            except OSError:
                return  # the client is gone, or its buffer is full: UDP promises nothing

    def _forget(self, client: Address) -> None:
        flow = self._flows.pop(client, None)
        if flow is not None:
            self._loop.remove_reader(flow.socket)
            flow.socket.close()

    def _forget_silent(self) -> None:
        self._timer = None
        oldest_s = time.monotonic() - _SILENCE_S
        for client in [address for address, flow in self._flows.items() if flow.used_s < oldest_s]:
            self._forget(client)
        if self._flows:
            self._timer = self._loop.call_later(_SILENCE_S, self._forget_silent)
