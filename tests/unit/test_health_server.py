"""The vitrine's gRPC health service, asked by the reference client, by the node's own and by what is neither."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from programs import PATIENCE_S, Program, Start, starting

from embedded_kubernetes.node.probes.grpc_health import check
from k8s_helpers._paths import COURSE

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture
def start() -> Iterator[Start]:
    argv = [sys.executable, "-B", "-S", str(COURSE / "apps/vitrine/src/main.py")]
    with starting(argv, POD_NAME="vitrine-test") as started:
        yield started


@pytest.fixture
def app(start: Start) -> Program:
    return start(GRPC_PORT="0")


def health_port(app: Program) -> int:
    port = app.event("grpc listening")["port"]
    assert isinstance(port, int)
    return port


@contextlib.contextmanager
def stub(port: int) -> Iterator[health_pb2_grpc.HealthStub]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield health_pb2_grpc.HealthStub(channel)


def status(client: health_pb2_grpc.HealthStub, service: str) -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    found: int = client.Check(request, timeout=PATIENCE_S).status
    return found


def test_it_says_what_the_http_addresses_say(app: Program) -> None:
    with stub(health_port(app)) as client:  # one connection for all calls
        assert [status(client, name) for name in ("", "ready", "live")] == [SERVING] * 3
        app.json("/admin/ready/off", "POST")
        told = [status(client, name) for name in ("", "ready", "live")]
        assert told == [NOT_SERVING, NOT_SERVING, SERVING]
        app.json("/admin/ready/on", "POST")
        app.json("/admin/live/off", "POST")
        told = [status(client, name) for name in ("", "ready", "live")]
        assert told == [NOT_SERVING, SERVING, NOT_SERVING]


def test_a_connection_takes_many_calls(app: Program) -> None:
    """More than the window that a client may fill without being told to go on."""
    with stub(health_port(app)) as client:
        for _ in range(300):
            with contextlib.suppress(grpc.RpcError):
                client.Check(health_pb2.HealthCheckRequest(service="x" * 100), timeout=PATIENCE_S)
        assert status(client, "live") == SERVING


def test_an_unknown_service_and_an_unknown_call_are_refused_as_grpc_does(app: Program) -> None:
    with stub(health_port(app)) as client:
        with pytest.raises(grpc.RpcError) as unknown:
            status(client, "boutique")
        assert unknown.value.code() == grpc.StatusCode.NOT_FOUND
        with pytest.raises(grpc.RpcError) as watch:
            next(client.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S))
        assert watch.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_the_node_of_the_embedded_cluster_asks_it(app: Program) -> None:
    port = health_port(app)
    assert await check("127.0.0.1", port, "ready", PATIENCE_S) == (True, "")
    app.json("/admin/ready/off", "POST")
    ok, told = await check("127.0.0.1", port, "ready", PATIENCE_S)
    assert not ok and "NOT_SERVING" in told


def test_its_port_closes_and_opens_again_and_http_goes_on(app: Program) -> None:
    port = health_port(app)
    with stub(port) as client:
        assert status(client, "ready") == SERVING
    app.json("/admin/grpc/off", "POST")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
    app.json("/admin/grpc/on", "POST")
    with stub(port) as client:
        assert status(client, "ready") == SERVING


def test_without_the_variable_there_is_no_such_port(start: Start) -> None:
    app = start()
    assert app.ask("/admin/grpc/off", "POST").status == 404
    assert "grpc listening" not in app.events()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n" + b" " * 24,
        PREFACE + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",  # a frame of 16 MiB
        PREFACE + b"\x00\x00\x01\x01\x05\x00\x00\x00\x01\x44",  # headers that end in a name
        PREFACE + b"\x00\x00\x01\x01\x0d\x00\x00\x00\x01\x09",  # more padding than payload
        PREFACE + (b"\x00\x40\x00\x09\x00\x00\x00\x00\x00" + b"\0" * 16384),  # goes on with nothing
    ],
    ids=["http1", "large", "cut", "padding", "continuation"],
)
def test_what_is_not_http2_is_hung_up_on_and_harms_nobody(app: Program, sent: bytes) -> None:
    port = health_port(app)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as raw:
        raw.sendall(sent)
        raw.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while raw.recv(4096):
                pass
    with stub(port) as client:
        assert status(client, "ready") == SERVING
