"""Sockets of the pods' network where that is this machine's own."""

import asyncio
import errno

import aiohttp
import pytest
from aiohttp import web

from embedded_kubernetes.node.network.sockets import HostSockets, open_connection


async def test_a_server_sees_the_source_that_was_asked_for():
    peers = asyncio.Queue()

    async def handle(_, writer):
        peers.put_nowait(writer.get_extra_info("peername")[0])
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        sock = HostSockets().stream("127.0.0.7")
        await asyncio.get_running_loop().sock_connect(sock, server.sockets[0].getsockname())
        assert await asyncio.wait_for(peers.get(), 5) == "127.0.0.7"
        sock.close()


def test_a_listener_that_cannot_bind_says_what_bind_says(unused_tcp_port):
    address = ("127.0.0.1", unused_tcp_port)
    with HostSockets().listener(address) as taken, HostSockets().listener(address) as second:
        taken.listen()
        with pytest.raises(OSError) as refused:
            second.listen()
    assert refused.value.errno == errno.EADDRINUSE
    with pytest.raises(OSError) as elsewhere:
        HostSockets().listener(("192.0.2.1", 80))
    assert elsewhere.value.errno == errno.EADDRNOTAVAIL


async def test_a_refused_connection_leaves_no_socket(unused_tcp_port):
    made = []

    class Counted(HostSockets):
        def stream(self, source=None):
            made.append(super().stream(source))
            return made[-1]

    with pytest.raises(ConnectionRefusedError):
        await open_connection(Counted(), "127.0.0.1", unused_tcp_port)
    assert [sock.fileno() for sock in made] == [-1]


async def test_an_http_client_takes_its_connections_from_it():
    made = []

    class Counted(HostSockets):
        def stream(self, source=None):
            made.append(super().stream(source))
            return made[-1]

    async def answer(_):
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    connector = aiohttp.TCPConnector(socket_factory=Counted().connector_factory())
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://127.0.0.1:{port}/") as response,
    ):
        assert await response.text() == "here"
    assert len(made) == 1
    await runner.cleanup()
