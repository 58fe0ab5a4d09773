"""A small HTTP/1.1 server on sockets: one thread a connection, and an end that loses nobody.

Why not `http.server`? It takes twice as long to start and twice the memory, and how a server *ends* is this
program's subject: here it is in plain sight, in `Server.close`.
"""

import contextlib
import select
import socket
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

BACKLOG = 1024  # connections that the kernel keeps for us until we accept them
FIRST_REQUEST_S = 5.0  # a new connection must say something within that
KEEP_ALIVE_S = 30.0  # a connection that has been served may stay silent that long
MAX_HEAD_BYTES = 32 * 1024
MAX_BODY_BYTES = 1024 * 1024

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass
class Request:
    """What the client asks."""

    method: str
    path: str
    query: dict
    headers: dict  # names in lower case
    body: bytes
    keep_alive: bool


@dataclass
class Response:
    """What we answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: dict = field(default_factory=dict)


class RequestError(Exception):
    """What the client sent is not an HTTP request that we take; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Server:
    """Listens, and gives each request to `handle(request) -> Response`."""

    def __init__(self, address, handle) -> None:
        self._handle = handle
        self._idle = set()  # connections that were served and now wait for another request
        self._open = 0
        self._closing = False
        self._changed = threading.Condition()
        self._wake_up, self._alarm = socket.socketpair()
        self._listener = socket.create_server(address, backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)
        self._acceptor.start()

    def close(self) -> int:
        """End without losing anybody; return how many requests were under way.

        1. take the connections that the kernel has queued for us, then stop listening;
        2. close the kept-alive connections where nothing is being asked;
        3. wait until every request under way has its answer.
        """
        with self._changed:
            self._closing = True
        self._alarm.send(b"!")
        self._acceptor.join()
        with self._changed:
            for connection in self._idle:
                with contextlib.suppress(OSError):  # its client has left already
                    connection.shutdown(socket.SHUT_RD)
            under_way = self._open - len(self._idle)
            self._changed.wait_for(lambda: self._open == 0)
        return under_way

    def _accept(self) -> None:
        while True:
            select.select([self._listener, self._wake_up], [], [])
            self._accept_all_queued()
            if self._closing:
                self._listener.close()
                return

    def _accept_all_queued(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # nobody left in the queue, or the client has gone already
                return
            with self._changed:
                self._open += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        """Answer the requests of one connection until either side has had enough."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(FIRST_REQUEST_S)
        stream = connection.makefile("rb")
        try:
            while self._serve_one(connection, stream):
                connection.settimeout(KEEP_ALIVE_S)
        except OSError:  # the client left, or says nothing
            pass
        finally:
            stream.close()
            connection.close()
            with self._changed:
                self._idle.discard(connection)
                self._open -= 1
                self._changed.notify_all()

    def _serve_one(self, connection: socket.socket, stream) -> bool:
        """Answer one request; return whether the connection stays open."""
        try:
            request = read_request(stream)
        except RequestError as error:
            connection.sendall(encode(Response(error.status), keep_alive=False))
            return False
        with self._changed:
            self._idle.discard(connection)
        if request is None:
            return False
        response = self._handle(request)
        with self._changed:
            keep_alive = request.keep_alive and not self._closing
            if keep_alive:
                self._idle.add(connection)
        connection.sendall(encode(response, keep_alive, with_body=request.method != "HEAD"))
        return keep_alive


def read_request(stream) -> Request | None:
    """Read one request; None where the client closed the connection instead."""
    line = stream.readline(MAX_HEAD_BYTES)
    if not line:
        return None
    try:
        method, target, protocol = line.decode("ascii").split()
        url = urlsplit(target)
    except ValueError:
        raise RequestError(400) from None
    if not protocol.startswith("HTTP/1."):
        raise RequestError(400)
    headers = read_headers(stream)
    connection = headers.get("connection", "").lower()
    return Request(
        method=method,
        path=unquote(url.path),
        query=dict(parse_qsl(url.query)),
        headers=headers,
        body=read_body(stream, headers),
        keep_alive=connection == "keep-alive" or (protocol == "HTTP/1.1" and connection != "close"),
    )


def read_headers(stream) -> dict:
    """Read the header lines up to the empty one."""
    headers, size = {}, 0
    while (line := stream.readline(MAX_HEAD_BYTES)) not in (b"\r\n", b"\n"):
        size += len(line)
        if size > MAX_HEAD_BYTES:
            raise RequestError(431)
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise RequestError(400)
        headers[name.strip().lower()] = value.strip()
    return headers


def read_body(stream, headers: dict) -> bytes:
    """Read the body that `Content-Length` announces."""
    if "transfer-encoding" in headers:
        raise RequestError(411)
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise RequestError(400)
    if int(length) > MAX_BODY_BYTES:
        raise RequestError(413)
    return stream.read(int(length))


def encode(response: Response, keep_alive: bool, with_body: bool = True) -> bytes:
    """Return the bytes of an answer."""
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "Connection": "keep-alive" if keep_alive else "close",
        **response.headers,
    }
    head = f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("latin-1") + b"\r\n" + (response.body if with_body else b"")
