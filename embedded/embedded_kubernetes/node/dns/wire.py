"""DNS messages as they travel: a question read, an answer written, another server's answer read.

(source: RFC 1035 section 4, RFC 2782, RFC 6891)
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum

UDP_BYTES = 512
"""The longest answer over UDP for who does not say that more fits."""
TCP_BYTES = 65_535

_HEADER = struct.Struct(">HHHHHH")
_FIXED = struct.Struct(">HHIH")
_RESPONSE, _AUTHORITATIVE, _TRUNCATED = 0x8000, 0x0400, 0x0200
_COPIED = 0x7910  # opcode, "recursion desired" and "checking disabled" of the question
_OPCODE = 0x7800
_POINTER = 0xC0
_LONGEST_POINTER = 0x3FFF
_LONGEST_NAME = 255
_LONGEST_LABEL = 63
_DNSSEC_OK = 0x8000
_INNER_DOT = "\N{ONE DOT LEADER}"
"""Stands in names for a dot that is a part of a label: labels are read as Latin-1, which does not have it."""


class RecordType(IntEnum):
    """The types of records that are known by name here."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33
    OPT = 41
    IXFR = 251
    AXFR = 252


class ResponseCode(IntEnum):
    """How a question ended."""

    NO_ERROR = 0
    FORMAT_ERROR = 1
    SERVER_FAILURE = 2
    NAME_ERROR = 3
    """NXDOMAIN: nothing has that name."""
    NOT_IMPLEMENTED = 4
    REFUSED = 5
    BAD_VERSION = 16


INTERNET = 1
"""The class of all records."""


class MessageError(ValueError):
    """A message that cannot be read."""


@dataclass(frozen=True)
class Query:
    """A question with what its answer depends on.

    Attributes
    ----------
    name : str
        As it was asked, without the last dot.
    payload_bytes : int or None
        The longest answer over UDP that the client takes (EDNS); None where it does not speak EDNS.
    """

    message_id: int
    flags: int
    name: str
    record_type: int
    record_class: int = INTERNET
    payload_bytes: int | None = None
    edns_version: int = 0
    dnssec_ok: bool = False


@dataclass(frozen=True)
class ResourceRecord:
    """A resource record of the class IN.

    Attributes
    ----------
    data : tuple of str and bytes
        Its parts: a `str` is a name, `bytes` stand as they are.
    """

    owner: str
    record_type: int
    ttl_s: int
    data: tuple[str | bytes, ...]


@dataclass(frozen=True)
class Response:
    """What is answered.

    Attributes
    ----------
    elsewhere : str
        A name outside of the cluster whose records complete `answers` (an ExternalName's); "" for none.
    """

    code: ResponseCode
    answers: tuple[ResourceRecord, ...] = ()
    authorities: tuple[ResourceRecord, ...] = ()
    additional: tuple[ResourceRecord, ...] = ()
    authoritative: bool = True
    truncated: bool = False
    elsewhere: str = ""


def address_record(owner: str, address: str, ttl_s: int) -> ResourceRecord:
    """Return an A or AAAA record."""
    parsed = ipaddress.ip_address(address)
    kind = RecordType.A if parsed.version == 4 else RecordType.AAAA
    return ResourceRecord(owner, kind, ttl_s, (parsed.packed,))


def service_record(owner: str, weight: int, port: int, target: str, ttl_s: int) -> ResourceRecord:
    """Return a SRV record of priority 0."""
    return ResourceRecord(
        owner, RecordType.SRV, ttl_s, (struct.pack(">HHH", 0, weight, port), target)
    )


def text_record(owner: str, text: str, ttl_s: int) -> ResourceRecord:
    """Return a TXT record of one string."""
    encoded = text.encode()
    return ResourceRecord(owner, RecordType.TXT, ttl_s, (bytes((len(encoded),)) + encoded,))


def authority_record(
    owner: str, server: str, contact: str, serial: int, ttl_s: int
) -> ResourceRecord:
    """Return a SOA record with CoreDNS' own periods; what is not there is remembered for `ttl_s`."""
    periods = struct.pack(">IIIII", serial, 7200, 1800, 86400, ttl_s)
    return ResourceRecord(owner, RecordType.SOA, ttl_s, (server, contact, periods))


