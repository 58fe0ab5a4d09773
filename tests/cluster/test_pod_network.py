"""The network of each pod, as the kernel has it: one runtime, or two nodes' runtimes, without a cluster around them."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.node import cri, isolation
from embedded_kubernetes.node.runtime import proctree
from embedded_kubernetes.node.runtime.runtime import ProcessRuntime

SOON_S = 20.0
SERVER = """
import socket
server = socket.create_server(("0.0.0.0", 80))
while True:
    connection, peer = server.accept()
    connection.sendall(peer[0].encode())
    connection.close()
"""
ASK = 'import socket, sys; print(socket.create_connection((sys.argv[1], 80), 10).recv(99).decode(), end="")'


class Node:
    """A runtime whose pods have networks of their own."""

    def __init__(self, folder: Path, index: int = 0) -> None:
        self.folder = folder
        config = ClusterConfig("t", str(folder), "", 0, "", "", 0, 0, 0, 0, (0, 0), network="pods")
        self.runtime = ProcessRuntime(config, config.node_names[index])
        self._base = 100 * index
        self._pods = 0

    async def pod(self, **changes) -> str:
        """Make a sandbox; its uid is its address."""
        self._pods += 1
        address = f"10.244.{self._base}.{self._pods + 1}"
        config = cri.SandboxConfig(address, f"pod-{self._pods}", address)
        await self.runtime.run_sandbox(replace(config, **changes))
        return address

    async def run(self, pod: str, *argv: str, target: int = 0) -> cri.Container:
        image = self.runtime.image("host/python")
        assert image is not None
        hosts = self.folder / "hosts"
        hosts.touch()
        return await self.runtime.run(
            cri.ContainerConfig(
                hostname="",
                image=image,
                argv=argv,
                env=image.env,
                working_dir="/",
                mounts=(),
                log_path=self.folder / "logs" / f"{os.urandom(4).hex()}.log",
                hosts_path=hosts,
                pod_uid=pod,
                target_pid=target,
            )
        )

    async def output(self, pod: str, *argv: str, target: int = 0) -> str:
        container = await self.run(pod, *argv, target=target)
        async with asyncio.timeout(SOON_S):
            await container.wait()
        lines = container.config.log_path.read_text().splitlines()
        return "\n".join(line.split(" ", 3)[3] for line in lines)

    async def serve(self, pod: str) -> cri.Container:
        """Start a server at port 80 that says who asks, and wait until it answers."""
        container = await self.run(pod, "python3", "-c", SERVER)
        await until_answered(lambda: self.runtime.sockets.in_pod(pod))
        return container

    async def ask(self, pod: str, address: str) -> str:
        return await self.output(pod, "python3", "-c", ASK, address)

    def cables(self) -> list[str]:
        """Return the links of the node's own network that lead to pods."""
        lines = Path(f"/proc/{self.runtime.link.pid}/net/dev").read_text().splitlines()[2:]
        names = (line.partition(":")[0].strip() for line in lines)
        return [name for name in names if name.startswith("v")]

    def containers(self) -> list[int]:
        """Return what the spawner has forked for pods and is not reaped."""
        return list(filter(self.runtime.link.knows, proctree.children(self.runtime.link.pid)))

    def network_process(self) -> int:
        children = proctree.children(self.runtime.link.pid)
        (process,) = (pid for pid in children if not self.runtime.link.knows(pid))
        return process


async def asked(sock, address: str) -> str:
    async with asyncio.timeout(SOON_S):
        return await dialled(sock, address, 80)


async def dialled(sock, address: str, port: int) -> str:
    loop = asyncio.get_running_loop()
    with sock:
        await loop.sock_connect(sock, (address, port))
        return (await loop.sock_recv(sock, 99)).decode()


async def until_answered(make) -> None:
    limit = time.monotonic() + SOON_S
    while time.monotonic() < limit:
        with contextlib.suppress(ConnectionRefusedError):
            await asked(make(), "127.0.0.1")
            return
        await asyncio.sleep(0.02)
    pytest.fail("nobody listens")


async def until(condition, what: str) -> None:
    limit = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < limit, f"not in time: {what}"
        await asyncio.sleep(0.02)


@pytest.fixture(scope="module", autouse=True)
def _allowed():
    if isolation.given_up():
        pytest.skip(f"{isolation.variable()}=prefix")
    if (refusal := isolation.refusals().network) is not None:
        pytest.skip(f"no network for each pod here: {refusal}")


