"""Asks the control plane's servers whether they still answer; what they answer does not matter.

A component that hangs takes connections (the kernel does) and says nothing. One that answers "not ready" lives: killing
it would help nobody. Each keeps one connection, so that asking costs next to nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from ..config import ClusterConfig
from . import control_plane

ASK_EVERY_S = 2.0
_PATIENCE_S = 5.0
"""After a silence so long, a new connection is tried: the one that was kept may lead nowhere."""


@dataclass(frozen=True)
class HealthEndpoint:
    """Where a component answers on HTTP.

    Attributes
    ----------
    path : str
        A page that needs nothing but the component itself.
    socket : str
        Its unix socket; "" for one that listens on `port` of 127.0.0.1 by TLS.
    """

    path: str
    socket: str = ""
    port: int = 0


def endpoints(config: ClusterConfig) -> dict[str, HealthEndpoint]:
    """Return the components that can be asked."""
    return {
        control_plane.ETCD: HealthEndpoint("/version", socket=str(config.runtime / "etcd.sock")),
        control_plane.API_SERVER: HealthEndpoint("/livez/ping", port=config.api_port),
    }


def client_context(config: ClusterConfig) -> ssl.SSLContext:
    """Return TLS with the administrator's certificate."""
    context = ssl.create_default_context(cafile=str(config.pki / "ca.crt"))
    context.load_cert_chain(config.pki / "admin.crt", config.pki / "admin.key")
    return context


async def listen(
    endpoint: HealthEndpoint, context: ssl.SSLContext | None, heard: Callable[[], None]
) -> None:
    """Ask for ever, and call `heard` at each answer."""
    while True:
        with contextlib.suppress(OSError, EOFError, ValueError):
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await _connect(endpoint, context)
            try:
                while True:
                    async with asyncio.timeout(_PATIENCE_S):
                        await _ask(endpoint, reader, writer)
                    heard()
                    await asyncio.sleep(ASK_EVERY_S)
            finally:
                writer.transport.abort()
        await asyncio.sleep(ASK_EVERY_S / 2)


async def _connect(
    endpoint: HealthEndpoint, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if endpoint.socket:
        return await asyncio.open_unix_connection(endpoint.socket)
    return await asyncio.open_connection("127.0.0.1", endpoint.port, ssl=context)


async def _ask(
    endpoint: HealthEndpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Send one request and read its answer whole.

    Raises
    ------
    OSError, EOFError
        The connection is over.
    ValueError
        The answer does not say how long it is.
    """
    writer.write(f"GET {endpoint.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("\r\ncontent-length:")[2].split("\r\n", 1)[0]
    await reader.readexactly(int(length))
