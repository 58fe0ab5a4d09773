"""`kubectl port-forward`: pairs of SPDY streams (data, error) joined to a pod's TCP ports.

(source: `k8s.io/cri-streaming/pkg/streaming/portforward/httpstream.go`)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import WSMsgType, web

from ..tasks import Tasks
from .spdy import SpdyError, SpdySession, Stream

PROTOCOL = "portforward.k8s.io"
TUNNEL_PROTOCOL = f"SPDY/3.1+{PROTOCOL}"
"""WebSocket subprotocol whose messages carry SPDY bytes."""

_CHUNK_BYTES = 32 * 1024
_CONNECT_TIMEOUT_S = 10.0
_QUEUED_PIECES = 64

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

Dial = Callable[[int], Awaitable[Connection]]
"""Connects to a port; `OSError` where nobody listens."""


class Carrier(Protocol):
    """What brings SPDY bytes from and to the client."""

    async def read(self) -> bytes:
        """Return the next bytes, empty at the end."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    async def drain(self) -> None:
        """Wait while the client is slow."""


class WebSocketCarrier:
    """SPDY bytes inside the binary messages of a WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._out: list[bytes] = []
        self._sending = asyncio.Lock()

    async def read(self) -> bytes:
        """Return the next message, empty at the end."""
        while True:
            await self.drain()
            message = await self._socket.receive()
            if message.type is WSMsgType.BINARY:
                if message.data:
                    return bytes(message.data)
            elif (
                message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING)
                or message.type is WSMsgType.ERROR
            ):
                return b""

    def write(self, data: bytes) -> None:
        """Keep bytes until the next `drain`."""
        self._out.append(data)

    async def drain(self) -> None:
        """Send what was kept, in order."""
        async with self._sending:
            if self._out:
                kept, self._out = b"".join(self._out), []
                with contextlib.suppress(ConnectionError):
                    await self._socket.send_bytes(kept)


class StreamCarrier:
    """SPDY bytes on a connection of their own, after `101 Switching Protocols`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """Return the next bytes, empty at the end."""
        try:
            return await self._reader.read(_CHUNK_BYTES)
        except (ConnectionError, OSError):
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait while the client is slow."""
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()


class _Pair:
    """The data and the error stream of one forwarded connection."""

    def __init__(self) -> None:
        self.data: Stream | None = None
        self.error: Stream | None = None
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.over = False
        """Nobody takes what is received any more."""


def port_of(headers: dict[str, str]) -> int:
    """Return the port that a stream asks for.

    Raises
    ------
    ValueError
        A header is missing or makes no sense: the stream is refused.
    """
    port = int(headers.get("port", ""))
    if not 0 < port < 65536:
        raise ValueError(f"port {port}")
    if headers.get("streamtype") not in ("data", "error"):
        raise ValueError(f"stream type {headers.get('streamtype')!r}")
    return port


def _reason(error: OSError) -> str:
    return f"connect: {os.strerror(error.errno).lower()}" if error.errno else "i/o timeout"


class PortForward:
    """All forwarded connections of one `kubectl port-forward`.

    Parameters
    ----------
    carrier : Carrier
        The client.
    dial : callable
        Connects to a port of the pod.
    pod : str
        Its name, for messages.
    """

    def __init__(self, carrier: Carrier, dial: Dial, pod: str) -> None:
        self._carrier = carrier
        self._dial = dial
        self._pod = pod
        self._session = SpdySession(carrier.write, self._accept)
        self._pairs: dict[str, _Pair] = {}
        self._tasks = Tasks()
        self._crowded: list[_Pair] = []

    async def run(self) -> None:
        """Serve until the client leaves."""
        try:
            while data := await self._carrier.read():
                self._session.feed(data)
                await self._carrier.drain()
                await self._hold_back()
        except SpdyError:
            return
        finally:
            self._session.end()
            await self._tasks.close()

    async def _hold_back(self) -> None:
        """Read no more from the client while the program in the pod is slow to take its data."""
        for pair in list(self._crowded):
            while pair.received.qsize() > _QUEUED_PIECES and not pair.over:
                await asyncio.sleep(0.005)
        self._crowded.clear()

    def _accept(self, stream: Stream) -> None:
        port = port_of(stream.headers)
        kind = stream.headers["streamtype"]
        request = stream.headers.get("requestid") or str(
            stream.stream_id - (2 if kind == "data" else 0)
        )
        pair = self._pairs.setdefault(request, _Pair())
        if kind == "data":
            self._receive(stream, pair)
        else:
            pair.error = stream
        if pair.data is not None and pair.error is not None:
            del self._pairs[request]
            self._tasks.start(self._forward(pair, port))

    def _receive(self, stream: Stream, pair: _Pair) -> None:
        pair.data = stream

        def on_data(data: bytes) -> None:
            if pair.over:
                return
            pair.received.put_nowait(data)
            if pair.received.qsize() > _QUEUED_PIECES:
                self._crowded.append(pair)

        stream.on_data = on_data
        stream.on_end = lambda: pair.received.put_nowait(b"")

    async def _forward(self, pair: _Pair, port: int) -> None:
        assert pair.data is not None and pair.error is not None
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                reader, writer = await self._dial(port)
        except OSError as error:
            pair.over = True
            pair.error.write(
                f"error forwarding port {port} to pod {self._pod}, uid : failed to connect to "
                f'localhost:{port} inside namespace "{self._pod}", '
                f"IPv4: dial tcp4 127.0.0.1:{port}: {_reason(error)}".encode()
            )
            pair.error.end()
            pair.data.reset()
            await self._carrier.drain()
            return
        try:
            await self._join(pair.data, pair, reader, writer)
        finally:
            pair.over = True
            pair.data.end()
            pair.error.end()
            writer.close()
            await self._carrier.drain()

    async def _join(
        self,
        data: Stream,
        pair: _Pair,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        async def to_pod() -> None:
            with contextlib.suppress(ConnectionError):
                while piece := await pair.received.get():
                    writer.write(piece)
                    await writer.drain()
                writer.write_eof()
            pair.over = True

        async def to_client() -> None:
            with contextlib.suppress(ConnectionError):
                while piece := await reader.read(_CHUNK_BYTES):
                    data.write(piece)
                    await self._carrier.drain()

        inward = asyncio.create_task(to_pod())
        try:
            await to_client()
        finally:
            inward.cancel()
            await asyncio.gather(inward, return_exceptions=True)
