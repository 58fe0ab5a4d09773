"""The gRPC health check against the reference implementation of its server."""

import asyncio
import contextlib
from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from embedded_kubernetes.node.probes.grpc_health import check, decode_response, encode_request

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def server():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    servicer = health.HealthServicer()
    servicer.set("", SERVING)
    servicer.set("sick", NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(0).wait()


def test_request_is_what_protobuf_writes():
    for service in ("", "web", "x" * 300):
        written = health_pb2.HealthCheckRequest(service=service).SerializeToString()
        assert encode_request(service)[5:] == written


def test_response_is_read_as_protobuf_does():
    for status in (SERVING, NOT_SERVING, health_pb2.HealthCheckResponse.UNKNOWN):
        body = health_pb2.HealthCheckResponse(status=status).SerializeToString()
        assert decode_response(b"\0" + len(body).to_bytes(4, "big") + body) == status
    with pytest.raises(ValueError):
        decode_response(b"\1\0\0\0\0")


async def test_serving(server):
    assert await check("127.0.0.1", server, "", 5.0) == (True, "")


async def test_not_serving(server):
    assert await check("127.0.0.1", server, "sick", 5.0) == (
        False,
        'service unhealthy (responded with "NOT_SERVING")',
    )


async def test_unknown_service(server):
    healthy, message = await check("127.0.0.1", server, "nobody", 5.0)
    assert not healthy
    assert "rpc error: code = NotFound desc =" in message


async def test_server_without_health_protocol():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        healthy, message = await check("127.0.0.1", port, "", 5.0)
    finally:
        server.stop(0).wait()
    assert not healthy
    assert "does not implement the grpc health protocol" in message


async def test_nobody_listens(unused_tcp_port):
    healthy, message = await check("127.0.0.1", unused_tcp_port, "", 5.0)
    assert not healthy
    assert "failed to connect" in message


@contextlib.asynccontextmanager
async def listening(serve):
    """A TCP server whose handlers have all ended when the block is left."""
    handlers = []

    async def handle(reader, writer):
        handlers.append(asyncio.current_task())
        await serve(reader, writer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.wait_for(asyncio.gather(*handlers, return_exceptions=True), 5)
    await server.wait_closed()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_not_grpc(answer):
    async def serve(reader, writer):
        await reader.read(10)
        writer.write(answer)

    async with listening(serve) as port:
        healthy, message = await check("127.0.0.1", port, "", 5.0)
    assert not healthy
    assert "does not speak gRPC" in message or "failed to connect" in message


async def test_silence_is_a_timeout():
    async def serve(reader, writer):
        await reader.read()

    async with listening(serve) as port:
        healthy, message = await check("127.0.0.1", port, "", 0.2)
    assert not healthy
    assert message.startswith("timeout: failed to connect service")
