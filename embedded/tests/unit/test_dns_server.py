"""The cluster's DNS server over loopback: UDP, TCP, and what it asks others."""

import asyncio
import contextlib
import socket
import struct

import pytest
from dns_cluster import DOMAIN, NAMESPACES, PAIRS, Table, external

from embedded_kubernetes.node.dns import forwarder as forwarding
from embedded_kubernetes.node.dns.forwarder import Forwarder
from embedded_kubernetes.node.dns.server import DnsServer
from embedded_kubernetes.node.dns.wire import (
    Query,
    RecordType,
    Response,
    ResponseCode,
    address_record,
    read_answers,
    read_query,
    write_query,
    write_response,
)
from embedded_kubernetes.node.dns.zone import Zone
from embedded_kubernetes.node.network.sockets import HostSockets

HERE = "127.0.0.1"


class CompleteTable(Table):
    def __init__(self, *pairs, complete=True):
        super().__init__(*pairs)
        self.complete = complete

    async def synced(self):
        while not self.complete:
            await asyncio.sleep(3600)


class Namespaces(frozenset):
    async def start(self):
        """Nothing is watched."""

    synced = close = start


class Upstream(asyncio.DatagramProtocol):
    """A server of the machine: knows every name under example.org, and is silent about others."""

    def __init__(self):
        self.asked = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, client):
        self.asked.append(query := read_query(data))
        if query.name.endswith("example.org"):
            self.transport.sendto(b"\0\0" + data[2:], client)  # somebody guesses
            record = address_record(query.name, "192.0.2.1", 60)
            response = Response(ResponseCode.NO_ERROR, (record,), authoritative=False)
            self.transport.sendto(write_response(query, response, 512), client)


@contextlib.asynccontextmanager
async def running(tmp_path, *, table=None, servers=(HERE,)):
    """Run the server; yield its port and the machine's own server."""
    loop = asyncio.get_running_loop()
    upstream = Upstream()
    transport, _ = await loop.create_datagram_endpoint(lambda: upstream, (HERE, 0))
    file = tmp_path / "resolv.conf"
    file.write_text("".join(f"nameserver {server}\n" for server in servers))
    with socket.create_server((HERE, 0)) as taken:
        port = taken.getsockname()[1]
    zone = Zone(table or CompleteTable(*PAIRS), Namespaces(NAMESPACES), HERE)
    forwarder = Forwarder(lambda: file, transport.get_extra_info("sockname")[1])
    server = DnsServer(zone, Namespaces(NAMESPACES), HostSockets(), forwarder, port)
    await server.start()
    await asyncio.sleep(0)
    try:
        yield port, upstream, server
    finally:
        await server.close()
        transport.close()


async def by_datagram(port, packet):
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        await loop.sock_connect(sock, (HERE, port))
        await loop.sock_sendall(sock, packet)
        async with asyncio.timeout(10):
            return await loop.sock_recv(sock, 65_535)


async def by_stream(port, *packets):
    reader, writer = await asyncio.open_connection(HERE, port)
    for packet in packets:
        writer.write(struct.pack(">H", len(packet)) + packet)
    said = []
    async with asyncio.timeout(10):
        for _ in packets:
            (size,) = struct.unpack(">H", await reader.readexactly(2))
            said.append(await reader.readexactly(size))
    writer.close()
    return said


def question(name, kind=RecordType.A, **more):
    return write_query(Query(77, 0x100, name, kind, **more))


def code(packet):
    return ResponseCode(packet[3] & 0xF)


async def test_names_of_the_cluster_and_of_elsewhere(tmp_path):
    async with running(tmp_path) as (port, upstream, server):
        own = await by_datagram(port, question(f"web.shop.svc.{DOMAIN}"))
        assert read_answers(own)[0][0].data == (bytes((10, 96, 0, 7)),)
        assert upstream.asked == []
        other = await by_datagram(port, question("www.example.org"))
        assert read_answers(other)[0][0].data == (bytes((192, 0, 2, 1)),)
        assert other[:2] == own[:2] == (77).to_bytes(2)
        alias = await by_datagram(port, question(f"away.shop.svc.{DOMAIN}"))
        assert [record.owner for record in read_answers(alias)[0]] == [
            f"away.shop.svc.{DOMAIN}",
            "www.example.org",
        ]
        counted = server.traffic.render()
    assert 'proto="udp",server="dns://:53",type="A",view="",zone="."} 3' in counted


