"""The API server's way into the cluster: a CONNECT on the unix socket, joined, adopted or refused."""

import asyncio
import contextlib
import socket

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.node.network.sockets import HostSockets
from embedded_kubernetes.node.proxy.egress import Egress

NODE = "cours-node-1"


class EmptyTable:
    """A cluster without Services."""

    def __init__(self, config):
        self.config = config

    def by_cluster_ip(self, address):
        return None

    def service(self, key):
        return None


@pytest.fixture
async def egress(tmp_path):
    """The listener, and the connections that it gave to the kubelet's API."""
    config = ClusterConfig(
        "cours", str(tmp_path), str(tmp_path), 0, "v1.37.0", "/b", 1, 2, 3, 4, (20004,)
    )
    adopted: list[socket.socket] = []

    async def adopt(connection):
        adopted.append(connection)

    served = Egress(config, NODE, EmptyTable(config), adopt, HostSockets())
    await served.start()
    yield config, adopted
    await served.close()
    assert not config.egress_socket.exists()
    for connection in adopted:
        connection.close()


@contextlib.asynccontextmanager
async def connected(config, where):
    """Ask for a connection, as the API server does; yields both streams and the answer's status line."""
    reader, writer = await asyncio.open_unix_connection(config.egress_socket)
    writer.write(f"CONNECT {where} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    try:
        yield reader, writer, head.decode().splitlines()[0]
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_pods_shown_address_leads_to_the_one_that_it_binds(egress):
    async def upper(reader, writer):
        writer.write((await reader.read(100)).upper())
        writer.close()

    server = await asyncio.start_server(upper, "127.244.0.7", 0)
    port = server.sockets[0].getsockname()[1]
    async with connected(egress[0], f"10.244.0.7:{port}") as (reader, writer, status):
        assert status.split()[1] == "200"
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.read(), 10) == b"HELLO"
    server.close()
    await server.wait_closed()


async def test_the_nodes_own_kubelet_takes_its_connection_over(egress):
    config, adopted = egress
    where = f"{config.node_shown(NODE)}:{config.kubelet_ports[0]}"
    async with connected(config, where) as (reader, _, status):
        assert status.split()[1] == "200"
        async with asyncio.timeout(10):
            while not adopted:
                await asyncio.sleep(0.01)
        adopted[0].send(b"from the kubelet")
        assert await asyncio.wait_for(reader.readexactly(16), 10) == b"from the kubelet"


async def test_where_nobody_listens_the_status_says_so(egress, unused_tcp_port):
    async with connected(egress[0], f"127.0.0.1:{unused_tcp_port}") as (_, _, status):
        assert status == (
            f"HTTP/1.1 502 dial tcp 127.0.0.1:{unused_tcp_port}: connect: connection refused"
        )
