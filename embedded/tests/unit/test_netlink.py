"""Messages to the kernel about links, addresses, routes and rules, as `linux/rtnetlink.h` has them."""

from __future__ import annotations

import socket
import struct

import pytest

from embedded_kubernetes.node.runtime.pod_network import netlink

TCP = socket.IPPROTO_TCP


def attributes(raw: bytes) -> dict[int, bytes]:
    """Return what is in a row of `struct rtattr`."""
    known = {}
    while raw:
        length, kind = struct.unpack_from("=HH", raw)
        known[kind] = raw[4:length]
        raw = raw[(length + 3) & ~3 :]
    return known


def test_a_row_of_messages_is_numbered_and_each_wants_an_answer() -> None:
    first, second = netlink.link_up(3), netlink.address(3, "10.244.0.1")
    raw = netlink.packed((first, second), 7)
    length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", raw)
    assert (length, kind, flags, sequence) == (32, 16, 0x5, 7)
    length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", raw, length)
    assert (kind, sequence) == (20, 8) and length % 4 == 0
    assert len(raw) == 32 + length


def test_a_link_is_set_up_by_its_flag_alone() -> None:
    assert struct.unpack("=BxHiII", netlink.link_up(3).body) == (0, 0, 3, 1, 1)


def test_a_cable_goes_to_another_namespace() -> None:
    body = netlink.veth("eth0", "v0a1b", 9).body
    outer = attributes(body[16:])
    assert outer[3] == b"eth0\0"
    information = attributes(outer[18])
    assert information[1] == b"veth\0"
    peer = attributes(information[2])[1]
    # A link without its other end cannot be up yet: the kernel answers ENOTCONN.
    assert struct.unpack_from("=BxHiII", peer) == (0, 0, 0, 0, 0)
    there = attributes(peer[16:])
    assert there == {3: b"v0a1b\0", 28: struct.pack("=I", 9)}


def test_an_address_is_one_of_its_own() -> None:
    body = netlink.address(2, "10.244.1.7").body
    assert struct.unpack_from("=BBBBI", body) == (socket.AF_INET, 32, 0, 0, 2)
    assert attributes(body[8:]) == {1: bytes((10, 244, 1, 7)), 2: bytes((10, 244, 1, 7))}


@pytest.mark.parametrize(
    ("message", "fields", "expected"),
    [
        (
            netlink.route("10.244.0.2/32", 5, source="10.244.0.1"),
            (socket.AF_INET, 32, 0, 0, 254, 4, netlink.SCOPE_LINK, netlink.UNICAST, 0),
            {1: bytes((10, 244, 0, 2)), 4: struct.pack("=i", 5), 7: bytes((10, 244, 0, 1))},
        ),
        (
            netlink.route("0.0.0.0/0", 2, gateway="169.254.1.1", scope=netlink.SCOPE_GLOBAL),
            (socket.AF_INET, 0, 0, 0, 254, 4, netlink.SCOPE_GLOBAL, netlink.UNICAST, 0),
            {4: struct.pack("=i", 2), 5: bytes((169, 254, 1, 1))},
        ),
        (
            netlink.route(
                "10.96.0.0/16", 1, kind=netlink.LOCAL, scope=netlink.SCOPE_HOST, table=255
            ),
            (socket.AF_INET, 16, 0, 0, 255, 4, netlink.SCOPE_HOST, netlink.LOCAL, 0),
            {1: bytes((10, 96, 0, 0)), 4: struct.pack("=i", 1)},
        ),
    ],
)
def test_routes(
    message: netlink.Message, fields: tuple[int, ...], expected: dict[int, bytes]
) -> None:
    assert struct.unpack_from("=BBBBBBBBI", message.body) == fields
    assert attributes(message.body[12:]) == expected


def test_a_rule_looks_a_protocols_ports_up_in_a_table() -> None:
    body = netlink.rule(100, 101, protocol=TCP, ports=(49152, 65534), incoming="lo").body
    assert struct.unpack_from("=BBBBBBBBI", body) == (socket.AF_INET, 0, 0, 0, 101, 0, 0, 1, 0)
    assert attributes(body[12:]) == {
        3: b"lo\0",
        6: struct.pack("=I", 100),
        15: struct.pack("=I", 101),
        22: b"\x06",
        24: struct.pack("=HH", 49152, 65534),
    }
