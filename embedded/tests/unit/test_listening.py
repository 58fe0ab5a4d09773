"""Whether anybody listens at an endpoint: half a handshake, and a door that is closed until somebody does."""

import asyncio
import socket
import struct

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.node.network.sockets import HostSockets
from embedded_kubernetes.node.proxy.dialling import Dialler
from embedded_kubernetes.node.proxy.doors import open_door
from embedded_kubernetes.node.proxy.listening import answer, handshake
from embedded_kubernetes.node.proxy.topology import Routes, Target

CONFIG = ClusterConfig("cours", "/c", "/r", 2, "v1.37.0", "/b", 1, 2, 3, 4, (5,))
SYN, RST, ACK = 0x02, 0x04, 0x10


def test_the_handshake_is_one_that_the_kernel_takes():
    packet = handshake("10.244.0.1", Target("10.244.0.9", 8080))
    pseudo = socket.inet_aton("10.244.0.1") + socket.inet_aton("10.244.0.9")
    words = struct.unpack("!16H", pseudo + struct.pack("!BBH", 0, 6, len(packet)) + packet)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF  # the checksum of RFC 9293 closes the sum
    source, port, *_, offset, flags, _, _, _ = struct.unpack("!HHIIBBHHH", packet)
    assert (source, port, offset >> 4, flags) == (1, 8080, 5, SYN)


@pytest.mark.parametrize(
    ("flags", "ports", "said"),
    [
        (SYN | ACK, (8080, 1), True),
        (RST | ACK, (8080, 1), False),
        (SYN | ACK, (8081, 1), None),
        (SYN | ACK, (8080, 50000), None),
        (ACK, (8080, 1), None),
    ],
)
def test_what_an_answer_says(flags, ports, said):
    segment = struct.pack("!HHIIBBHHH", *ports, 0, 1, 5 << 4, flags, 0, 0, 0)
    for options in (b"", bytes(4)):
        header = bytes([0x45 + len(options) // 4]) + bytes(19) + options
        assert answer(header + segment, 8080) is said
    assert answer(bytes([0x45]) + bytes(19), 8080) is None


class Asked(Dialler):
    """A dialler that keeps what it is asked."""

    def __init__(self):
        super().__init__(CONFIG, HostSockets())
        self.waiting = []

    def ask(self, target, on_answer):
        self.waiting.append((target, on_answer))

    def say(self, is_open):
        waiting, self.waiting = self.waiting, []
        for target, on_answer in waiting:
            on_answer(target, is_open)


async def refused(address):
    with HostSockets().stream() as client:
        try:
            await asyncio.get_running_loop().sock_connect(client, address)
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            return False  # let in, and not led on
    return False


async def test_a_door_refuses_until_somebody_listens_and_when_nobody_does_any_more(
    unused_tcp_port_factory,
):
    address, dialler = ("127.0.0.1", unused_tcp_port_factory()), Asked()
    target = Target("127.0.0.1", unused_tcp_port_factory())
    door = open_door("TCP", address, HostSockets(), dialler)
    door.lead_to(Routes((target,)), None)
    assert await refused(address)
    dialler.say(False)
    async with asyncio.timeout(5):
        while not dialler.waiting:  # it looks again by itself
            await asyncio.sleep(0.005)
    dialler.say(True)
    assert not await refused(address)
    async with asyncio.timeout(5):
        while not dialler.waiting:  # the endpoint has refused that one
            await asyncio.sleep(0.005)
    dialler.say(False)
    assert await refused(address)
    door.lead_to(Routes(), None)
    dialler.say(True)
    assert await refused(address)
    door.close()


async def test_a_door_whose_endpoints_all_change_serves_without_a_break(unused_tcp_port_factory):
    address, dialler = ("127.0.0.1", unused_tcp_port_factory()), Asked()
    blue, green = (Target("127.0.0.1", unused_tcp_port_factory()) for _ in range(2))
    door = open_door("TCP", address, HostSockets(), dialler)
    door.lead_to(Routes((blue,)), None)
    dialler.say(True)
    door.lead_to(Routes((green,)), None)  # what a Service's new selector comes to
    assert not await refused(address)
    dialler.say(False)
    assert await refused(address)
    door.close()
