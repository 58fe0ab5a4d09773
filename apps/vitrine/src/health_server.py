"""The gRPC health service (`grpc.health.v1.Health/Check`), with just enough of HTTP/2 to be asked by a probe.

Every byte is in plain sight: a frame is 9 bytes and a payload (RFC 9113), header names and values are coded by HPACK
(RFC 7541), a message is a flag, its length and a few bytes of protobuf
(https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). Only what a small unary call needs is done.
"""

import contextlib
import socket
import struct
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, WITH_PRIORITY = 0x4, 0x8, 0x20
MAX_FRAME_BYTES = 16384
MAX_CALL_BYTES = 65536
SILENT_S = 60.0

# No table of headers between calls: each one then tells its path in full, and there is nothing to remember.
OUR_SETTINGS = struct.pack(">HI", 1, 0)
# Plain, and in HPACK's Huffman code: a client may write either.
CHECK = (
    b"/grpc.health.v1.Health/Check",
    bytes.fromhex("626b2b22f394742675fb857c651d099d8bd3949d7f"),
)
PATH_NAMES = (b":path", bytes.fromhex("b958d33f"))
PATH_INDEXES = (4, 5)  # in HPACK's static table

ANSWER_HEADERS = b"\x88" + b"\x0f\x10" + b"\x10application/grpc"  # :status 200, content-type
SERVING, NOT_SERVING = 1, 2
OK, NOT_FOUND, UNIMPLEMENTED = "0", "5", "12"


class ProtocolError(Exception):
    """What came is not HTTP/2, or more of it than we take."""