async def test_several_questions_by_one_connection(tmp_path):
    async with running(tmp_path) as (port, _, _):
        first, second = await by_stream(
            port, question(f"peers.shop.svc.{DOMAIN}"), question(f"no.shop.svc.{DOMAIN}")
        )
    assert len(read_answers(first)[0]) == 3
    assert code(second) == ResponseCode.NAME_ERROR


@pytest.mark.parametrize("servers", [(), ("127.0.0.250",)])
async def test_nobody_to_ask(tmp_path, servers):
    async with running(tmp_path, servers=servers) as (port, _, _):
        packet = question("www.example.org")
        assert code(await by_datagram(port, packet)) == ResponseCode.SERVER_FAILURE
        assert code((await by_stream(port, packet))[0]) == ResponseCode.SERVER_FAILURE
        for name in ("nosuch", "web.shop", "web.shop.svc"):
            assert code(await by_datagram(port, question(name))) == ResponseCode.NAME_ERROR
        alias = await by_datagram(port, question(f"away.shop.svc.{DOMAIN}"))
        assert code(alias) == ResponseCode.NO_ERROR
        assert len(read_answers(alias)[0]) == 1


async def test_a_silent_server_holds_nobody_else_up(tmp_path, monkeypatch):
    monkeypatch.setattr(forwarding, "_TRY_S", 0.2)
    async with running(tmp_path) as (port, upstream, _):
        waiting = asyncio.create_task(by_datagram(port, question("silent.test")))
        await asyncio.sleep(0)
        await by_datagram(port, question(f"web.shop.svc.{DOMAIN}"))
        assert not waiting.done()
        assert code(await waiting) == ResponseCode.SERVER_FAILURE
        # Who has just been silent is not asked again at once.
        await by_datagram(port, question("www.example.org"))
        assert [query.name for query in upstream.asked] == ["silent.test"]


async def test_more_questions_than_can_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(forwarding, "_MOST_AT_ONCE", 0)
    async with running(tmp_path) as (port, _, _):
        assert code(await by_datagram(port, question("www.example.org"))) == ResponseCode.REFUSED


async def test_what_is_not_known_yet_may_be_there(tmp_path):
    async with running(tmp_path, table=CompleteTable(*PAIRS, complete=False)) as (port, _, _):
        known = await by_datagram(port, question(f"web.shop.svc.{DOMAIN}"))
        unknown = await by_datagram(port, question(f"no.shop.svc.{DOMAIN}"))
    assert code(known) == ResponseCode.NO_ERROR
    assert code(unknown) == ResponseCode.SERVER_FAILURE


async def test_questions_that_are_no_lookups(tmp_path):
    name = f"web.shop.svc.{DOMAIN}"
    async with running(tmp_path) as (port, _, _):
        notify = bytearray(question(name))
        notify[2] |= 0x20
        assert code(await by_datagram(port, notify)) == ResponseCode.NOT_IMPLEMENTED
        cut = question(name)[:-2]
        assert code(await by_datagram(port, cut)) == ResponseCode.FORMAT_ERROR
        newer = bytearray(question(name, payload_bytes=1232))
        newer[-5] = 1
        answer = await by_datagram(port, newer)
        assert (answer[3] & 0xF, answer[-6]) == (0, 1)  # BADVERS is 16: its upper bits are in OPT


async def test_a_changed_file_is_read_again(tmp_path):
    table = CompleteTable(*PAIRS, (external("gone", "gone.example.org"),))
    async with running(tmp_path, table=table, servers=()) as (port, _, _):
        assert code(await by_datagram(port, question("a.example.org"))) != ResponseCode.NO_ERROR
        (tmp_path / "resolv.conf").write_text(f"nameserver {HERE}\n")
        assert code(await by_datagram(port, question("a.example.org"))) == ResponseCode.NO_ERROR
