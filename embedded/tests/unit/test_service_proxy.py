"""Doors of the Service proxy over real sockets on loopback: balance, refusal, half-close, resets, back-pressure."""

import asyncio
import contextlib
import dataclasses
import socket

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.node.network.sockets import HostSockets
from embedded_kubernetes.node.proxy.affinity import Affinity
from embedded_kubernetes.node.proxy.dialling import Dialler
from embedded_kubernetes.node.proxy.doors import open_door
from embedded_kubernetes.node.proxy.service_proxy import places, routes
from embedded_kubernetes.node.proxy.service_table import ServicePort
from embedded_kubernetes.node.proxy.topology import Endpoint, Routes, Target


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


CONFIG = ClusterConfig("cours", "/c", "/r", 2, "v1.37.0", "/b", 1, 2, 3, 4, (5,))


def opened(address, protocol="TCP", affinity=None):
    sockets = HostSockets()
    return open_door(protocol, address, sockets, Dialler(CONFIG, sockets), affinity)


def to(*targets):
    return Routes(targets)


@pytest.fixture
async def door(unused_tcp_port):
    made = opened(("127.0.0.1", unused_tcp_port))
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
        door.lead_to(to(target), None)
        assert await say(door.address, b"abc") == b"ABC"


async def test_large_transfers_are_complete_both_ways(door):
    data = bytes(range(256)) * 40_000
    async with backend(upper_all) as target:
        door.lead_to(to(target), None)
        answers = await asyncio.gather(*(say(door.address, data) for _ in range(3)))
    assert all(answer == data.upper() for answer in answers)


async def test_no_endpoint_refuses_and_one_again_serves(door):
    with pytest.raises(ConnectionRefusedError):
        await say(door.address, b"x")
    async with backend(upper_all) as target:
        for _ in range(3):
            door.lead_to(to(target), None)
            assert await say(door.address, b"x") == b"X"
            door.lead_to(to(), None)
            with pytest.raises(ConnectionRefusedError):
                await say(door.address, b"x")


async def test_standing_connections_outlive_their_endpoint_in_the_table(door):
    async with backend(upper_all) as target:
        door.lead_to(to(target), None)
        reader, writer = await asyncio.open_connection(*door.address)
        writer.write(b"before ")
        await asyncio.sleep(0.05)
        door.lead_to(to(), None)
        writer.write(b"after")
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b"BEFORE AFTER"
        writer.close()
        await writer.wait_closed()


async def test_endpoint_that_refuses_gives_a_reset(door, unused_tcp_port_factory):
    door.lead_to(to(Target("127.0.0.1", unused_tcp_port_factory())), None)
    with pytest.raises(ConnectionResetError):
        await say(door.address, b"x")


