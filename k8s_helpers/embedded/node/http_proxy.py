"""The HTTP proxy that containers get by `http_proxy`: it reaches Services by name, even on ports below 1024.

An ordinary user may not bind port 80, so `http://vitrine/` has nobody to talk to on its ClusterIP. This proxy knows
the table of Services and goes straight to an endpoint. The user name of the proxy's URL is the namespace of the pod.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import ipaddress
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ..config import ClusterConfig
from .names import DOMAIN, aliased
from .pump import Joint
from .service_table import ServicePort, ServiceTable, Target, host_endpoints, reachable
from .tasks import Tasks

_HEAD_LIMIT_BYTES = 64 * 1024
_HEAD_TIMEOUT_S = 30.0
_CONNECT_TIMEOUT_S = 10.0
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_HOP_HEADERS = ("proxy-authorization", "proxy-connection", "connection", "keep-alive")


def proxy_environment(config: ClusterConfig, namespace: str) -> dict[str, str]:
    """Return the environment variables that send a container's HTTP through the proxy.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    namespace : str
        The pod's namespace, in which short names are looked up.
    """
    # Python's urllib sends no user without a password.
    url = f"http://{namespace}:pod@127.0.0.1:{config.proxy_port}"
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
class Head:
    """The head of a proxied request, as it is sent on."""

    host: str
    port: int
    namespace: str
    tunnel: bool
    forwarded: bytes
    """Head to send to the server; empty for CONNECT."""


def parse_head(head: bytes) -> Head:
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
    namespace = _namespace(headers)
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
        return Head(host, port, namespace, True, b"")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    upgrade = any(name.strip().lower() == "upgrade" for name, _ in headers)
    kept = [f"{n}:{v}" for n, v in headers if n.strip().lower() not in _HOP_HEADERS]
    kept.append("Connection: Upgrade" if upgrade else "Connection: close")
    lines = "\r\n".join([f"{method} {path} {version}", *kept])
    return Head(host, port, namespace, False, f"{lines}\r\n\r\n".encode("latin-1"))


def _namespace(headers: Sequence[tuple[str, ...]]) -> str:
    for name, value in headers:
        if name.strip().lower() == "proxy-authorization":
            scheme, _, secret = value.strip().partition(" ")
            if scheme.lower() == "basic":
                with contextlib.suppress(binascii.Error, UnicodeDecodeError):
                    user = base64.b64decode(secret).decode().partition(":")[0]
                    return unquote(user) or "default"
    return "default"


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
        self._table = table
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
        self._loop.add_reader(self._socket, self._accept)

    async def close(self) -> None:
        """Close the listener and every connection."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        await self._tasks.close()
        for joint in list(self._joints):
            joint.abort()

    def _accept(self) -> None:
        try:
            client, _ = self._socket.accept()
        except OSError:
            return
        client.setblocking(False)
        self._tasks.start(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(client.close)
            try:
                head, rest = await self._read_head(client)
                request = parse_head(head)
                server = await self._connect(request)
                stack.callback(server.close)
                if request.tunnel:
                    await self._loop.sock_sendall(client, _ESTABLISHED)
            except RefusalError as refusal:
                with contextlib.suppress(OSError):
                    await self._loop.sock_sendall(client, _answer(refusal))
                return
            except (OSError, TimeoutError):
                return
            stack.pop_all()
        joint = Joint(self._loop, client, server, self._joints.discard)
        self._joints.add(joint)
        joint.start(request.forwarded + rest)

    async def _read_head(self, client: socket.socket) -> tuple[bytes, bytes]:
        data = b""
        async with asyncio.timeout(_HEAD_TIMEOUT_S):
            while b"\r\n\r\n" not in data:
                if len(data) > _HEAD_LIMIT_BYTES:
                    raise RefusalError(
                        "431 Request Header Fields Too Large", "En-têtes trop longs."
                    )
                piece = await self._loop.sock_recv(client, 16 * 1024)
                if not piece:
                    raise ConnectionResetError
                data += piece
        end = data.index(b"\r\n\r\n") + 4
        return data[:end], data[end:]

    async def _connect(self, request: Head) -> socket.socket:
        target = await self._resolve(request)
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await self._loop.sock_connect(server, (target.address, target.port))
        except BaseException as error:
            server.close()
            if not isinstance(error, OSError):
                raise
            reason = error.strerror or "pas de réponse"
            raise RefusalError(
                "502 Bad Gateway",
                f"{request.host}:{request.port} (à l'adresse {target.address}:{target.port}) "
                f"ne répond pas : {reason}.",
            ) from None
        return server

    async def _resolve(self, request: Head) -> Target:
        host, port = request.host.rstrip("."), request.port
        found = resolve(self._table, host, port, request.namespace)
        if found is not None:
            return found
        try:
            addresses = await self._loop.getaddrinfo(
                host, port, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
        except OSError as error:
            raise RefusalError(
                "502 Bad Gateway",
                f"« {host} » n'est ni un Service vu du namespace « {request.namespace} », "
                f"ni un nom connu de cette machine ({error.strerror}).",
            ) from None
        return Target(str(addresses[0][4][0]), port)


def resolve(table: ServiceTable, host: str, port: int, namespace: str) -> Target | None:
    """Return where a name or an address of the cluster leads; None where it is not the cluster's.

    Raises
    ------
    RefusalError
        A Service without that port or without ready endpoints.
    """
    try:
        address = str(ipaddress.IPv4Address(host))
    except ValueError:
        address = None
    if address is not None:
        key = table.by_cluster_ip(address)
        if key is None:
            return Target(reachable(table.config, address), port)
        return _through(table.ports(key), port, host)
    labels = host.removesuffix(f".{DOMAIN}").removesuffix(".svc").split(".")
    if len(labels) == 3:
        return _pod_of_headless(table, labels[0], (labels[2], labels[1]), port)
    key = (labels[1] if len(labels) == 2 else namespace, labels[0])
    service = table.service(key) if len(labels) <= 2 else None
    if service is None and len(labels) == 2:
        return _pod_of_headless(table, labels[0], (namespace, labels[1]), port)
    if service is not None and (alias := aliased(service)) is not None:
        key, service = alias, table.service(alias)
    if service is None or service["spec"].get("type") == "ExternalName":
        return None
    if service["spec"].get("clusterIP") == "None":
        endpoints = host_endpoints(table.config, table.slices(key))
        if not endpoints:
            raise _no_endpoints(host)
        return Target(random.choice(endpoints).address, port)
    return _through(table.ports(key), port, host)


def _pod_of_headless(
    table: ServiceTable, hostname: str, key: tuple[str, str], port: int
) -> Target | None:
    for endpoint in host_endpoints(table.config, table.slices(key)):
        if endpoint.hostname == hostname:
            return Target(endpoint.address, port)
    return None


def _through(ports: tuple[ServicePort, ...], port: int, host: str) -> Target:
    for one in ports:
        if one.port == port:
            if not one.targets:
                raise _no_endpoints(host)
            return random.choice(one.targets)
    known = ", ".join(str(one.port) for one in ports) or "aucun"
    raise RefusalError(
        "502 Bad Gateway", f"Le Service « {host} » n'a pas de port {port} (ports : {known})."
    )


def _no_endpoints(host: str) -> RefusalError:
    return RefusalError(
        "503 Service Unavailable",
        f"Le Service « {host} » n'a aucun pod prêt : « kubectl get endpointslices » le montre.",
    )


def _answer(refusal: RefusalError) -> bytes:
    body = f"{refusal.text}\n".encode()
    head = (
        f"HTTP/1.1 {refusal.status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
