"""An ingress controller served by the node: host and path rules on one port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web
from yarl import URL

from ...config import ClusterConfig
from ..api import Api, ApiError, Informer
from ..install import install
from ..network.sockets import Sockets
from ..proxy.service_table import ServicePort, ServiceTable
from ..proxy.topology import Target
from ..tasks import Tasks
from .ingress_rules import CLASS_NAME, CONTROLLER, Backend, IngressRoutes, find, is_ours, routes

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
_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
_INGRESSES = "/apis/networking.k8s.io/v1/ingresses"


def ingress_class() -> dict[str, Any]:
    """Return the class that Ingresses get by default."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {
            "name": CLASS_NAME,
            "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        },
        "spec": {"controller": CONTROLLER},
    }


class Ingress:
    """The controller and its HTTP server.

    Parameters
    ----------
    config : ClusterConfig
        Gives the port on 127.0.0.1.
    api : Api
        With the rights to read Ingresses and write their status.
    table : ServiceTable
        Services and endpoints; started by its owner.
    sockets : Sockets
        Of the pods' network.
    """

    def __init__(
        self, config: ClusterConfig, api: Api, table: ServiceTable, sockets: Sockets
    ) -> None:
        self._config = config
        self._sockets = sockets
        self._api = api
        self._table = table
        self._informer = Informer(api, _INGRESSES, on_change=self._changed)
        self._routes: IngressRoutes | None = None
        self._tasks = Tasks()

    async def start(self) -> None:
        """Create the IngressClass, watch Ingresses and listen.

        Raises
        ------
        OSError
            The port is taken.
        """
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                force_close=True,
                family=socket.AF_INET,
                socket_factory=self._sockets.connector_factory(),
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._tasks.start(install(self._api, [(_CLASSES, ingress_class())]))
        await self._informer.start()
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._config.ingress_port).start()

    async def close(self) -> None:
        """Stop serving and watching."""
        await self._runner.cleanup()
        await self._informer.close()
        await self._tasks.close()
        await self._client.close()

    def _changed(self, kind: str, ingress: dict[str, Any]) -> None:
        self._routes = None
        if kind == "DELETED" or not is_ours(ingress):
            return
        if not ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
            self._tasks.start(self._show_address(ingress))

    async def _show_address(self, ingress: dict[str, Any]) -> None:
        meta = ingress["metadata"]
        path = f"/apis/networking.k8s.io/v1/namespaces/{meta['namespace']}/ingresses/{meta['name']}"
        status = {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
        with contextlib.suppress(ApiError):
            await self._api.patch(f"{path}/status", status, kind="merge")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self._routes is None:
            self._routes = routes(self._informer.items.values())
        host = (request.headers.get("Host") or "").rsplit(":", 1)[0]
        backend = find(self._routes, host, request.rel_url.raw_path)
        if backend is None:
            return web.Response(status=404, text="404 page not found\n")
        target = self._target(backend)
        if target is None:
            return web.Response(status=503, text="503 no available server\n")
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._websocket(request, target)
            return await self._pass_on(request, target)
        except aiohttp.ClientError:
            return web.Response(status=502, text="502 Bad Gateway\n")

    def _target(self, backend: Backend) -> Target | None:
        for port in self._table.ports((backend.namespace, backend.service)):
            if _is_port(backend, port):
                return random.choice(port.targets) if port.targets else None
        return None

    async def _pass_on(self, request: web.Request, target: Target) -> web.StreamResponse:
        body = request.content if request.body_exists else None
        async with self._client.request(
            request.method,
            _url("http", request, target),
            headers=forwarded_headers(request),
            data=body,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
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

    async def _websocket(self, request: web.Request, target: Target) -> web.StreamResponse:
        wanted = request.headers.get("Sec-WebSocket-Protocol", "")
        protocols = tuple(name.strip() for name in wanted.split(",") if name.strip())
        headers = [
            (name, value)
            for name, value in forwarded_headers(request)
            if not name.lower().startswith("sec-websocket-")
        ]
        async with self._client.ws_connect(
            _url("ws", request, target), headers=headers, protocols=protocols, max_msg_size=0
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


def _is_port(backend: Backend, port: ServicePort) -> bool:
    wanted = port.name if isinstance(backend.port, str) else port.port
    return port.protocol == "TCP" and backend.port == wanted


def _url(scheme: str, request: web.Request, target: Target) -> URL:
    return URL(f"{scheme}://{target.address}:{target.port}{request.raw_path}", encoded=True)


def forwarded_headers(request: web.Request) -> list[tuple[str, str]]:
    """Return the request's headers for the backend, with where it came from.

    `X-Forwarded-*` of the client are replaced: a client could claim anything.
    """
    host = request.headers.get("Host", "")
    kept = [
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in _HOP_HEADERS and not name.lower().startswith("x-forwarded-")
    ]
    return [
        *kept,
        ("X-Forwarded-For", request.remote or ""),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Port", host.rpartition(":")[2] if ":" in host else "80"),
        ("X-Forwarded-Proto", "http"),
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
