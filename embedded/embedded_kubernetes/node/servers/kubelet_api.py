"""The kubelet's HTTPS API on loopback: logs, exec, attach, port-forward, statistics.

Only the API server gets in, by its client certificate. Exec and attach come by WebSocket, because the node declares
`ExtendWebSocketsToKubelet`; port-forward by SPDY, alone or inside a WebSocket.
(source: `k8s.io/kubernetes/pkg/kubelet/server/server.go`)
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from ...config import ClusterConfig
from ...pki import KUBELET_SERVING
from ..cri import Container, ContainerStartError, ExecProcess, exec_failure
from ..network.sockets import Sockets, connect
from ..records import Object
from .log_reader import LogOptions, read_log
from .portforward import (
    PROTOCOL,
    TUNNEL_PROTOCOL,
    Connection,
    Dial,
    PortForward,
    StreamCarrier,
    WebSocketCarrier,
)
from .stats_summary import summary
from .streams import PROTOCOLS, Channels, PodLookup, failure_status, serve_process

_SPDY = "SPDY/3.1"
_PORT = 10250
"""Where pods look for it at the node's address."""
_CLIENT_GROUP = "system:masters"


def server_context(config: ClusterConfig, name: str, client_ca: str) -> ssl.SSLContext:
    """Return TLS for a server of the node that demands a client certificate.

    Parameters
    ----------
    config : ClusterConfig
        Gives the folder of keys.
    name : str
        The serving certificate (`NODE-serving`, `metrics-serving`).
    client_ca : str
        The authority that clients' certificates must come from (`ca`, `front-proxy-ca`).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config.pki / f"{name}.crt", config.pki / f"{name}.key")
    context.load_verify_locations(config.pki / f"{client_ca}.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def subject(request: web.Request, attribute: str) -> tuple[str, ...]:
    """Return the values of one attribute (`commonName`, `organizationName`) of the client's subject."""
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    parts = (certificate or {}).get("subject", ())
    return tuple(value for part in parts for name, value in part if name == attribute)


