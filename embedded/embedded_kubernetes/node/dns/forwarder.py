"""Questions that are not the cluster's, passed on to whom this machine asks (`plugin/forward` of CoreDNS).

Servers are tried in any order, 2 s each, 4 s together: a pod's own resolver waits 5 s. Once all have been silent,
further questions fail at once for a while. The machine's file is read again when it changes: a laptop goes from
network to network.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from .resolver import read
from .wire import Query, answers_to, write_query

_PORT = 53
_TRY_S = 2.0
_TOTAL_S = 4.0
_SILENCE_S = 5.0
"""How long nobody is asked after all have been silent."""
_MOST_AT_ONCE = 1000
_DATAGRAM_BYTES = 65_535
_LENGTH = struct.Struct(">H")


class ForwardError(Exception):
    """No server answers."""


class CrowdedError(Exception):
    """Too many questions wait for an answer."""


class Forwarder:
    """Asks the machine's servers, by sockets of the machine's own network.

    Parameters
    ----------
    file : callable
        Returns the file that names them.
    port : int
        Where they listen.
    """

    def __init__(self, file: Callable[[], Path], port: int = _PORT) -> None:
        self._file = file
        self._port = port
        self._waiting = 0
        self._known: tuple[Path, float, tuple[str, ...]] | None = None
        self._silent_until_s = 0.0

    async def ask(self, query: Query, *, stream: bool) -> bytes:
        """Return the packet that a server answers with; its message id is the question's.

        Raises
        ------
        ForwardError
            There is no server, or none answers in time.
        CrowdedError
            Too many questions are on their way.
        """
        if self._waiting >= _MOST_AT_ONCE:
            raise CrowdedError
        servers = list(self._servers())
        if time.monotonic() < self._silent_until_s:
            raise ForwardError
        random.shuffle(servers)
        self._waiting += 1
        try:
            async with asyncio.timeout(_TOTAL_S):
                while servers:
                    with contextlib.suppress(OSError, TimeoutError):
                        async with asyncio.timeout(_TRY_S):
                            return await self._ask(servers.pop(), query, stream)
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1
        self._silent_until_s = time.monotonic() + _SILENCE_S
        raise ForwardError

    def _servers(self) -> tuple[str, ...]:
        path = self._file()
        try:
            changed_s = path.stat().st_mtime
        except OSError:
            return ()
        if self._known is None or self._known[:2] != (path, changed_s):
            self._known = (path, changed_s, read(path).nameservers)
            self._silent_until_s = 0.0
        return self._known[2]

    async def _ask(self, server: str, query: Query, stream: bool) -> bytes:
        # A number of its own: the one that the pod has chosen may be easy to guess.
        asked = Query(
            secrets.randbits(16),
            query.flags,
            query.name,
            query.record_type,
            query.record_class,
            query.payload_bytes,
            query.edns_version,
            query.dnssec_ok,
        )
        ask = _by_stream if stream else _by_datagram
        packet = await ask(server, self._port, asked)
        return query.message_id.to_bytes(2) + packet[2:]


async def _by_datagram(server: str, port: int, query: Query) -> bytes:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        await loop.sock_connect(sock, (server, port))
        await loop.sock_sendall(sock, write_query(query))
        while True:
            packet = await loop.sock_recv(sock, _DATAGRAM_BYTES)
            if answers_to(query, packet):
                return packet


async def _by_stream(server: str, port: int, query: Query) -> bytes:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        packet = write_query(query)
        writer.write(_LENGTH.pack(len(packet)) + packet)
        await writer.drain()
        (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        packet = await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        raise ConnectionResetError from None
    finally:
        writer.close()
    if not answers_to(query, packet):
        raise ConnectionAbortedError
    return packet
