"""Connections that carry one request at a time: made, by a proxy or straight, and kept where that is asked for."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from typing import Any, cast
from urllib.parse import quote, urlsplit

from .plan import Order
from .responses import MalformedError, Response

_IDLE_S = 15.0
"""A kept connection that was idle for longer is not used again."""
_PORTS = {"http": 80, "https": 443}
_SAFE = "/%:@!$&'()*+,;=~?"


class ClosedError(Exception):
    """The server closed the connection before its answer was complete."""


class RefusedByProxyError(Exception):
    """The proxy opens no way to the server."""


class Connection(asyncio.Protocol):
    """One connection.

    Attributes
    ----------
    transport : asyncio.Transport
        Known once it is made.
    open : bool
        Whether it can take a request.
    idle_since_s : float
        Since when it has had nothing to do (`time.monotonic`).
    """

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.open = False
        self.idle_since_s = 0.0
        self._answer: Response | None = None
        self._done: asyncio.Future[None] | None = None

    async def ask(self, request: bytes, answer: Response) -> None:
        """Send a request and return once its answer is complete.

        Raises
        ------
        ClosedError, MalformedError, OSError
            It never is; what has come of it is in `answer`.
        """
        if not self.open:
            raise ClosedError
        self._done = asyncio.get_running_loop().create_future()
        self._answer = answer
        self.transport.write(request)
        try:
            await self._done
        finally:
            self._answer = self._done = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the way out."""
        self.transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        """Give the answer its bytes."""
        if self._answer is None or self._answer.complete:
            self.open = False  # nobody has asked for anything
            self.transport.abort()
            return
        try:
            if self._answer.feed(data):
                self._finish(None)
        except MalformedError as error:
            self._finish(error)

    def eof_received(self) -> bool:
        """Note that the server has said all; the connection is then closed."""
        if self._answer is not None:
            self._finish(None if self._answer.end() else ClosedError())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self.open = False
        if self._answer is not None and exc is None and self._answer.end():
            self._finish(None)
        self._finish(exc or ClosedError())

    def close(self) -> None:
        """Close it at once."""
        self.open = False
        self.transport.abort()

    def _finish(self, error: Exception | None) -> None:
        if error is not None:
            self.open = False
        if self._done is None or self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)


class Connections:
    """What requests to one URL leave by.

    Parameters
    ----------
    order : Order
        Where to, by which proxy, and whether connections are kept.
    tls : SSLContext or None
        How an `https` server is checked.

    Attributes
    ----------
    request : bytes
        What each request is.
    """

    def __init__(self, order: Order, tls: ssl.SSLContext | None) -> None:
        self._order = order
        self._tls = tls
        url = urlsplit(order.url)
        self._secure = url.scheme == "https"
        self._host = url.hostname or ""
        self._port = url.port or _PORTS.get(url.scheme, 80)
        self._proxy = urlsplit(order.proxy) if order.proxy else None
        self._idle: deque[Connection] = deque()
        self._addresses: deque[Any] = deque()
        self.request = self._written(url)

    async def resolve(self) -> None:
        """Look up the addresses of the server, or of its proxy, once: no request then waits for a name.

        Raises
        ------
        OSError
            The name is unknown.
        """
        host, port = self._host, self._port
        if self._proxy is not None:
            host = self._proxy.hostname or ""
            port = self._proxy.port or _PORTS.get(self._proxy.scheme, 80)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=1)  # SOCK_STREAM
        self._addresses = deque(dict.fromkeys(item[4][:2] for item in found))

    async def take(self) -> Connection:
        """Return a connection that can take a request: a kept one, or a new one.

        Raises
        ------
        OSError, ClosedError, MalformedError, RefusedByProxyError
            None can be made.
        """
        while self._idle:
            kept = self._idle.popleft()
            if kept.open and time.monotonic() - kept.idle_since_s < _IDLE_S:
                return kept
            kept.close()
        return await self._made()

    def give_back(self, connection: Connection, reusable: bool) -> None:
        """Keep a connection for another request, or close it."""
        if reusable and self._order.keep_alive and connection.open:
            connection.idle_since_s = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close what is kept."""
        while self._idle:
            self._idle.popleft().close()

    async def _made(self) -> Connection:
        if not self._addresses:
            await self.resolve()
        error: OSError | None = None
        for _ in range(len(self._addresses)):
            host, port = self._addresses[0]
            self._addresses.rotate(-1)
            try:
                return await self._connected(host, port)
            except OSError as failure:
                error = failure
        raise error or OSError("no address")

    async def _connected(self, host: str, port: int) -> Connection:
        loop = asyncio.get_running_loop()
        name = self._order.server_hostname or self._host
        if self._proxy is None:
            tls = self._tls if self._secure else None
            _, made = await loop.create_connection(
                Connection, host, port, ssl=tls, server_hostname=name if tls else None
            )
            return made
        to_proxy = ssl.create_default_context() if self._proxy.scheme == "https" else None
        _, made = await loop.create_connection(
            Connection,
            host,
            port,
            ssl=to_proxy,
            server_hostname=self._proxy.hostname if to_proxy else None,
        )
        if self._secure:
            try:
                await self._open_tunnel(made, name)
            except BaseException:
                made.close()
                raise
        return made

    async def _open_tunnel(self, connection: Connection, name: str) -> None:
        """Have the proxy lead to the server, then speak TLS with that one."""
        target = f"{_bracketed(self._host)}:{self._port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        answer = Response("CONNECT")
        await connection.ask(_head(lines + self._authorization()), answer)
        if not 200 <= answer.status < 300:
            raise RefusedByProxyError
        assert self._tls is not None
        transport = await asyncio.get_running_loop().start_tls(
            connection.transport, connection, self._tls, server_hostname=name
        )
        if transport is None:
            raise ClosedError
        connection.transport = transport

    def _authorization(self) -> list[str]:
        value = self._order.proxy_authorization
        return [f"Proxy-Authorization: {value}"] if value else []

    def _written(self, url: Any) -> bytes:
        order = self._order
        target = quote(url.path or "/", safe=_SAFE)
        if url.query:
            target += f"?{quote(url.query, safe=_SAFE)}"
        host = _bracketed(self._host)
        if self._port != _PORTS.get(url.scheme):
            host += f":{self._port}"
        plain_proxy = self._proxy is not None and not self._secure
        headers = {"Host": host, "User-Agent": "k8s-helpers", "Accept": "*/*"}
        if not order.keep_alive:
            headers["Connection"] = "close"
        if order.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            headers["Content-Length"] = "0"
        headers.update(order.headers)
        lines = [
            f"{order.method} {f'{url.scheme}://{host}' if plain_proxy else ''}{target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return _head(lines + (self._authorization() if plain_proxy else []))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _head(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
