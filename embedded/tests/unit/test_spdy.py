"""SPDY framing and the stream pairs of port-forward, over an echo server on loopback."""

import asyncio
import hashlib
import struct

import pytest

from embedded_kubernetes.node.servers import spdy
from embedded_kubernetes.node.servers.portforward import PortForward, port_of


class Client:
    """The client's side of a session: encodes frames, decodes what comes back."""

    def __init__(self):
        self.coder = spdy.HeaderCoder()
        self.buffer = b""

    def syn(self, stream_id, headers, flags=0):
        body = struct.pack(">IIBB", stream_id, 0, 0, 0) + self.coder.encode(headers)
        return spdy.control_frame(spdy.SYN_STREAM, flags, body)

    def frames(self, data):
        """Return (kind or "data", stream id, flags, body) of every whole frame received so far."""
        self.buffer += data
        found = []
        while len(self.buffer) >= 8:
            first, second = struct.unpack_from(">II", self.buffer)
            size = second & 0xFFFFFF
            if len(self.buffer) < 8 + size:
                break
            body, self.buffer = self.buffer[8 : 8 + size], self.buffer[8 + size :]
            if first >> 31:
                found.append(
                    (first & 0xFFFF, struct.unpack_from(">I", body)[0], second >> 24, body[4:])
                )
            else:
                found.append(("data", first, second >> 24, body))
        return found


def session(on_stream=lambda stream: None):
    out = bytearray()
    return spdy.SpdySession(out.extend, on_stream), out


def test_dictionary_is_that_of_the_draft():
    assert len(spdy.DICTIONARY) == 1423
    digest = hashlib.sha256(spdy.DICTIONARY).hexdigest()
    assert digest == "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02"


def test_stream_is_replied_to_and_carries_data_both_ways():
    streams, received, ended = [], [], []

    def accept(stream):
        streams.append(stream)
        stream.on_data = received.append
        stream.on_end = lambda: ended.append(True)

    server, out = session(accept)
    client = Client()
    server.feed(client.syn(1, {"streamType": "data", "port": "80"}))
    assert streams[0].headers == {"streamtype": "data", "port": "80"}
    ((kind, stream_id, _, block),) = client.frames(bytes(out))
    assert (kind, stream_id) == (spdy.SYN_REPLY, 1)
    assert client.coder.decode(block) == {}

    server.feed(spdy.data_frame(1, 0, b"hello"))
    server.feed(spdy.data_frame(1, spdy.FLAG_FIN, b" world"))
    assert b"".join(received) == b"hello world"
    assert ended == [True]

    out.clear()
    streams[0].write(b"answer")
    streams[0].end()
    streams[0].write(b"too late")
    assert client.frames(bytes(out)) == [("data", 1, 0, b"answer"), ("data", 1, spdy.FLAG_FIN, b"")]


def test_bytes_may_come_one_at_a_time():
    received = []

    def accept(stream):
        stream.on_data = received.append

    server, _ = session(accept)
    wire = Client().syn(1, {"a": "b"}) + spdy.data_frame(1, 0, b"xyz")
    for at in range(len(wire)):
        server.feed(wire[at : at + 1])
    assert received == [b"xyz"]


def test_header_compression_keeps_its_history():
    streams = []
    server, out = session(streams.append)
    client = Client()
    for stream_id in (1, 3, 5):
        server.feed(client.syn(stream_id, {"requestID": str(stream_id), "streamType": "error"}))
    assert [stream.headers["requestid"] for stream in streams] == ["1", "3", "5"]
    for kind, _, _, block in client.frames(bytes(out)):
        assert kind == spdy.SYN_REPLY
        assert client.coder.decode(block) == {}


def test_refused_stream_is_reset():
    def refuse(stream):
        raise ValueError("no")

    server, out = session(refuse)
    server.feed(Client().syn(1, {}))
    assert Client().frames(bytes(out)) == [
        (spdy.RST_STREAM, 1, 0, struct.pack(">I", spdy.RST_REFUSED_STREAM))
    ]


def test_ping_is_answered_with_its_number():
    server, out = session()
    server.feed(spdy.control_frame(spdy.PING, 0, struct.pack(">I", 77)))
    assert Client().frames(bytes(out)) == [(spdy.PING, 77, 0, b"")]


