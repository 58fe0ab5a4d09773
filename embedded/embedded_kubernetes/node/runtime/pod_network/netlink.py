"""Links, addresses, routes and rules of a network namespace, by messages to the kernel (man 7 rtnetlink).

Runs in the network process: nothing but `os`, `struct` and sockets here. Numbers are those of `linux/rtnetlink.h`,
`linux/if_link.h`, `linux/if_addr.h` and `linux/fib_rules.h`.
"""

from __future__ import annotations

import _socket
import os
import struct
from typing import NamedTuple

LOCAL, UNICAST = 2, 1
"""Types of a route: what it leads to is the machine's own, or reached over a link."""

SCOPE_GLOBAL, SCOPE_LINK, SCOPE_HOST = 0, 253, 254
TABLE_MAIN = 254

_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE, _NEW_RULE = 16, 20, 24, 32
_REQUEST, _ACK, _EXCLUSIVE, _REPLACE, _CREATE = 0x1, 0x4, 0x200, 0x100, 0x400
_ERROR = 2
_UP = 0x1
_RULE_TO_TABLE = 1
_PROTOCOL_STATIC = 4

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")

_BUFFER_BYTES = 1 << 16


class Message(NamedTuple):
    """One request to the kernel.

    Attributes
    ----------
    kind, flags : int
        Of `nlmsghdr`.
    body : bytes
        What follows the header.
    what : str
        Names it in an error.
    """

    kind: int
    flags: int
    body: bytes
    what: str


def link_up(index: int) -> Message:
    """Set a link up."""
    return Message(_NEW_LINK, 0, _LINK.pack(0, 0, index, _UP, _UP), "set link up")


def veth(name: str, peer: str, peer_namespace: int) -> Message:
    """Make two links that are the ends of one cable; the peer is still to be set up.

    Parameters
    ----------
    name, peer : str
        The link here and the one there.
    peer_namespace : int
        Descriptor of the network namespace that gets the peer.
    """
    up = _LINK.pack(0, 0, 0, _UP, _UP)
    there = (
        _LINK.pack(0, 0, 0, 0, 0)
        + _text(3, peer)
        + _attribute(28, struct.pack("=I", peer_namespace))
    )
    information = _text(1, "veth") + _attribute(2, _attribute(1, there))
    body = up + _text(3, name) + _attribute(18, information)
    return Message(_NEW_LINK, _CREATE | _EXCLUSIVE, body, "add veth")


def address(index: int, ip: str, scope: int = SCOPE_GLOBAL) -> Message:
    """Give a link an address (a /32)."""
    raw = _socket.inet_aton(ip)
    body = _ADDRESS.pack(_socket.AF_INET, 32, 0, scope, index)
    body += _attribute(2, raw) + _attribute(1, raw)
    return Message(_NEW_ADDRESS, _CREATE | _REPLACE, body, f"add address {ip}")


def route(
    destination: str,
    index: int,
    *,
    kind: int = UNICAST,
    scope: int = SCOPE_LINK,
    gateway: str = "",
    source: str = "",
    table: int = TABLE_MAIN,
) -> Message:
    """Lead a block of addresses to a link, in place of what led it elsewhere.

    Parameters
    ----------
    destination : str
        `10.96.0.0/16`; `0.0.0.0/0` for all.
    index : int
        The link.
    kind, scope, table : int
        As `ip route` has them.
    gateway : str
        Address of the neighbour that it goes through; "" where it is reached at once.
    source : str
        The address that this machine's own packets come from; "" for the kernel's choice.
    """
    network, _, length = destination.partition("/")
    body = _ROUTE.pack(_socket.AF_INET, int(length), 0, 0, table, _PROTOCOL_STATIC, scope, kind, 0)
    if int(length):
        body += _attribute(1, _socket.inet_aton(network))
    body += _attribute(4, struct.pack("=i", index))
    if gateway:
        body += _attribute(5, _socket.inet_aton(gateway))
    if source:
        body += _attribute(7, _socket.inet_aton(source))
    return Message(_NEW_ROUTE, _CREATE | _REPLACE, body, f"add route {destination}")


def rule(
    priority: int,
    table: int,
    *,
    protocol: int,
    ports: tuple[int, int],
    incoming: str = "",
) -> Message:
    """Look packets of a protocol up in a table by their destination port.

    Parameters
    ----------
    priority : int
        Lower ones are asked first.
    protocol : int
        `IPPROTO_TCP` or `IPPROTO_UDP`.
    ports : tuple of int
        First and last port; the last must be below 65535, which the kernel takes for none.
    incoming : str
        Only those that come in over this link; `lo` for the machine's own. "" for all.
    """
    body = _ROUTE.pack(_socket.AF_INET, 0, 0, 0, table, 0, 0, _RULE_TO_TABLE, 0)
    body += _attribute(6, struct.pack("=I", priority)) + _attribute(15, struct.pack("=I", table))
    body += _attribute(22, struct.pack("=B", protocol))
    body += _attribute(24, struct.pack("=HH", *ports))
    if incoming:
        body += _text(3, incoming)
    return Message(_NEW_RULE, _CREATE | _EXCLUSIVE, body, "add rule")


def packed(messages: tuple[Message, ...], first_sequence: int) -> bytes:
    """Return messages as they are sent, numbered in turn; each is to be acknowledged."""
    return b"".join(
        _HEADER.pack(
            _HEADER.size + len(message.body),
            message.kind,
            _REQUEST | _ACK | message.flags,
            first_sequence + offset,
            0,
        )
        + message.body
        for offset, message in enumerate(messages)
    )


class Netlink:
    """A conversation with the kernel about the network namespace that its maker is in, wherever he goes afterwards."""

    def __init__(self) -> None:
        self._socket = _socket.socket(
            _socket.AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, _socket.NETLINK_ROUTE
        )
        self._sequence = 1

    def do(self, *messages: Message, ignored: int = 0) -> None:
        """Have the kernel do all that messages ask, in their order.

        Parameters
        ----------
        messages : Message
            What is to be done. The kernel goes on after one that fails.
        ignored : int
            An error number that is none here.

        Raises
        ------
        OSError
            Of the first one that failed; `filename` names it.
        """
        first = self._sequence
        self._sequence += len(messages)
        self._socket.send(packed(messages, first))
        waiting = len(messages)
        failed: OSError | None = None
        while waiting:
            data = self._socket.recv(_BUFFER_BYTES)
            while data:
                length, kind, _, sequence, _ = _HEADER.unpack_from(data)
                if kind == _ERROR and first <= sequence < self._sequence:
                    waiting -= 1
                    (number,) = struct.unpack_from("=i", data, _HEADER.size)
                    if number and -number != ignored and failed is None:
                        what = messages[sequence - first].what
                        failed = OSError(-number, os.strerror(-number), what)
                data = data[_aligned(length) :]
        if failed is not None:
            raise failed

    def close(self) -> None:
        """End it."""
        self._socket.close()


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_aligned(length) - length)


def _text(kind: int, text: str) -> bytes:
    return _attribute(kind, text.encode() + b"\0")


def _aligned(length: int) -> int:
    return (length + 3) & ~3
