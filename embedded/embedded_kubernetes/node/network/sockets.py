"""Sockets of the network that pods are in: whoever opens, accepts or dials takes one of these.

With a network per pod the node process itself is outside of it: the sockets are made inside and handed over. Without,
pods are on this machine's loopback network and any socket will do.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Protocol

IP_BIND_ADDRESS_NO_PORT = 24
"""Option of `linux/in.h`, which Python has no name for yet: `bind` takes the address, `connect` the port."""

_IP_TRANSPARENT = 19  # linux/in.h
_READY_STREAMS = 32
"""How many TCP sockets are asked for at once: a request costs as much as three of them."""

Address = tuple[str, int]
"""An IPv4 address and a port."""

SocketFactory = Callable[[tuple[Any, ...]], socket.socket]
"""Makes the socket of one result of `getaddrinfo` (`socket_factory` of `aiohttp.TCPConnector`)."""


class MakeSockets(Protocol):
    """What sockets in another network come from."""

    def __call__(
        self, *, streams: int = 0, datagrams: int = 0, raws: int = 0, namespace: int | None = None
    ) -> list[socket.socket]:
        """Make sockets, TCP ones first, in the network of pods or in a pod's own; `OSError` where it cannot."""


class Sockets(Protocol):
    """Makes sockets of the pods' network; all are non-blocking and their caller's."""

    def stream(self, source: str | None = None) -> socket.socket:
        """Return a TCP socket that is not connected.

        Parameters
        ----------
        source : str, optional
            Address of a pod that its peer is to see, whoever connects.

        Raises
        ------
        OSError
            No socket can be had, or not from that address.
        """

    def datagram(self, source: str | None = None, bind: Address | None = None) -> socket.socket:
        """Return a UDP socket, bound where `bind` says; `source` and errors as `stream` has them."""

    def listener(self, address: Address) -> socket.socket:
        """Return a TCP socket that is bound and does not listen yet.

        Raises
        ------
        OSError
            What `bind` says: the address is taken, or nobody's here.
        """

    def in_pod(self, pod_uid: str) -> socket.socket:
        """Return a TCP socket inside a pod, whose 127.0.0.1 is the pod's own.

        Raises
        ------
        OSError
            There is no such pod.
        """

    def raw(self) -> socket.socket:
        """Return a raw socket, which sends TCP packets as they are given and receives whole ones.

        Raises
        ------
        OSError
            Not allowed in this network.
        """

    def connector_factory(self) -> SocketFactory:
        """Return what makes an HTTP client's connections."""


class HostSockets:
    """Sockets of this machine's own network."""

    def stream(self, source: str | None = None) -> socket.socket:
        """Return a TCP socket (see `Sockets`)."""
        return self._bound(socket.SOCK_STREAM, source)

    def datagram(self, source: str | None = None, bind: Address | None = None) -> socket.socket:
        """Return a UDP socket (see `Sockets`)."""
        sock = self._bound(socket.SOCK_DGRAM, source)
        if bind is not None:
            _bind(sock, bind)
        return sock

    def listener(self, address: Address) -> socket.socket:
        """Return a bound TCP socket (see `Sockets`)."""
        sock = self._bound(socket.SOCK_STREAM, None)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(sock, address)
        return sock

    def raw(self) -> socket.socket:
        """Refuse: this machine's network is not only the pods'."""
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def in_pod(self, pod_uid: str) -> socket.socket:
        """Return a TCP socket: pods share this machine's loopback."""
        return self.stream()

    def connector_factory(self) -> SocketFactory:
        """Return what makes an HTTP client's connections (see `Sockets`)."""
        return lambda _: self.stream()

    def _bound(self, kind: int, source: str | None) -> socket.socket:
        sock = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
        if source is not None:
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            _bind(sock, (source, 0))
        return sock


class PodSockets:
    """Sockets of a network that this process is outside of.

    Parameters
    ----------
    make : callable
        Makes sockets there (see `runtime.pod_network.link.NetworkLink.sockets`).
    namespace : callable
        Returns the descriptor of a pod's own network namespace; `OSError` where there is no such pod.
    """

    def __init__(self, make: MakeSockets, namespace: Callable[[str], int]) -> None:
        self._make = make
        self._namespace = namespace
        self._streams: list[socket.socket] = []

    def stream(self, source: str | None = None) -> socket.socket:
        """Return a TCP socket (see `Sockets`)."""
        if not self._streams:
            self._streams = self._make(streams=_READY_STREAMS)
        return _transparent(self._streams.pop(), source)

    def datagram(self, source: str | None = None, bind: Address | None = None) -> socket.socket:
        """Return a UDP socket (see `Sockets`)."""
        (sock,) = self._make(datagrams=1)
        _transparent(sock, source)
        if bind is not None:
            _bind(sock, bind)
        return sock

    def listener(self, address: Address) -> socket.socket:
        """Return a bound TCP socket (see `Sockets`)."""
        sock = self.stream()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(sock, address)
        return sock

    def raw(self) -> socket.socket:
        """Return a raw TCP socket (see `Sockets`)."""
        (sock,) = self._make(raws=1)
        return sock

    def in_pod(self, pod_uid: str) -> socket.socket:
        """Return a TCP socket inside a pod (see `Sockets`)."""
        (sock,) = self._make(streams=1, namespace=self._namespace(pod_uid))
        return sock

    def connector_factory(self) -> SocketFactory:
        """Return what makes an HTTP client's connections (see `Sockets`)."""
        return lambda _: self.stream()

    def close(self) -> None:
        """Close those that nobody has taken."""
        while self._streams:
            self._streams.pop().close()


def _transparent(sock: socket.socket, source: str | None) -> socket.socket:
    """Let a socket speak from an address that is not this machine's own."""
    if source is not None:
        try:
            sock.setsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT, 1)
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        except OSError:
            sock.close()
            raise
        _bind(sock, (source, 0))
    return sock


def _bind(sock: socket.socket, address: Address) -> None:
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise


async def connect(sock: socket.socket, address: Address) -> None:
    """Connect a socket; it is closed where that fails or is cancelled."""
    try:
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise


async def open_connection(
    sockets: Sockets, host: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a TCP connection in the pods' network, as `asyncio.open_connection` does in this machine's.

    Raises
    ------
    OSError
        Nobody answers there.
    """
    sock = sockets.stream()
    await connect(sock, (host, port))
    return await asyncio.open_connection(sock=sock)