@pytest.fixture
async def node(tmp_path):
    node = Node(tmp_path)
    await node.runtime.start()
    try:
        yield node
    finally:
        await node.runtime.close()


async def test_two_pods_listen_at_one_port_below_1024_and_see_each_other(node):
    one, two = await node.pod(), await node.pod()
    await node.serve(one)
    await node.serve(two)
    assert await node.ask(one, two) == one
    assert await node.ask(two, one) == two


async def test_a_pods_containers_share_its_loopback_name_and_links(node):
    pod = await node.pod(hostname="web-0")
    await node.serve(pod)
    assert await node.ask(pod, "127.0.0.1") == "127.0.0.1"
    assert await node.output(pod, "hostname") == "web-0"
    assert sorted((await node.output(pod, "ls", "/sys/class/net")).split()) == ["eth0", "lo"]


async def test_a_command_in_a_container_is_in_its_pods_network(node):
    pod, other = await node.pod(), await node.pod()
    await node.serve(other)
    container = await node.run(pod, "sleep", "100")
    command = await container.exec(["python3", "-c", ASK, other])
    assert (await command.stdout.read()).decode() == pod


async def test_a_pod_on_its_nodes_network_has_no_links_of_its_own(node):
    pod, other = await node.pod(address=None, hostname="node"), await node.pod()
    await node.serve(other)
    assert await node.ask(pod, other) == "10.244.0.1"
    assert await node.output(pod, "hostname") == "node"
    seen = (await node.output(pod, "ls", "/sys/class/net")).split()
    assert [name for name in seen if name.startswith("v")] == node.cables() != []


SEE = 'for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline; echo "#${p#/proc/}"; done'


async def test_containers_share_processes_where_their_pod_says_so(node):
    pod = await node.pod(share_processes=True)
    other = await node.run(pod, "sh", "-c", "sleep 101 & sleep 102 & exec sleep 103")
    seen = await node.output(pod, "sh", "-c", SEE)
    assert "/pause #1\n" in seen and all(f"sleep 10{n} #" in seen for n in (1, 2, 3))
    assert "Permission denied" in await node.output(pod, "ls", "/proc/1/root/")
    main = other.pid
    assert len(other.members()) == 3 and {*other.members()} == {*proctree.tree([main])}
    await other.stop(0)
    assert "sleep" not in await node.output(pod, "sh", "-c", SEE)
    await node.runtime.stop_sandbox(pod)
    await until(lambda: not node.containers(), "nothing of the pod runs")


async def test_an_orphan_is_its_containers_where_processes_are_shared(node):
    pod = await node.pod(share_processes=True)
    container = await node.run(pod, "sh", "-c", "(sleep 101 &); exec sleep 103")
    await until(lambda: len(container.members()) == 2, "both sleep")
    assert all(map(container.owns, container.members()))
    await container.stop(0)
    assert "sleep" not in await node.output(pod, "sh", "-c", SEE)


async def test_a_debugging_container_sees_the_one_it_looks_at(node):
    pod = await node.pod()
    web = await node.run(pod, "sleep", "100")
    assert "sleep 100 #1\n" in await node.output(pod, "sh", "-c", SEE, target=web.pid)
    debug = await node.run(pod, "sleep", "200", target=web.pid)
    await web.stop(0)
    assert (await debug.wait()).exit_code == 137


async def test_sockets_speak_from_the_node_or_from_a_pod(node):
    client, server = await node.pod(), await node.pod()
    await node.serve(server)
    sockets = node.runtime.sockets
    assert await asked(sockets.stream(), server) == "10.244.0.1"
    assert await asked(sockets.stream(client), server) == client
    assert await asked(sockets.in_pod(server), "127.0.0.1") == "127.0.0.1"
    with pytest.raises(OSError, match="not found"):
        sockets.in_pod("10.244.0.99")


async def test_every_cluster_ip_can_be_bound_and_refuses_where_nobody_listens(node):
    pod = await node.pod()
    listener = node.runtime.sockets.listener(("10.96.7.8", 80))
    listener.listen()
    asking = asyncio.create_task(node.ask(pod, "10.96.7.8"))
    connection, (client, _) = await asyncio.get_running_loop().sock_accept(listener)
    connection.send(b"here")
    connection.close()
    listener.close()
    assert (await asking, client) == ("here", pod)
    assert "ConnectionRefusedError" in await node.ask(pod, "10.96.7.8")


