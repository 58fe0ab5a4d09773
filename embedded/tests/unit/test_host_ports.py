"""`hostPort`: which ports a pod wants on its node, and doors that lead to it over real sockets on loopback."""

import asyncio
import contextlib
import dataclasses
import socket

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.node.network.sockets import HostSockets
from embedded_kubernetes.node.proxy import host_ports as module
from embedded_kubernetes.node.proxy.host_ports import HostPort, HostPorts, host_ports

CONFIG = ClusterConfig("cours", "/c", "/r", 32, "v1.37.0", "/b", 1, 2, 3, 4, (5,))
OWN = "127.212.255.1"


def pod(*ports, uid="u1", **spec):
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": uid},
        "spec": {"containers": [{"name": "c", "ports": list(ports)}], **spec},
    }


def test_ports_of_containers_and_sidecars_are_opened_and_others_are_not():
    sidecar = {"name": "s", "restartPolicy": "Always"}
    asked = pod(
        {"containerPort": 80, "hostPort": 8080, "hostIP": "0.0.0.0"},
        {"containerPort": 53, "hostPort": 5353, "protocol": "UDP", "hostIP": "127.0.0.2"},
        {"containerPort": 81},
        initContainers=[
            {**sidecar, "ports": [{"containerPort": 90, "hostPort": 9090}]},
            {"name": "i", "ports": [{"containerPort": 91, "hostPort": 9091}]},
        ],
    )
    assert host_ports(asked) == (
        HostPort("UDP", "127.0.0.2", 5353, 53),
        HostPort("TCP", "", 8080, 80),
        HostPort("TCP", "", 9090, 90),
    )
    assert host_ports({**asked, "spec": {**asked["spec"], "hostNetwork": True}}) == ()


@pytest.fixture
async def opened(monkeypatch):
    """Doors, and the messages of their Events."""
    monkeypatch.setattr(module, "_RETRY_S", 0.05)
    messages: list[str] = []
    ports = HostPorts(
        CONFIG,
        "cours-node-1",
        HostSockets(),
        lambda item, kind, reason, message: messages.append(message),
    )
    yield ports, messages
    await ports.close()


async def greeting(address):
    """Return what a server says; None where nobody listens."""
    try:
        reader, writer = await asyncio.open_connection(*address)
    except ConnectionRefusedError:
        return None
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def serve(reader, writer):
    writer.write(b"hello")
    writer.close()


async def test_both_addresses_of_the_node_lead_to_the_pod_until_it_is_over(opened, unused_tcp_port):
    ports, messages = opened
    server = await asyncio.start_server(serve, "127.212.0.1", 0)
    inside = server.sockets[0].getsockname()[1]
    ports.open(pod({"containerPort": inside, "hostPort": unused_tcp_port}), "127.212.0.1")
    for host in ("127.0.0.1", OWN):
        assert await greeting((host, unused_tcp_port)) == b"hello"
    ports.forget("u1")
    for host in ("127.0.0.1", OWN):
        assert await greeting((host, unused_tcp_port)) is None
    assert messages == []
    server.close()
    await server.wait_closed()


async def test_a_taken_port_is_told_once_and_opened_when_it_is_free(opened, unused_tcp_port):
    ports, messages = opened
    server = await asyncio.start_server(serve, "127.212.0.1", 0)
    inside = server.sockets[0].getsockname()[1]
    with socket.create_server(("127.0.0.1", unused_tcp_port)):
        ports.open(pod({"containerPort": inside, "hostPort": unused_tcp_port}), "127.212.0.1")
        assert await greeting((OWN, unused_tcp_port)) == b"hello"
        (message,) = messages
        assert f"127.0.0.1:{unused_tcp_port}" in message
        assert f"answers at {OWN}:{unused_tcp_port}" in message
    async with asyncio.timeout(10):
        while await greeting(("127.0.0.1", unused_tcp_port)) is None:
            await asyncio.sleep(0.02)
    assert len(messages) == 1
    server.close()
    await server.wait_closed()


async def test_what_no_door_can_serve_is_told(opened):
    ports, messages = opened
    asked = pod(
        {"containerPort": 80, "hostPort": 18080, "hostIP": "192.0.2.7"},
        {"containerPort": 80, "hostPort": 18081, "protocol": "SCTP", "hostIP": "127.0.0.1"},
    )
    ports.open(asked, "127.212.0.1")
    assert ["loopback" in message for message in messages] == [True, False]
    assert "SCTP" in messages[1]


@pytest.mark.parametrize(
    ("host", "inside"),
    [("", ["127.0.0.1", "10.244.255.1"]), ("127.0.0.1", ["127.0.0.1"])],
)
async def test_pods_with_the_nodes_network_find_a_port_there_too(monkeypatch, host, inside):
    opened = []

    class Opened:
        def lead_to(self, routes, affinity):
            pass

        def close(self, connections):
            pass

    def open_door(protocol, address, sockets, dialler):
        opened.append((address[0], sockets is pods_network))
        return Opened()

    monkeypatch.setattr(module, "open_door", open_door)
    pods_network = HostSockets()
    config = dataclasses.replace(CONFIG, network="pods")
    ports = HostPorts(config, "cours-node-1", pods_network, lambda *said: None)
    ports.open(pod({"containerPort": 80, "hostPort": 8080, "hostIP": host}), "10.244.0.2")
    assert sorted(address for address, is_inside in opened if is_inside) == sorted(inside)
    assert ("127.0.0.1", False) in opened
    await ports.close()
