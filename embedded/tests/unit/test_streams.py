"""Channels of exec and attach in the forms that clients ask for."""

import json
from types import SimpleNamespace

import pytest
from aiohttp import WSMsgType

from embedded_kubernetes.node.servers.streams import (
    CLOSE,
    STDIN,
    STDOUT,
    Channels,
    exit_status,
    success_status,
)


class Socket:
    """One side of a WebSocket: what the client says, and what it hears."""

    def __init__(self, protocol, *messages):
        self.ws_protocol = protocol
        self.heard = []
        self._messages = messages

    async def send_bytes(self, data):
        self.heard.append(data)

    async def send_str(self, text):
        self.heard.append(text)

    def __aiter__(self):
        async def each():
            for message in self._messages:
                kind = WSMsgType.TEXT if isinstance(message, str) else WSMsgType.BINARY
                yield SimpleNamespace(type=kind, data=message)

        return each()


class Program:
    """A command that keeps what is written to it."""

    def __init__(self):
        self.stdin = self
        self.read = b""
        self.closed = False

    def write(self, data):
        self.read += data

    async def drain(self):
        pass

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    ("protocol", "output", "failure"),
    [
        ("v5.channel.k8s.io", b"\x01hi", b"\x03{"),
        ("v4.base64.channel.k8s.io", "1aGk=", "3"),
        ("channel.k8s.io", b"\x01hi", b"\x03command terminated"),
        ("base64.channel.k8s.io", "1aGk=", "3Y29tbWFuZCB0ZXJtaW5hdGVk"),
        (None, b"\x01hi", b"\x03command terminated"),
    ],
)
async def test_each_protocol_has_its_form(protocol, output, failure):
    socket = Socket(protocol)
    channels = Channels(socket)
    await channels.send(STDOUT, b"hi")
    await channels.send_status(exit_status(3))
    assert socket.heard[0] == output
    assert socket.heard[1].startswith(failure)


@pytest.mark.parametrize(("protocol", "said"), [("channel.k8s.io", 0), ("v4.channel.k8s.io", 1)])
async def test_the_first_protocol_says_nothing_of_a_success(protocol, said):
    socket = Socket(protocol)
    await Channels(socket).send_status(success_status())
    assert [json.loads(message[1:])["status"] for message in socket.heard] == ["Success"] * said


async def test_input_comes_as_bytes_or_as_text():
    program = Program()
    messages = (b"\x00one ", "0dHdv", "x", bytes([CLOSE, STDIN]))
    await Channels(Socket("base64.channel.k8s.io", *messages)).copy_in(program)
    assert program.read == b"one two"
    assert program.closed
