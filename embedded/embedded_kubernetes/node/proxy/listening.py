"""Whether anybody listens at an endpoint, seen without a connection: half of a handshake, which no program notices.

A proxy has accepted a client before it knows whether the endpoint does; where nobody listens at any endpoint of a
Service, its door is closed instead, and the client is refused, as by the pod itself. The kernel ends what it did not
begin: it answers the second packet of the handshake with a reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from ..network.sockets import Sockets
from .topology import Target

_ANSWER_S = 0.1
"""Who does not answer by then is dialled all the same."""
_SOURCE_PORT = 1
"""Nobody connects from it, so no answer is meant for anybody else."""
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_HEADER = struct.Struct("!HHIIBBHHH")
_WINDOW = 1024

OnAnswer = Callable[[Target, bool], None]


def handshake(source: str, target: Target) -> bytes:
    """Return the first packet of a TCP handshake, without data or options (RFC 9293, 3.1)."""
    header = [_SOURCE_PORT, target.port, 0, 0, (_HEADER.size // 4) << 4, _SYN, _WINDOW, 0, 0]
    addresses = socket.inet_aton(source) + socket.inet_aton(target.address)
    pseudo = addresses + struct.pack("!BBH", 0, socket.IPPROTO_TCP, _HEADER.size)
    header[7] = _checksum(pseudo + _HEADER.pack(*header))
    return _HEADER.pack(*header)


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def answer(packet: bytes, port: int) -> bool | None:
    """Return what an IPv4 packet says of a port that was asked: open, closed, or None where it is about another."""
    begin = (packet[0] & 0x0F) * 4
    if len(packet) < begin + _HEADER.size:
        return None
    source, to, *_, flags, _, _, _ = _HEADER.unpack_from(packet, begin)
    if (source, to) != (port, _SOURCE_PORT):
        return None
    return False if flags & _RST else True if flags & (_SYN | _ACK) == _SYN | _ACK else None


class Listening:
    """Asks endpoints of the pods' network whether anybody listens.

    Parameters
    ----------
    sockets : Sockets
        Of the pods' network.
    source : str
        The address that it asks from.
    """

    def __init__(self, sockets: Sockets, source: str) -> None:
        self._sockets = sockets
        self._source = source
        self._asked: dict[Target, list[OnAnswer]] = {}

    def ask(self, target: Target, on_answer: OnAnswer) -> None:
        """Call `on_answer` with the target and whether somebody listens there; who does not answer may well do."""
        if target in self._asked:
            self._asked[target].append(on_answer)
            return
        loop = asyncio.get_running_loop()
        try:
            sock = self._sockets.raw()
        except OSError:
            on_answer(target, True)
            return
        self._asked[target] = [on_answer]

        def end(is_open: bool) -> None:
            loop.remove_reader(sock)
            sock.close()
            timer.cancel()
            for waiting in self._asked.pop(target):
                waiting(target, is_open)

        def readable() -> None:
            with contextlib.suppress(OSError):
                while True:
                    said = answer(sock.recv(4096), target.port)
                    if said is not None:
                        end(said)
                        return

        timer = loop.call_later(_ANSWER_S, end, True)
        loop.add_reader(sock, readable)
        try:
            sock.bind((self._source, 0))
            sock.connect((target.address, 0))
            sock.send(handshake(self._source, target))
        except OSError:
            end(True)
