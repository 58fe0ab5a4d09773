"""Two connected sockets joined: bytes, back-pressure, half-close and resets go from one to the other.

Plain non-blocking sockets on the event loop, without streams or transports: a proxied connection costs a fraction of a
millisecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable

_CHUNK_BYTES = 64 * 1024
_RESET = struct.pack("ii", 1, 0)


def reset(sock: socket.socket) -> None:
    """Close a connection so that the peer sees « connection reset » instead of an end."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


def connect(
    loop: asyncio.AbstractEventLoop,
    address: tuple[str, int],
    on_done: Callable[[socket.socket | None], None],
) -> None:
    """Connect to `address` and call `on_done` with the socket, or with None where it is refused.

    Raises
    ------
    OSError
        This process has no descriptor left; nothing has been called.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    result = sock.connect_ex(address)
    if result == errno.EINPROGRESS:
        # On loopback the answer is there already, and asking again gives it.
        result = sock.connect_ex(address)
    if result == 0:
        on_done(sock)
        return
    if result != errno.EALREADY:
        sock.close()
        on_done(None)
        return
    descriptor = sock.fileno()

    def finished() -> None:
        loop.remove_writer(descriptor)
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            sock.close()
            on_done(None)
        else:
            on_done(sock)

    loop.add_writer(descriptor, finished)


class _Half:
    """One direction of a joint."""

    # The loop is given descriptors: given sockets, it renders one as text at every look-up that misses.
    __slots__ = (
        "_joint",
        "_loop",
        "_pending",
        "_sink",
        "_sink_fd",
        "_source",
        "_source_fd",
        "ended",
    )

    def __init__(self, joint: Joint, source: socket.socket, sink: socket.socket) -> None:
        self._joint = joint
        self._loop = joint.loop
        self._source = source
        self._sink = sink
        self._source_fd = source.fileno()
        self._sink_fd = sink.fileno()
        self._pending: bytes | memoryview = b""
        self.ended = False

    def start(self, first: bytes) -> None:
        if first:
            self._send(first, reading=False)
        else:
            self._loop.add_reader(self._source_fd, self._readable)

    def _readable(self) -> None:
        try:
            data = self._source.recv(_CHUNK_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._joint.abort()
            return
        if data:
            self._send(data, reading=True)
            return
        self._loop.remove_reader(self._source_fd)
        self.ended = True
        with contextlib.suppress(OSError):
            self._sink.shutdown(socket.SHUT_WR)
        self._joint.half_ended()

    def _send(self, data: bytes | memoryview, reading: bool) -> None:
        try:
            sent = self._sink.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._joint.abort()
            return
        if sent < len(data):
            self._pending = memoryview(data)[sent:]
            if reading:
                self._loop.remove_reader(self._source_fd)
            self._loop.add_writer(self._sink_fd, self._writable)
        elif not reading:
            self._loop.add_reader(self._source_fd, self._readable)

    def _writable(self) -> None:
        pending, self._pending = self._pending, b""
        self._loop.remove_writer(self._sink_fd)
        self._send(pending, reading=False)


class Joint:
    """Two connected sockets joined until both have ended; it owns and closes them.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The running loop.
    client, server : socket.socket
        Non-blocking and connected.
    on_close : callable
        Called once when both are closed.
    """

    __slots__ = ("_client", "_inward", "_on_close", "_outward", "_server", "loop")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: socket.socket,
        server: socket.socket,
        on_close: Callable[[Joint], None],
    ) -> None:
        self.loop = loop
        self._client = client
        self._server = server
        self._on_close = on_close
        for sock in (client, server):
            if sock.family is socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._inward = _Half(self, client, server)
        self._outward = _Half(self, server, client)

    def start(self, first: bytes = b"") -> None:
        """Begin; `first` are bytes that were read from the client already."""
        self._outward.start(b"")
        self._inward.start(first)

    def half_ended(self) -> None:
        """Close both sockets once both directions have ended."""
        if self._inward.ended and self._outward.ended:
            self._close(lambda sock: sock.close())

    def abort(self) -> None:
        """Reset both connections."""
        self._close(reset)

    def _close(self, how: Callable[[socket.socket], None]) -> None:
        if self._client.fileno() < 0:
            return
        for sock in (self._client, self._server):
            self.loop.remove_reader(sock.fileno())
            self.loop.remove_writer(sock.fileno())
            how(sock)
        self._on_close(self)