def read_query(packet: bytes) -> Query | None:
    """Return the question of a packet; None for what is to be left without an answer (an answer, half a header).

    Raises
    ------
    MessageError
        There is not exactly one question, or it cannot be read.
    """
    if len(packet) < _HEADER.size:
        return None
    message_id, flags, questions, answers, authorities, additional = _HEADER.unpack_from(packet)
    if flags & _RESPONSE:
        return None
    if flags & _OPCODE:
        return Query(message_id, flags, "", 0)
    if questions != 1 or answers > 1 or authorities > 1 or additional > 2:
        raise MessageError("a query has one question")
    name, offset = _read_name(packet, _HEADER.size)
    record_type, record_class = _unpack(">HH", packet, offset)
    offset += 4
    payload_bytes, version, dnssec_ok = None, 0, False
    for _ in range(answers + authorities + additional):
        _, kind, size, extended, _, offset = _read_fixed(packet, offset)
        if kind == RecordType.OPT:
            payload_bytes = max(UDP_BYTES, size)
            version, dnssec_ok = extended >> 16 & 0xFF, bool(extended & _DNSSEC_OK)
    return Query(
        message_id,
        flags,
        name,
        record_type,
        record_class,
        payload_bytes,
        version,
        dnssec_ok,
    )


def is_other_operation(query: Query) -> bool:
    """Return whether something else than a lookup is asked for (NOTIFY, UPDATE)."""
    return bool(query.flags & _OPCODE)


def write_query(query: Query) -> bytes:
    """Return a question as a packet."""
    message = bytearray(_HEADER.pack(query.message_id, query.flags & _COPIED, 1, 0, 0, 0))
    _write_name(message, query.name, {})
    message += struct.pack(">HH", query.record_type, query.record_class)
    if query.payload_bytes is not None:
        message[10:12] = b"\0\1"
        message += _options(query, ResponseCode.NO_ERROR)
    return bytes(message)


def write_response(query: Query, response: Response, limit_bytes: int) -> bytes:
    """Return the packet that answers a question: what does not fit is left out, and said to be (TC).

    Parameters
    ----------
    limit_bytes : int
        How long it may be at most; see `longest`.
    """
    message = bytearray(_HEADER.size)
    names: dict[str, int] = {}
    if query.name or query.record_type:
        _write_name(message, query.name, names)
        message += struct.pack(">HH", query.record_type, query.record_class)
    options = b"" if query.payload_bytes is None else _options(query, response.code)
    room = limit_bytes - len(options)
    counts, cut = [], False
    for section in (response.answers, response.authorities, response.additional):
        count = 0
        for record in () if cut else section:
            before = len(message)
            _write_record(message, record, names)
            if len(message) > room:
                del message[before:]
                cut = True
                break
            count += 1
        counts.append(count)
    message += options
    flags = _RESPONSE | query.flags & _COPIED | response.code & 0xF
    flags |= _AUTHORITATIVE * response.authoritative | _TRUNCATED * (response.truncated or cut)
    counts[2] += bool(options)
    questions = int(bool(query.name or query.record_type))
    _HEADER.pack_into(message, 0, query.message_id, flags, questions, *counts)
    return bytes(message)


def write_error(packet: bytes, code: ResponseCode) -> bytes:
    """Return an answer to a packet that cannot be read further than its header."""
    message_id, flags = struct.unpack_from(">HH", packet)
    return _HEADER.pack(message_id, _RESPONSE | flags & _COPIED | code, 0, 0, 0, 0)


def longest(query: Query, *, stream: bool) -> int:
    """Return how many bytes an answer may have, over TCP (`stream`) or UDP."""
    if stream:
        return TCP_BYTES
    return UDP_BYTES if query.payload_bytes is None else query.payload_bytes


def answers_to(query: Query, packet: bytes) -> bool:
    """Return whether a packet from another server is the answer to a question that was sent there."""
    if len(packet) < _HEADER.size:
        return False
    message_id, flags, questions, *_ = _HEADER.unpack_from(packet)
    if message_id != query.message_id or not flags & _RESPONSE or questions != 1:
        return False
    try:
        name, offset = _read_name(packet, _HEADER.size)
        kinds = _unpack(">HH", packet, offset)
    except MessageError:
        return False
    return (name.lower(), *kinds) == (query.name.lower(), query.record_type, query.record_class)