async def test_a_killed_spawner_takes_containers_and_leaves_sandboxes(node):
    pod, listener = await node.pod(), node.runtime.sockets.listener(("10.96.0.9", 80))
    container = await node.serve(pod)
    before = await node.output(pod, "readlink", "/proc/self/ns/net")
    os.kill(node.runtime.link.pid, signal.SIGKILL)
    async with asyncio.timeout(SOON_S):
        assert (await container.wait()).exit_code == 137
    await node.serve(pod)
    assert await node.output(pod, "readlink", "/proc/self/ns/net") == before
    assert await asked(node.runtime.sockets.stream("10.244.5.5"), pod) == "10.244.5.5"
    with pytest.raises(OSError, match="in use"):
        listener.listen()
        node.runtime.sockets.listener(("10.96.0.9", 80)).listen()
    listener.close()


async def test_a_killed_network_process_is_replaced_before_anybody_notices(node):
    os.kill(node.network_process(), signal.SIGKILL)
    pod = await node.pod()
    server = await node.serve(pod)
    await until(lambda: server.running(), "server")
    os.kill(node.network_process(), signal.SIGSTOP)
    began_s = time.monotonic()
    node.runtime.sockets.datagram().close()  # the stopped one is given up
    assert time.monotonic() - began_s < SOON_S
    assert await node.ask(await node.pod(), pod) == "10.244.0.3"


async def test_a_setting_that_the_kernel_does_not_know_is_named(node):
    with pytest.raises(cri.ContainerStartError, match="/proc/sys/net/no/such"):
        await node.pod(sysctls={"net.no.such": "1"})
    await until(lambda: node.cables() == [], "nothing half made")
    asked = {"net.ipv4.tcp_keepalive_time": "77", "kernel.shm_rmid_forced": "1"}
    pod = await node.pod(sysctls=asked)
    paths = [f"/proc/sys/{name.replace('.', '/')}" for name in asked]
    assert (await node.output(pod, "cat", *paths)).split() == ["77", "1"]


async def test_any_group_of_a_pod_may_ping(node):
    pod = await node.pod()
    ping = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)"
    assert await node.output(pod, "python3", "-c", ping) == ""


async def test_nothing_is_left_of_a_pod_that_is_gone(node):
    pods = [await node.pod() for _ in range(5)]
    await (await node.run(pods[0], "sleep", "100")).stop(0)
    assert len(node.cables()) == 5
    for pod in pods:
        await node.runtime.stop_sandbox(pod)
    await until(lambda: node.cables() == [], "cables gone")


def own_address() -> str:
    """Return an address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # says where one would go, and sends nothing
        except OSError:
            pytest.skip("this machine is on no network")
        return sock.getsockname()[0]


@pytest.mark.skipif(bool(isolation.missing_for_internet()), reason="no slirp4netns here")
async def test_pods_leave_by_this_machines_connections_and_not_to_its_loopback(node):
    pod, address, peers = await node.pod(), own_address(), []

    async def answer(reader, writer):
        peers.append(writer.get_extra_info("peername")[0])
        writer.write(b"here")
        writer.close()

    async with await asyncio.start_server(answer, address, 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(SOON_S):
            while peers == []:
                with contextlib.suppress(OSError):  # the way is still being opened
                    await dialled(node.runtime.sockets.in_pod(pod), address, port)
                await asyncio.sleep(0.02)
        assert peers == [address]
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            with pytest.raises(OSError, match=r"10\.244\.254\.2"):
                await dialled(node.runtime.sockets.in_pod(pod), "10.244.254.2", port)


async def test_two_nodes_share_one_network_whichever_ends_first(node, tmp_path):
    other = Node(tmp_path, 1)
    await other.runtime.start()
    here, there = await node.pod(), await other.pod()
    await node.serve(here)
    await other.serve(there)
    assert await node.ask(here, there) == here
    assert await other.ask(there, here) == there
    await other.runtime.close()
    again = Node(tmp_path, 1)
    await again.runtime.start()
    try:
        there = await again.pod()
        await again.serve(there)
        await node.runtime.close()
        await node.runtime.start()
        here = await node.pod()
        assert await node.ask(here, there) == here
    finally:
        await again.runtime.close()