async def test_reset_of_the_endpoint_is_a_reset_for_the_client(door):
    async def reset(reader, writer):
        await reader.read(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async with backend(reset) as target:
        door.lead_to(to(target), None)
        with pytest.raises(ConnectionResetError):
            await say(door.address, b"x")


async def test_connections_spread_over_endpoints(door):
    async def one(reader, writer):
        writer.write(b"1")

    async def two(reader, writer):
        writer.write(b"2")

    async with backend(one) as first, backend(two) as second:
        door.lead_to(to(first, second), None)
        answers = [await say(door.address, b"") for _ in range(40)]
        assert set(answers) == {b"1", b"2"}
        door.lead_to(to(first, second), 60)
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
        door.lead_to(to(target), None)
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
        opened(("127.0.0.1", unused_tcp_port))


def test_places_of_a_port():
    def listens(cluster_ip, node_port, protocol="TCP"):
        port = ServicePort(("ns", "web"), "", cluster_ip, 80, node_port, None, (), protocol)
        return [(place.protocol, *place.address) for place in places(CONFIG, port, "cours-node-1")]

    assert listens("127.98.0.1", 30007) == [
        ("TCP", "127.98.0.1", 80),
        ("TCP", "127.0.0.1", 30007),
        ("TCP", "127.242.255.1", 30007),
    ]
    assert listens("127.98.0.1", None, "UDP") == [("UDP", "127.98.0.1", 80)]
    assert listens(None, None) == listens("fd00::1", None) == []


def test_nobody_stands_before_the_clusters_dns():
    config = dataclasses.replace(CONFIG, network="pods")
    for address, count in ((config.dns_address, 0), ("10.96.0.11", 1)):
        port = ServicePort(("ns", "web"), "", address, 53, None, None, (), "UDP")
        assert len(places(config, port, "cours-node-1")) == count


PODS = dataclasses.replace(CONFIG, network="pods", kubelet_ports=(5, 6))


def test_the_first_node_lets_in_what_a_cluster_needs_once_and_each_its_own_node_ports():
    port = ServicePort(("ns", "web"), "", "10.96.0.7", 80, 30007, None, ())
    first, second = (places(PODS, port, node) for node in PODS.node_names)
    assert [(place.address, place.for_pods) for place in first] == [
        (("10.96.0.7", 80), True),
        (("127.0.0.1", 30007), False),
        (("127.242.255.1", 30007), False),
        (("10.244.255.1", 30007), True),
    ]
    assert [(place.address, place.for_pods) for place in second] == [
        (("10.244.255.2", 30007), True)
    ]


def test_a_node_port_kept_local_is_closed_to_the_machine_where_its_node_has_no_endpoint():
    own, other = PODS.node_names
    away = Endpoint(Target("10.244.12.1", 80), other)
    port = ServicePort(("ns", "web"), "", None, 80, 30007, None, (away,), external_local=True)
    machine, _, inside = places(PODS, port, own)
    zones = dict.fromkeys(PODS.node_names, "")
    assert routes(machine, port, zones, own).targets == set()
    assert routes(inside, port, zones, own).targets == {away.target}
    (at_other,) = places(PODS, port, other)
    assert routes(at_other, port, zones, other).elsewhere == (away.target,)


async def test_clients_of_two_doors_with_one_memory_keep_one_endpoint(unused_tcp_port_factory):
    memory = Affinity()
    places = [("127.0.0.1", unused_tcp_port_factory()) for _ in range(2)]
    doors = [opened(place, affinity=memory) for place in places]

    async def serve(reader, writer):
        writer.write(str(writer.get_extra_info("sockname")[1]).encode())

    async with backend(serve) as first, backend(serve) as second, backend(serve) as third:
        for door in doors:
            door.lead_to(to(first, second, third), 60)
        assert len({await say(place, b"") for place in places * 8}) == 1
    for door in doors:
        door.close(connections=True)


def test_affinity_ends_with_silence_and_with_the_endpoint(monkeypatch):
    now = 0.0
    monkeypatch.setattr("embedded_kubernetes.node.proxy.affinity.time.monotonic", lambda: now)
    memory, targets = Affinity(), range(100_000)
    first = memory.choose("client", targets, 10)
    now = 9.0
    assert memory.choose("client", targets, 10) == first
    now = 18.0
    assert memory.choose("client", targets, 10) == first  # each connection begins the time anew
    assert memory.choose("client", tuple(one for one in targets if one != first), 10) != first
    second = memory.choose("client", targets, 10)
    now = 40.0
    assert {memory.choose("client", targets, 0) for _ in range(20)} != {second}


class Echo(asyncio.DatagramProtocol):
    """A UDP server that puts its name before what it gets."""

    def __init__(self, name):
        self.name = name

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(self.name + b" " + data, address)


@contextlib.asynccontextmanager
async def udp_backend(name):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Echo(name), ("127.0.0.1", 0))
    yield Target(*transport.get_extra_info("sockname"))
    transport.close()


@contextlib.contextmanager
def udp_client(address):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    client.connect(address)
    with client:
        yield client


async def ask(client, data):
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, data)
    return await asyncio.wait_for(loop.sock_recv(client, 100), 10)


async def test_each_udp_client_gets_its_own_answers_from_one_endpoint(unused_udp_port):
    address = ("127.0.0.1", unused_udp_port)
    door = opened(address, "UDP")
    async with udp_backend(b"a") as first, udp_backend(b"b") as second:
        door.lead_to(to(first, second), None)
        found = set()
        for n in range(40):
            with udp_client(address) as client:
                answers = [await ask(client, b"%d %d" % (n, m)) for m in range(3)]
            names, texts = zip(*(one.split(b" ", 1) for one in answers), strict=True)
            assert len(set(names)) == 1
            assert texts == tuple(b"%d %d" % (n, m) for m in range(3))
            found.add(names[0])
        assert found == {b"a", b"b"}
        with udp_client(address) as client:
            gone = first if (await ask(client, b"")).startswith(b"a") else second
            (left,) = {first, second} - {gone}
            door.lead_to(to(left), None)
            name = b"a" if left is first else b"b"
            assert (await ask(client, b"again")) == name + b" again"
    door.close()


async def test_a_udp_port_without_endpoints_is_unreachable(unused_udp_port):
    address = ("127.0.0.1", unused_udp_port)
    door = opened(address, "UDP")
    with udp_client(address) as client, pytest.raises(ConnectionRefusedError):
        await ask(client, b"x")
    async with udp_backend(b"a") as target:
        door.lead_to(to(target), None)
        with udp_client(address) as client:
            assert await ask(client, b"x") == b"a x"
            door.lead_to(to(), None)
            with pytest.raises(ConnectionRefusedError):
                await ask(client, b"x")
    door.close()