def read_answers(packet: bytes) -> tuple[tuple[ResourceRecord, ...], bool]:
    """Return the answer section of another server's packet, and whether it was cut off.

    Raises
    ------
    MessageError
        It cannot be read.
    """
    _, flags, questions, answers, _, _ = _unpack(">HHHHHH", packet, 0)
    offset = _HEADER.size
    for _ in range(questions):
        offset = _read_name(packet, offset)[1] + 4
    records = []
    for _ in range(answers):
        owner, kind, _, ttl_s, start, offset = _read_fixed(packet, offset)
        records.append(ResourceRecord(owner, kind, ttl_s, _read_data(packet, kind, start, offset)))
    return tuple(records), bool(flags & _TRUNCATED)


def _options(query: Query, code: int) -> bytes:
    """Return the OPT record: the client's own size, as CoreDNS sends it back, and the upper bits of the code."""
    extended = code >> 4 << 24 | _DNSSEC_OK * query.dnssec_ok
    return b"\0" + _FIXED.pack(RecordType.OPT, query.payload_bytes or 0, extended, 0)


def _write_record(message: bytearray, record: ResourceRecord, names: dict[str, int]) -> None:
    _write_name(message, record.owner, names)
    message += _FIXED.pack(record.record_type, INTERNET, record.ttl_s, 0)
    start = len(message)
    for part in record.data:
        if isinstance(part, bytes):
            message += part
        else:
            # RFC 2782: the target of a SRV record is written in full.
            whole = record.record_type == RecordType.SRV
            _write_name(message, part, {} if whole else names)
    struct.pack_into(">H", message, start - 2, len(message) - start)


def _write_name(message: bytearray, name: str, names: dict[str, int]) -> None:
    """Write a name; what the message has of it already is pointed to."""
    rest = name.rstrip(".")
    while rest:
        known = names.get(rest)
        if known is not None:
            message += struct.pack(">H", _POINTER << 8 | known)
            return
        if len(message) <= _LONGEST_POINTER:
            names[rest] = len(message)
        label, rest = _first_label(rest)
        message.append(len(label))
        message += label
    message.append(0)


def _first_label(name: str) -> tuple[bytes, str]:
    label, _, rest = name.partition(".")
    return label.replace(_INNER_DOT, ".").encode("latin-1", "replace")[:_LONGEST_LABEL], rest


def _read_name(packet: bytes, offset: int) -> tuple[str, int]:
    """Return a name and where the next thing begins."""
    labels: list[str] = []
    end, length = None, 0
    while True:
        (size,) = _unpack(">B", packet, offset)
        if size & _POINTER == _POINTER:
            (pointer,) = _unpack(">H", packet, offset)
            if end is None:
                end = offset + 2
            if pointer & _LONGEST_POINTER >= offset:
                raise MessageError("a name points forward")
            offset = pointer & _LONGEST_POINTER
            continue
        offset += 1
        if size == 0:
            return ".".join(labels), offset if end is None else end
        if size > _LONGEST_LABEL:
            raise MessageError("a label of unknown kind")
        length += size + 1
        if length >= _LONGEST_NAME or offset + size > len(packet):
            raise MessageError("a name is too long")
        label = packet[offset : offset + size].decode("latin-1")
        labels.append(label.replace(".", _INNER_DOT))
        offset += size


def _read_fixed(packet: bytes, offset: int) -> tuple[str, int, int, int, int, int]:
    """Return owner, type, class, TTL, and where a record's data begin and end."""
    owner, offset = _read_name(packet, offset)
    kind, record_class, ttl_s, size = _unpack(">HHIH", packet, offset)
    start = offset + _FIXED.size
    if start + size > len(packet):
        raise MessageError("a record is cut off")
    return owner, kind, record_class, ttl_s, start, start + size


_NAMES_AFTER: dict[int, tuple[int, int]] = {
    RecordType.NS: (0, 1),
    RecordType.CNAME: (0, 1),
    RecordType.PTR: (0, 1),
    RecordType.SOA: (0, 2),
    RecordType.MX: (2, 1),
    RecordType.SRV: (6, 1),
}
"""After how many bytes of a record's data how many names follow: they may point to other parts of the message."""


def _read_data(packet: bytes, kind: int, start: int, end: int) -> tuple[str | bytes, ...]:
    before, count = _NAMES_AFTER.get(kind, (end - start, 0))
    parts: list[str | bytes] = [packet[start : start + before]]
    offset = start + before
    for _ in range(count):
        name, offset = _read_name(packet, offset)
        parts.append(name)
    parts.append(packet[offset:end])
    return tuple(part for part in parts if part != b"")


def _unpack(form: str, packet: bytes, offset: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, packet, offset)
    except struct.error:
        raise MessageError("the message is cut off") from None
