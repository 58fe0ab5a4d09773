"""The HTTP proxy that containers get by `http_proxy`: it reaches Services by name, even on ports below 1024.

An ordinary user may not bind port 80, so `http://vitrine/` has nobody to talk to on its ClusterIP. This proxy knows
the table of Services and goes straight to an endpoint. User and password of the proxy's URL are namespace and address
of the pod. Where a cluster has nobody to answer, this proxy does not answer either: it resets the connection, an
error for every program, where a page that says so would be an answer.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ...config import ClusterConfig
from ..network.sockets import HostSockets
from ..tasks import Tasks
from .accepting import Acceptor
from .destinations import Destinations, UnreachableError
from .pump import Joint, reset, without_delay
from .service_table import ServiceTable

_log = logging.getLogger(__name__)

_HEAD_LIMIT_BYTES = 64 * 1024
_HEAD_TIMEOUT_S = 30.0
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_HOP_HEADERS = ("proxy-authorization", "proxy-connection", "connection", "keep-alive")


def proxy_environment(config: ClusterConfig, namespace: str, address: str) -> dict[str, str]:
    """Return the environment variables that send a container's HTTP through the proxy.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    namespace : str
        The pod's namespace, in which short names are looked up.
    address : str
        Its bindable address, which its servers see as the client's.
    """
    url = f"http://{namespace}:{address}@127.0.0.1:{config.proxy_port}"
    direct = "localhost,127.0.0.1"
    lower = {"http_proxy": url, "https_proxy": url, "no_proxy": direct}
    return {**lower, **{name.upper(): value for name, value in lower.items()}}


class RefusalError(Exception):
    """A request that the proxy answers itself."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True)
class RequestHead:
    """The head of a proxied request, as it is sent on."""

    host: str
    port: int
    namespace: str
    client: str
    """What the request says of the pod's address."""
    tunnel: bool
    forwarded: bytes
    """Head to send to the server; empty for CONNECT."""


def parse_head(head: bytes) -> RequestHead:
    """Read the head of a request to a proxy.

    Raises
    ------
    RefusalError
        Not a request that a proxy can serve.
    """
    first, *rest = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3:
        raise RefusalError("400 Bad Request", f"Requête illisible : « {first[:80]} ».")
    method, where, version = parts
    headers = [line.partition(":")[::2] for line in rest]
    namespace, client = _user(headers)
    try:
        url = urlsplit(f"//{where}" if method == "CONNECT" else where)
        host, port = url.hostname, url.port or (443 if method == "CONNECT" else 80)
    except ValueError:
        host = None
    if host is None or (method != "CONNECT" and url.scheme != "http"):
        raise RefusalError(
            "400 Bad Request",
            "Ce port est le proxy HTTP des conteneurs ; il attend « GET http://service/ » ou "
            f"« CONNECT service:443 », et il a reçu « {first[:80]} ».",
        )
    if method == "CONNECT":
        return RequestHead(host, port, namespace, client, True, b"")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    upgrade = any(name.strip().lower() == "upgrade" for name, _ in headers)
    kept = [f"{n}:{v}" for n, v in headers if n.strip().lower() not in _HOP_HEADERS]
    kept.append("Connection: Upgrade" if upgrade else "Connection: close")
    lines = "\r\n".join([f"{method} {path} {version}", *kept])
    return RequestHead(host, port, namespace, client, False, f"{lines}\r\n\r\n".encode("latin-1"))


def _user(headers: Sequence[tuple[str, ...]]) -> tuple[str, str]:
    """Return namespace and address of the pod that asks."""
    for name, value in headers:
        if name.strip().lower() == "proxy-authorization":
            scheme, _, secret = value.strip().partition(" ")
            if scheme.lower() == "basic":
                with contextlib.suppress(binascii.Error, UnicodeDecodeError):
                    user, _, address = base64.b64decode(secret).decode().partition(":")
                    return unquote(user) or "default", address
    return "default", ""


class HttpProxy:
    """The proxy's listener.

    Parameters
    ----------
    config : ClusterConfig
        Gives the port on 127.0.0.1.
    table : ServiceTable
        Services and endpoints; started by its owner.
    """

    def __init__(self, config: ClusterConfig, table: ServiceTable) -> None:
        self._config = config
        self._destinations = Destinations(table, HostSockets())
        self._joints: set[Joint] = set()
        self._tasks = Tasks()

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        OSError
            The port is taken.
        """
        self._loop = asyncio.get_running_loop()
        self._socket = socket.create_server(("127.0.0.1", self._config.proxy_port), backlog=512)
        self._socket.setblocking(False)
        without_delay(self._socket)
        self._acceptor = Acceptor(self._loop, self._socket, self._take)
        self._acceptor.start()

    async def close(self) -> None:
        """Close the listener and every connection."""
        self._acceptor.stop()
        self._socket.close()
        await self._tasks.close()
        for joint in list(self._joints):
            joint.abort()

    def _take(self, client: socket.socket, peer: tuple[str, int]) -> None:
        self._tasks.start(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(client.close)
            try:
                head, rest = await read_head(client)
                request = parse_head(head)
                server = await self._destinations.dial(
                    request.host, request.port, request.namespace, request.client
                )
                stack.callback(server.close)
                if request.tunnel:
                    await self._loop.sock_sendall(client, ESTABLISHED)
            except RefusalError as refusal:
                with contextlib.suppress(OSError):
                    await self._loop.sock_sendall(client, _answer(refusal))
                return
            except UnreachableError as error:
                _log.info("%s (namespace %s): %s", request.host, request.namespace, error)
                reset(client)
                return
            except (OSError, TimeoutError):
                return
            stack.pop_all()
        joint = Joint(self._loop, client, server, self._joints.discard)
        self._joints.add(joint)
        joint.start(request.forwarded + rest)


async def read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return the head of a request to a proxy, and what came after it.

    Raises
    ------
    RefusalError
        It is too long.
    OSError
        The client has left.
    TimeoutError
        It does not come.
    """
    loop = asyncio.get_running_loop()
    data = b""
    async with asyncio.timeout(_HEAD_TIMEOUT_S):
        while b"\r\n\r\n" not in data:
            if len(data) > _HEAD_LIMIT_BYTES:
                raise RefusalError("431 Request Header Fields Too Large", "En-têtes trop longs.")
            piece = await loop.sock_recv(client, 16 * 1024)
            if not piece:
                raise ConnectionResetError
            data += piece
    end = data.index(b"\r\n\r\n") + 4
    return data[:end], data[end:]


def _answer(refusal: RefusalError) -> bytes:
    body = f"{refusal.text}\n".encode()
    head = (
        f"HTTP/1.1 {refusal.status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
