"""Carries one request to a pod and its answer back: HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web
from yarl import URL

from ..network.sockets import Sockets
from ..proxy.topology import Target
from .http_routes import Headers, changed_headers

_CONNECT_TIMEOUT_S = 5.0
_CHUNK_BYTES = 64 * 1024
_HOP_HEADERS = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)


@dataclass(frozen=True)
class Passage:
    """Where a request goes and what changes on its way.

    Attributes
    ----------
    target : Target
        The pod.
    raw_path : str
        Path and query for it.
    headers : sequence of (str, str)
        For it.
    filters : tuple of mapping
        Of an HTTPRoute: what changes in its answer.
    """

    target: Target
    raw_path: str
    headers: Headers
    filters: tuple[Mapping[str, Any], ...] = ()

    def url(self, scheme: str) -> URL:
        """Return where to ask, "http" or "ws"."""
        place = f"{scheme}://{self.target.address}:{self.target.port}"
        return URL(f"{place}{self.raw_path}", encoded=True)


class Passing:
    """Connections to pods, a new one for each request.

    Parameters
    ----------
    sockets : Sockets
        Of the pods' network.
    """

    def __init__(self, sockets: Sockets) -> None:
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                force_close=True,
                family=socket.AF_INET,
                socket_factory=sockets.connector_factory(),
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def carry(self, request: web.Request, passage: Passage) -> web.StreamResponse:
        """Return the pod's answer; 502 where it has none."""
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._websocket(request, passage)
            return await self._http(request, passage)
        except aiohttp.ClientError:
            return web.Response(status=502, text="502 Bad Gateway\n")

    async def _http(self, request: web.Request, passage: Passage) -> web.StreamResponse:
        body = request.content if request.body_exists else None
        async with self._client.request(
            request.method,
            passage.url("http"),
            headers=passage.headers,
            data=body,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            answered = list(answer.headers.items())
            for name, value in changed_headers(answered, passage.filters, "ResponseHeaderModifier"):
                if name.lower() not in _HOP_HEADERS:
                    response.headers.add(name, value)
            await response.prepare(request)
            try:
                async for piece in answer.content.iter_chunked(_CHUNK_BYTES):
                    await response.write(piece)
                await response.write_eof()
            except aiohttp.ClientError:
                # Half an answer must not look like a whole one.
                if request.transport is not None:
                    request.transport.abort()
            return response

    async def _websocket(self, request: web.Request, passage: Passage) -> web.StreamResponse:
        wanted = request.headers.get("Sec-WebSocket-Protocol", "")
        protocols = tuple(name.strip() for name in wanted.split(",") if name.strip())
        headers = [
            (name, value)
            for name, value in passage.headers
            if not name.lower().startswith("sec-websocket-")
        ]
        async with self._client.ws_connect(
            passage.url("ws"), headers=headers, protocols=protocols, max_msg_size=0
        ) as server:
            chosen = (server.protocol,) if server.protocol else ()
            client = web.WebSocketResponse(protocols=chosen, max_msg_size=0)
            await client.prepare(request)
            ways = {
                asyncio.create_task(_relay(client, server)),
                asyncio.create_task(_relay(server, client)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
            await client.close()
            return client


def forwarded_headers(request: web.Request) -> list[tuple[str, str]]:
    """Return the request's headers for the backend, with where it came from.

    `X-Forwarded-*` of the client are replaced: a client could claim anything.
    """
    host = request.headers.get("Host", "")
    scheme, port = ("https", "443") if request.secure else ("http", "80")
    kept = [
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in _HOP_HEADERS and not name.lower().startswith("x-forwarded-")
    ]
    return [
        *kept,
        ("X-Forwarded-For", request.remote or ""),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Port", host.rpartition(":")[2] if ":" in host else port),
        ("X-Forwarded-Proto", scheme),
        ("X-Real-Ip", request.remote or ""),
    ]


async def _relay(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for message in source:
        if message.type is WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await sink.send_bytes(message.data)
    await sink.close(code=source.close_code or 1000)
