"""Doors of the Service proxy over real sockets on loopback: balance, refusal, half-close, resets, back-pressure."""

import asyncio
import contextlib
import socket

import pytest

from k8s_helpers.embedded.node.service_proxy import Door, addresses
from k8s_helpers.embedded.node.service_table import ServicePort, Target


@contextlib.asynccontextmanager
async def backend(serve):
    """A TCP server; its handlers have ended when the block is left."""
    handlers = []

    async def handle(reader, writer):
        handlers.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield Target(*server.sockets[0].getsockname()[:2])
    server.close()
    await asyncio.wait_for(asyncio.gather(*handlers, return_exceptions=True), 5)
    await server.wait_closed()


async def upper_all(reader, writer):
    """Answer only when the client has said all: needs half-close."""
    writer.write((await reader.read()).upper())
    await writer.drain()


@pytest.fixture
async def door(unused_tcp_port):
    made = Door(asyncio.get_running_loop(), ("127.0.0.1", unused_tcp_port))
    made.address = ("127.0.0.1", unused_tcp_port)
    yield made
    made.close(connections=True)
    await asyncio.sleep(0.02)


async def say(address, data):
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_half_close_reaches_the_endpoint_and_the_answer_comes_back(door):
    async with backend(upper_all) as target:
        door.lead_to((target,), None)
        assert await say(door.address, b"abc") == b"ABC"


async def test_large_transfers_are_complete_both_ways(door):
    data = bytes(range(256)) * 40_000
    async with backend(upper_all) as target:
        door.lead_to((target,), None)
        answers = await asyncio.gather(*(say(door.address, data) for _ in range(3)))
    assert all(answer == data.upper() for answer in answers)


async def test_no_endpoint_refuses_and_one_again_serves(door):
    with pytest.raises(ConnectionRefusedError):
        await say(door.address, b"x")
    async with backend(upper_all) as target:
        for _ in range(3):
            door.lead_to((target,), None)
            assert await say(door.address, b"x") == b"X"
            door.lead_to((), None)
            with pytest.raises(ConnectionRefusedError):
                await say(door.address, b"x")


async def test_standing_connections_outlive_their_endpoint_in_the_table(door):
    async with backend(upper_all) as target:
        door.lead_to((target,), None)
        reader, writer = await asyncio.open_connection(*door.address)
        writer.write(b"before ")
        await asyncio.sleep(0.05)
        door.lead_to((), None)
        writer.write(b"after")
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b"BEFORE AFTER"
        writer.close()
        await writer.wait_closed()


async def test_endpoint_that_refuses_gives_a_reset(door, unused_tcp_port_factory):
    door.lead_to((Target("127.0.0.1", unused_tcp_port_factory()),), None)
    with pytest.raises(ConnectionResetError):
        await say(door.address, b"x")


async def test_reset_of_the_endpoint_is_a_reset_for_the_client(door):
    async def reset(reader, writer):
        await reader.read(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async with backend(reset) as target:
        door.lead_to((target,), None)
        with pytest.raises(ConnectionResetError):
            await say(door.address, b"x")


async def test_connections_spread_over_endpoints(door):
    async def one(reader, writer):
        writer.write(b"1")

    async def two(reader, writer):
        writer.write(b"2")

    async with backend(one) as first, backend(two) as second:
        door.lead_to((first, second), None)
        answers = [await say(door.address, b"") for _ in range(40)]
        assert set(answers) == {b"1", b"2"}
        door.lead_to((first, second), 60)
        assert len({await say(door.address, b"") for _ in range(10)}) == 1


async def test_slow_reader_holds_the_sender_back(door):
    sent = 0

    async def flood(reader, writer):
        nonlocal sent
        for _ in range(1000):
            writer.write(bytes(100_000))
            await writer.drain()
            sent += 100_000

    async with backend(flood) as target:
        door.lead_to((target,), None)
        reader, writer = await asyncio.open_connection(*door.address, limit=1024)
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 50_000_000
        received = 0
        while data := await asyncio.wait_for(reader.read(1 << 20), 10):
            received += len(data)
        assert received == 100_000_000
        writer.close()
        await writer.wait_closed()


async def test_taken_address_is_told(unused_tcp_port):
    with (
        socket.create_server(("127.0.0.1", unused_tcp_port)),
        pytest.raises(OSError, match="in use"),
    ):
        Door(asyncio.get_running_loop(), ("127.0.0.1", unused_tcp_port))


def test_addresses_of_a_port():
    def port(cluster_ip, node_port):
        return ServicePort(("ns", "web"), "", cluster_ip, 80, node_port, None, ())

    assert addresses(port("127.96.0.1", 30000)) == (("127.96.0.1", 80), ("127.0.0.1", 30000))
    assert addresses(port(None, None)) == ()