class HealthServer:
    """Listens, and asks `healthy(service) -> bool | None` (None: no such service) for each check."""

    def __init__(self, address, healthy) -> None:
        self._healthy = healthy
        self._listener = None
        self._lock = threading.Lock()
        self._address = address
        self.open()
        self._address = (address[0], self.port)  # the same port again, whichever it was

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._address[1] if self._listener is None else self._listener.getsockname()[1]

    def open(self) -> None:
        """Listen, unless it does already."""
        with self._lock:
            if self._listener is None:
                self._listener = socket.create_server(self._address)
                threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections from now on."""
        with self._lock:
            if self._listener is not None:
                # `close` alone would leave the port open as long as a thread waits in `accept`.
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None

    def _accept(self, listener) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(SILENT_S)
        with contextlib.suppress(OSError, ProtocolError), connection:
            Conversation(connection, self._healthy).run()


class Conversation:
    """One connection: reads its frames, answers each call whose request is complete."""

    def __init__(self, connection: socket.socket, healthy) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._healthy = healthy
        self._heads = {}  # block of headers, by number of call
        self._bodies = {}
        self._last = (0, 0)  # call and flags of the last HEADERS, which a CONTINUATION goes on with

    def run(self) -> None:
        """Go on until the client leaves."""
        with self._stream:
            if self._stream.read(len(PREFACE)) != PREFACE:
                return
            self._send(SETTINGS, 0, 0, OUR_SETTINGS)
            while (head := self._stream.read(9)) and len(head) == 9:
                length = int.from_bytes(head[:3], "big")
                if length > MAX_FRAME_BYTES:
                    raise ProtocolError
                call = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
                if head[3] == GOAWAY:
                    return
                self._take(head[3], head[4], call, self._stream.read(length))

    def _take(self, kind: int, flags: int, call: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            self._send(SETTINGS, ACK, 0)
        elif kind == PING and not flags & ACK:
            self._send(PING, ACK, 0, payload)
        elif kind == HEADERS:
            self._last = call, flags
            self._heads[call] = unpadded(payload, flags)
            self._bodies[call] = b""
            self._end(call, flags)
        elif kind == CONTINUATION and call == self._last[0]:
            self._heads[call] += payload
            self._end(call, self._last[1] | flags)
        elif kind == DATA and call in self._bodies:
            self._bodies[call] += unpadded(payload, flags)
            if payload:  # let the client send as much again
                self._send(WINDOW_UPDATE, 0, 0, struct.pack(">I", len(payload)))
            self._end(call, flags | END_HEADERS)
        elif kind == RST_STREAM:
            self._heads.pop(call, None)
            self._bodies.pop(call, None)
        if sum(map(len, (*self._heads.values(), *self._bodies.values()))) > MAX_CALL_BYTES:
            raise ProtocolError

    def _end(self, call: int, flags: int) -> None:
        """Answer a call, where this was the last frame of its request."""
        if flags & END_STREAM and flags & END_HEADERS:
            self._answer(call, path_of(self._heads.pop(call)), self._bodies.pop(call))

    def _answer(self, call: int, path: bytes, body: bytes) -> None:
        if path not in CHECK:
            self._refuse(call, UNIMPLEMENTED)
            return
        healthy = self._healthy(service_of(body))
        if healthy is None:
            self._refuse(call, NOT_FOUND)
            return
        message = bytes((0x08, SERVING if healthy else NOT_SERVING))  # field 1, a number
        self._send(HEADERS, END_HEADERS, call, ANSWER_HEADERS)
        self._send(DATA, 0, call, struct.pack(">BI", 0, len(message)) + message)
        self._send(HEADERS, END_HEADERS | END_STREAM, call, status_header(OK))

    def _refuse(self, call: int, status: str) -> None:
        self._send(HEADERS, END_HEADERS | END_STREAM, call, ANSWER_HEADERS + status_header(status))

    def _send(self, kind: int, flags: int, call: int, payload: bytes = b"") -> None:
        head = len(payload).to_bytes(3, "big") + bytes((kind, flags)) + call.to_bytes(4, "big")
        self._connection.sendall(head + payload)


def unpadded(payload: bytes, flags: int) -> bytes:
    """Return a payload without its padding and its priority."""
    start, end = 0, len(payload)
    if flags & PADDED:
        if not payload or payload[0] >= end:
            raise ProtocolError
        start, end = 1, end - payload[0]
    if flags & WITH_PRIORITY:
        start += 5
    return payload[start:end]


def status_header(status: str) -> bytes:
    """Return `grpc-status` as HPACK writes a name and a value that are in no table."""
    name = b"grpc-status"
    return bytes((0, len(name))) + name + bytes((len(status),)) + status.encode()


def path_of(block: bytes) -> bytes:
    """Return the value of `:path` as it was sent (plain, or in Huffman code); b"" where it is not told."""
    at, path = 0, b""
    try:
        while at < len(block):
            first = block[at]
            if first & 0x80:  # name and value from a table
                _, at = number(block, at, 7)
            elif first & 0xE0 == 0x20:  # size of the table
                _, at = number(block, at, 5)
            else:
                index, at = number(block, at, 6 if first & 0x40 else 4)
                name = b""
                if index == 0:
                    name, at = string(block, at)
                value, at = string(block, at)
                if index in PATH_INDEXES or name in PATH_NAMES:
                    path = value
    except IndexError:
        raise ProtocolError from None
    return path


def number(block: bytes, at: int, bits: int) -> tuple:
    """Return an HPACK integer whose first byte has that many bits of it, and where it ends."""
    most = (1 << bits) - 1
    value, at, shift = block[at] & most, at + 1, 0
    if value < most:
        return value, at
    while shift <= 28:
        byte, at = block[at], at + 1
        value += (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
    raise ProtocolError


def string(block: bytes, at: int) -> tuple:
    """Return an HPACK string as it was sent, and where it ends."""
    length, at = number(block, at, 7)
    if at + length > len(block):
        raise ProtocolError
    return block[at : at + length], at + length


def service_of(body: bytes) -> str:
    """Return the service that a `HealthCheckRequest` asks about; "" is the whole program."""
    message = body[5:]
    if not message:
        return ""
    if message[0] != 0x0A or len(message) < 2 or message[1] != len(message) - 2:
        raise ProtocolError
    return message[2:].decode(errors="replace")