class KubeletApi:
    """The kubelet API of one node.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    node_name : str
        One of `config.node_names`; decides the port.
    pods : PodLookup
        The node's pods.
    sockets : Sockets
        Of the pods' network.
    """

    def __init__(
        self, config: ClusterConfig, node_name: str, pods: PodLookup, sockets: Sockets
    ) -> None:
        self._sockets = sockets
        self._config = config
        self._node_name = node_name
        self._pods = pods

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        OSError
            The port is taken.
        """
        app = web.Application(middlewares=[_only_api_server])
        add = app.router.add_route
        add("GET", "/healthz", self._healthz)
        add("GET", "/pods", self._list_pods)
        add("GET", "/runningpods/", self._list_pods)
        add("GET", "/stats/summary", self._stats)
        add("GET", "/configz", self._configz)
        add("GET", "/logs/{path:.*}", self._node_logs)
        add("GET", "/containerLogs/{namespace}/{pod}/{container}", self._logs)
        for uid in ("", "/{uid}"):
            add("*", f"/exec/{{namespace}}/{{pod}}{uid}/{{container}}", self._exec)
            add("*", f"/attach/{{namespace}}/{{pod}}{uid}/{{container}}", self._attach)
            add("*", f"/portForward/{{namespace}}/{{pod}}{uid}", self._port_forward)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0
        )
        await self._runner.setup()
        port = self._config.kubelet_ports[self._config.node_names.index(self._node_name)]
        self._context = server_context(self._config, f"{self._node_name}{KUBELET_SERVING}", "ca")
        for host in ("127.0.0.1", self._config.loopback_address(self._node_name)):
            await web.TCPSite(self._runner, host, port, ssl_context=self._context).start()
        if self._config.network == "pods":
            address = self._config.node_address(self._node_name)
            for number in {port, _PORT}:
                listener = self._sockets.listener((address, number))
                await web.SockSite(self._runner, listener, ssl_context=self._context).start()

    async def adopt(self, connection: socket.socket) -> None:
        """Serve a connection that was accepted elsewhere and is for this API."""
        server = self._runner.server
        assert server is not None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                server, connection, ssl=self._context
            )
        except OSError:
            connection.close()  # the client left before they had agreed on keys

    async def close(self) -> None:
        """Stop listening and end every session."""
        await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _list_pods(self, request: web.Request) -> web.Response:
        pods = {"kind": "PodList", "apiVersion": "v1", "items": list(self._pods.all_pods())}
        return web.json_response(pods)

    async def _stats(self, request: web.Request) -> web.Response:
        return web.json_response(summary(self._node_name, self._pods))

    async def _configz(self, request: web.Request) -> web.Response:
        said = {
            "kind": "KubeletConfiguration",
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "address": "127.0.0.1",
            "port": self._config.kubelet_ports[self._config.node_names.index(self._node_name)],
        }
        return web.json_response({"kubeletconfig": said})

    async def _node_logs(self, request: web.Request) -> web.StreamResponse:
        return _log_files(request, self._config.path / "logs")

    def _place(self, request: web.Request) -> tuple[str, str, str]:
        """Return namespace, pod and container of a request, 404 where the pod is not here."""
        where = request.match_info
        namespace, pod = where["namespace"], where["pod"]
        known = self._pods.pod(namespace, pod)
        if known is None or where.get("uid", known["metadata"]["uid"]) != known["metadata"]["uid"]:
            raise web.HTTPNotFound(text="pod does not exist")
        return namespace, pod, where.get("container", "")

    def _container(self, request: web.Request) -> Container:
        """Return the running container of a request; where there is none, say so as the kubelet does."""
        namespace, pod, name = self._place(request)
        container = self._pods.container(namespace, pod, name)
        if container is None or not container.running():
            raise web.HTTPInternalServerError(text=f'container not found ("{name}")')
        return container

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        namespace, pod, name = self._place(request)
        try:
            options = LogOptions.from_query(request.query)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        path = self._pods.log_path(namespace, pod, name, options.previous)
        if path is None or not path.exists():
            lost = lost_log(self._pods.pod(namespace, pod), name)
            if lost is not None and not options.previous:
                return web.Response(text=lost)
            known = self._pods.pod(namespace, pod) or {"metadata": {"name": pod}}
            raise web.HTTPBadRequest(text=no_log(known, name, options.previous))
        container = None if options.previous else self._pods.container(namespace, pod, name)
        # Its end is known once its last words are in the file.
        ended = None if container is None else asyncio.ensure_future(container.wait())
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        try:
            async for text in read_log(
                path, options, lambda: ended is not None and not ended.done()
            ):
                await response.write(text)
        finally:
            if ended is not None:
                ended.cancel()
        await response.write_eof()
        return response

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        argv = request.query.getall("command", [])
        if not argv:
            raise web.HTTPBadRequest(text="you must specify at least 1 container, 1 command")
        wants = _Wants(request)

        async def run() -> ExecProcess:
            return await container.exec(argv, stdin=wants.stdin, tty=wants.tty)

        return await _serve_channels(request, wants, run, attached=False)

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        return await _serve_channels(
            request, _Wants(request), self._container(request).attach, attached=True
        )

    async def _port_forward(self, request: web.Request) -> web.StreamResponse:
        _, name, _ = self._place(request)
        pod = self._pods.pod(request.match_info["namespace"], name) or {}
        if not (pod.get("status") or {}).get("podIP"):
            raise web.HTTPBadRequest(text=f'pod "{name}" has no address yet')
        dial = self._dialler(pod)
        upgrade = request.headers.get("Upgrade", "")
        if upgrade.lower() == "websocket":
            if TUNNEL_PROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
                raise web.HTTPBadRequest(text=f"only {TUNNEL_PROTOCOL} is spoken here")
            socket = web.WebSocketResponse(protocols=(TUNNEL_PROTOCOL,), max_msg_size=0)
            await socket.prepare(request)
            carrier = WebSocketCarrier(socket)
            await PortForward(carrier, dial, name).run()
            await socket.close()
            return socket
        if upgrade.upper() != _SPDY:
            raise web.HTTPBadRequest(text="unable to upgrade: no WebSocket or SPDY/3.1 upgrade")
        return await _spdy_port_forward(request, dial, name)

    def _dialler(self, pod: Object) -> Dial:
        """Return what connects to a pod as a runtime does: to its own 127.0.0.1, or where it listens on loopback."""
        loopback = "127.0.0.1"
        if self._config.network == "host":
            loopback = self._config.bindable(pod["status"]["podIP"])

        async def dial(port: int) -> Connection:
            sock = self._sockets.in_pod(pod["metadata"]["uid"])
            await connect(sock, (loopback, port))
            return await asyncio.open_connection(sock=sock)

        return dial


class _Wants:
    """The streams that a client of exec or attach asks for."""

    def __init__(self, request: web.Request) -> None:
        def truth(name: str) -> bool:
            return request.query.get(name, "").lower() in ("1", "true")

        self.stdin, self.stdout, self.stderr, self.tty = map(
            truth, ("input", "output", "error", "tty")
        )
        if not (self.stdin or self.stdout or self.stderr):
            raise web.HTTPBadRequest(text="you must specify at least 1 of stdin, stdout, stderr")


_PULL_TROUBLE = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def lost_log(pod: dict[str, Any] | None, container: str) -> str | None:
    """Return what stands for the log of a container of an evicted pod, which went with it; None for any other."""
    status = (pod or {}).get("status") or {}
    if status.get("reason") != "Evicted":
        return None
    for container_status in (
        *status.get("initContainerStatuses", ()),
        *status.get("containerStatuses", ()),
    ):
        if container_status["name"] == container and "terminated" in (
            container_status.get("state") or {}
        ):
            return (
                f"unable to retrieve container logs for {container_status.get('containerID', '')}"
            )
    return None


def no_log(pod: dict[str, Any], container: str, previous: bool) -> str:
    """Return the kubelet's words for a container that has no log.

    (source: `validateContainerLogStatus`, `k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go`)
    """
    what = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    if previous:
        return f"previous terminated {what} not found"
    said = pod.get("status") or {}
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for status in said.get(kind) or ():
            if status["name"] == container:
                reason = ((status.get("state") or {}).get("waiting") or {}).get("reason")
                if reason is None:
                    return f"{what} is waiting to start - no logs yet"
                return f"{what} is waiting to start: {_PULL_TROUBLE.get(reason, reason)}"
    return f"{what} is not available"


@web.middleware
async def _only_api_server(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    # Other certificates of the same authority belong to nodes and to students.
    if _CLIENT_GROUP not in subject(request, "organizationName"):
        raise web.HTTPForbidden(text="only the API server may use the kubelet's API")
    return await handler(request)


async def _serve_channels(
    request: web.Request,
    wants: _Wants,
    begin: Callable[[], Awaitable[ExecProcess]],
    *,
    attached: bool,
) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise web.HTTPBadRequest(
            text="this node speaks exec and attach by WebSocket only (kubectl 1.31 or later)"
        )
    socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=0, heartbeat=60.0)
    await socket.prepare(request)
    channels = Channels(socket)
    try:
        process = await begin()
    except (ContainerStartError, OSError) as error:
        message = f"error executing command in container: {exec_failure(error)}"
        await channels.send_status(failure_status(message))
    else:
        await serve_process(
            channels,
            process,
            stdout=wants.stdout,
            stderr=wants.stderr,
            attached=attached,
        )
    await channels.close()
    return socket


async def _spdy_port_forward(request: web.Request, dial: Dial, pod: str) -> web.StreamResponse:
    """Take the connection over from the HTTP server and speak SPDY on it until it ends."""
    transport, http = request.transport, request.protocol
    assert transport is not None
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport.write(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        b"X-Stream-Protocol-Version: " + PROTOCOL.encode() + b"\r\n\r\n"
    )
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    try:
        await PortForward(StreamCarrier(reader, writer), dial, pod).run()
    finally:
        with contextlib.suppress(OSError):
            transport.close()
        # The HTTP server no longer hears from the transport: tell it that the connection is over.
        loop.call_soon(http.connection_lost, None)
    return web.Response()


def _log_files(request: web.Request, folder: Path) -> web.StreamResponse:
    """Return the list of a folder's files, or a file; 404 for what is not there or outside.

    What is `/var/log` on a node of its own is the cluster's folder of logs here.
    (source: `http.FileServer` in `InstallDebuggingHandlers`, `k8s.io/kubernetes/pkg/kubelet/server/server.go`)
    """
    root = folder.resolve()
    asked = (root / request.match_info["path"]).resolve()
    if not asked.is_relative_to(root):
        raise web.HTTPNotFound(text="404 page not found")
    if asked.is_dir():
        names = sorted(f"{file.name}/" if file.is_dir() else file.name for file in asked.iterdir())
        lines = (f'<a href="{quote(name)}">{html.escape(name)}</a>\n' for name in names)
        return web.Response(text=f"<pre>\n{''.join(lines)}</pre>\n", content_type="text/html")
    if not asked.is_file():
        raise web.HTTPNotFound(text="404 page not found")
    return web.FileResponse(asked, headers={"Content-Type": "text/plain; charset=utf-8"})