def test_reset_ends_a_stream_once():
    ended = []

    def accept(stream):
        stream.on_end = lambda: ended.append(stream.stream_id)

    server, _ = session(accept)
    server.feed(Client().syn(1, {}))
    server.feed(spdy.control_frame(spdy.RST_STREAM, 0, struct.pack(">II", 1, spdy.RST_CANCEL)))
    server.feed(spdy.data_frame(1, spdy.FLAG_FIN, b"late"))
    server.end()
    assert ended == [1]


@pytest.mark.parametrize(
    "wire",
    [
        b"GET / HTTP/1.1\r\n\r\nabcdefgh" * 10,
        struct.pack(">HHI", 0x8002, 1, 10) + bytes(10),
        spdy.control_frame(spdy.SYN_STREAM, 0, b"\0\0\0\1" + bytes(6) + b"not zlib"),
        spdy.control_frame(spdy.SYN_STREAM, 0, b"\0"),
    ],
    ids=["http", "version 2", "bad header block", "short frame"],
)
def test_what_is_not_spdy_is_refused_or_waits_for_more(wire):
    server, out = session(lambda stream: pytest.fail("no stream"))
    if wire.startswith(b"GET"):
        server.feed(wire)  # reads as the beginning of a huge data frame of an unknown stream
        assert not out
    else:
        with pytest.raises(spdy.SpdyError):
            server.feed(wire)


def test_port_of_refuses_nonsense():
    assert port_of({"port": "80", "streamtype": "data"}) == 80
    for headers in (
        {},
        {"port": "0", "streamtype": "data"},
        {"port": "70000", "streamtype": "data"},
        {"port": "80"},
    ):
        with pytest.raises(ValueError):
            port_of(headers)


class Pipe:
    """A carrier made of two queues."""

    def __init__(self):
        self.to_server = asyncio.Queue()
        self.to_client = asyncio.Queue()

    async def read(self):
        return await self.to_server.get()

    def write(self, data):
        self.to_client.put_nowait(bytes(data))

    async def drain(self):
        await asyncio.sleep(0)


async def collect(client, pipe, until):
    frames = []
    async with asyncio.timeout(10):
        while not until(frames):
            frames += client.frames(await pipe.to_client.get())
    return frames


def data_of(frames, stream_id):
    return b"".join(body for kind, one, _, body in frames if kind == "data" and one == stream_id)


def fins(frames):
    return {one for kind, one, flags, _ in frames if kind == "data" and flags & spdy.FLAG_FIN}


async def dial(port):
    """Connect to what stands for the pod's own 127.0.0.1."""
    return await asyncio.open_connection("127.0.0.1", port)


async def test_port_forward_joins_a_pair_to_a_tcp_port():
    async def upper(reader, writer):
        writer.write((await reader.read()).upper())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(upper, "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    client, pipe = Client(), Pipe()
    served = asyncio.create_task(PortForward(pipe, dial, "web").run())
    for at in (1, 5):
        pipe.to_server.put_nowait(
            client.syn(at, {"streamType": "error", "port": port, "requestID": f"{at}"})
        )
        pipe.to_server.put_nowait(
            client.syn(at + 2, {"streamType": "data", "port": port, "requestID": f"{at}"})
        )
        pipe.to_server.put_nowait(spdy.data_frame(at + 2, 0, b"x" * 200_000))
        pipe.to_server.put_nowait(spdy.data_frame(at + 2, spdy.FLAG_FIN, b"end%d" % at))
    frames = await collect(client, pipe, lambda frames: fins(frames) >= {1, 3, 5, 7})
    assert data_of(frames, 3) == b"X" * 200_000 + b"END1"
    assert data_of(frames, 7) == b"X" * 200_000 + b"END5"
    assert data_of(frames, 1) == data_of(frames, 5) == b""
    pipe.to_server.put_nowait(b"")
    await served
    server.close()
    await server.wait_closed()


async def test_port_forward_tells_a_refused_connection_on_the_error_stream(unused_tcp_port):
    client, pipe = Client(), Pipe()
    served = asyncio.create_task(PortForward(pipe, dial, "web").run())
    port = str(unused_tcp_port)
    pipe.to_server.put_nowait(
        client.syn(1, {"streamType": "error", "port": port, "requestID": "0"})
    )
    pipe.to_server.put_nowait(client.syn(3, {"streamType": "data", "port": port, "requestID": "0"}))
    frames = await collect(
        client, pipe, lambda frames: any(kind == spdy.RST_STREAM for kind, *_ in frames)
    )
    assert b"error forwarding port " + port.encode() + b" to pod web" in data_of(frames, 1)
    pipe.to_server.put_nowait(b"")
    await served
