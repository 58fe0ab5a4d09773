"""The gRPC health check of a probe (`grpc.health.v1.Health/Check`), with the few bytes of protobuf coded by hand.

(source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md)
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from ..rules.restarts import go_duration

Connect = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

_STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_PATH = "/grpc.health.v1.Health/Check"
_CODES = (
    *("OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound"),
    *("AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted"),
    *("OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"),
)
"""Names of gRPC's status codes, by number."""
_PAUSE_S = 0.2


def encode_request(service: str) -> bytes:
    """Return a `HealthCheckRequest` with its gRPC prefix (1 byte flag, 4 bytes length)."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return struct.pack(">BI", 0, len(message)) + message


def decode_response(body: bytes) -> int:
    """Return the `ServingStatus` of a `HealthCheckResponse` with its gRPC prefix.

    Raises
    ------
    ValueError
        Not such a message.
    """
    if len(body) < 5 or body[0] != 0:
        raise ValueError("not an uncompressed gRPC message")
    message = body[5 : 5 + struct.unpack_from(">I", body, 1)[0]]
    if not message:
        return 0
    if message[0] != 0x08 or len(message) < 2:
        raise ValueError(f"unexpected field {message[0] >> 3}")
    return message[1]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


async def check(
    host: str,
    port: int,
    service: str,
    timeout_s: float,
    connect: Connect = asyncio.open_connection,
) -> tuple[bool, str]:
    """Ask a server for its health.

    Parameters
    ----------
    host, port : str, int
        Where it listens, in clear text HTTP/2.
    service : str
        The service asked about, "" for the server as a whole.
    timeout_s : float
        Seconds for all of it.
    connect : callable, optional
        Opens a connection to a host and a port.

    Returns
    -------
    tuple of bool and str
        Whether it is SERVING, and the kubelet's words otherwise ("" where it is).
    """
    allowed = go_duration(timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    return await _exchange(connect, host, port, service)
                except (OSError, h2.exceptions.ProtocolError, ValueError):
                    # Nobody listens, or what listens speaks something else: upstream tries until the time is over.
                    await asyncio.sleep(_PAUSE_S)
    except TimeoutError:
        where = f'"{host}:{port}"'
        words = f"timeout: failed to connect service {where} within {allowed}"
        return False, f"{words}: context deadline exceeded"


async def _exchange(connect: Connect, host: str, port: int, service: str) -> tuple[bool, str]:
    reader, writer = await connect(host, port)
    try:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        connection.initiate_connection()
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", _PATH),
            (":authority", f"{host}:{port}"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "kube-probe"),
        ]
        connection.send_headers(1, headers)
        connection.send_data(1, encode_request(service), end_stream=True)
        return await _answer(connection, reader, writer, service)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _answer(
    connection: h2.connection.H2Connection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    service: str,
) -> tuple[bool, str]:
    body = b""
    said: dict[str, str] = {}
    while True:
        writer.write(connection.data_to_send())
        await writer.drain()
        data = await reader.read(65536)
        if not data:
            raise ValueError("connection closed before the answer")
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                for name, value in event.headers or ():
                    said[bytes(name).decode()] = bytes(value).decode(errors="replace")
            elif isinstance(event, h2.events.DataReceived):
                body += event.data or b""
            elif isinstance(event, h2.events.StreamEnded):
                return _verdict(said, body)
            elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                raise ValueError(f"stream ended with HTTP/2 error {event.error_code}")


def _verdict(said: dict[str, str], body: bytes) -> tuple[bool, str]:
    status = said.get("grpc-status", "")
    if status != "0":
        known = status.isdigit() and int(status) < len(_CODES)
        name = _CODES[int(status)] if known else "Unknown"
        reason = unquote(said.get("grpc-message", ""))
        if name == "Unimplemented":
            words = "error: this server does not implement the grpc health protocol"
            return False, f"{words} (grpc.health.v1.Health): {reason}"
        return False, f"error: health rpc probe failed: rpc error: code = {name} desc = {reason}"
    serving = decode_response(body)
    if serving == 1:
        return True, ""
    word = _STATUSES.get(serving, str(serving))
    return False, f'service unhealthy (responded with "{word}")'
