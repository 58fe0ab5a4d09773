"""DNS messages: what is read, what is written, what is broken."""

import pytest

from embedded_kubernetes.node.dns.wire import (
    MessageError,
    Query,
    RecordType,
    ResourceRecord,
    Response,
    ResponseCode,
    address_record,
    answers_to,
    longest,
    read_answers,
    read_query,
    write_error,
    write_query,
    write_response,
)

NAME = "web.shop.svc.cluster.local"
# dig +noedns WEB.example A, and the same with EDNS (1232 bytes, DO, a cookie)
PLAIN = bytes.fromhex("1a2b 0120 0001 0000 0000 0000 03574542 076578616d706c65 00 0001 0001")
EDNS = bytes.fromhex(
    "1a2b 0120 0001 0000 0000 0001 03574542 076578616d706c65 00 0001 0001"
    "00 0029 04d0 00008000 000c 000a 0008 0102030405060708"
)


def test_a_question_is_read():
    assert read_query(PLAIN) == Query(0x1A2B, 0x0120, "WEB.example", RecordType.A)
    query = read_query(EDNS)
    assert (query.payload_bytes, query.dnssec_ok, query.edns_version) == (1232, True, 0)
    assert read_query(write_query(query)) == Query(
        0x1A2B, 0x0100, "WEB.example", RecordType.A, 1, 1232, 0, True
    )


def test_an_answer_by_the_book():
    query = read_query(PLAIN)
    record = address_record("WEB.example", "10.96.0.7", 30)
    assert write_response(query, Response(ResponseCode.NO_ERROR, (record,)), 512) == bytes.fromhex(
        "1a2b 8500 0001 0001 0000 0000 03574542 076578616d706c65 00 0001 0001"
        "c00c 0001 0001 0000001e 0004 0a600007"
    )
    refused = Response(ResponseCode.NAME_ERROR, authoritative=False)
    assert write_response(read_query(EDNS), refused, 512) == bytes.fromhex(
        "1a2b 8103 0001 0000 0000 0001 03574542 076578616d706c65 00 0001 0001"
        "00 0029 04d0 00008000 0000"
    )


def test_names_are_pointed_to_but_not_from_srv_records():
    query = Query(1, 0, NAME, RecordType.SRV)
    target = ResourceRecord(NAME, RecordType.SRV, 30, (b"\0\0\0\1\0\x50", NAME))
    alias = ResourceRecord(f"x.{NAME}", RecordType.CNAME, 30, (f"y.{NAME}",))
    packet = write_response(query, Response(ResponseCode.NO_ERROR, (target, alias)), 512)
    assert packet.count(b"\x03web\x04shop") == 2
    assert packet.endswith(b"\x01y\xc0\x0c")
    assert read_answers(packet) == ((target, alias), False)


@pytest.mark.parametrize(
    ("payload_bytes", "stream", "most"),
    [(None, False, 512), (1232, False, 1232), (None, True, 65_535)],
)
def test_what_does_not_fit_is_left_out_and_said_to_be(payload_bytes, stream, most):
    query = Query(1, 0, NAME, RecordType.A, payload_bytes=payload_bytes)
    records = tuple(address_record(NAME, f"10.244.{i}.1", 30) for i in range(100))
    extra = (address_record("other", "10.0.0.1", 30),)
    response = Response(ResponseCode.NO_ERROR, records, additional=extra)
    packet = write_response(query, response, longest(query, stream=stream))
    kept, truncated = read_answers(packet)
    assert len(packet) <= most
    assert len(packet) > most - 20 or stream
    assert truncated == (not stream)
    assert kept == records[: len(kept)]


def test_broken_or_foreign_packets():
    assert read_query(b"") is None
    assert read_query(PLAIN[:11]) is None
    assert read_query(PLAIN[:2] + b"\x81\x20" + PLAIN[4:]) is None  # an answer
    for broken in (
        PLAIN[:-1],  # cut off
        PLAIN[:5] + b"\2" + PLAIN[6:],  # two questions
        PLAIN[:12] + b"\xc0\x0c" + PLAIN[-4:],  # a name that is itself
        PLAIN[:12] + b"\x40" + PLAIN[13:],  # a label of no known kind
        PLAIN[:12] + b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 3 + b"\0" + PLAIN[-4:],
        EDNS[:-1],
    ):
        with pytest.raises(MessageError):
            read_query(broken)
    assert write_error(PLAIN, ResponseCode.FORMAT_ERROR) == bytes.fromhex(
        "1a2b 8101 0000 0000 0000 0000"
    )


def test_a_loop_of_pointers_ends():
    looping = PLAIN[:12] + b"\1a\xc0\x0c" + PLAIN[-4:]
    with pytest.raises(MessageError):
        read_query(looping)


def test_a_dot_inside_a_label_is_no_new_label():
    packet = PLAIN[:12] + b"\x0bweb.shop.sv\0" + PLAIN[-4:]
    query = read_query(packet)
    assert "." not in query.name
    assert write_response(query, Response(ResponseCode.NAME_ERROR), 512)[12:] == packet[12:]


def test_only_the_answer_to_a_question_is_its_answer():
    query = Query(7, 0x100, "www.example.org", RecordType.A)
    packet = write_response(query, Response(ResponseCode.NO_ERROR), 512)
    assert answers_to(query, packet)
    assert answers_to(Query(7, 0x100, "WWW.example.org", RecordType.A), packet)
    assert not answers_to(Query(8, 0x100, "www.example.org", RecordType.A), packet)
    assert not answers_to(Query(7, 0x100, "www.example.net", RecordType.A), packet)
    assert not answers_to(Query(7, 0x100, "www.example.org", RecordType.AAAA), packet)
    assert not answers_to(query, write_query(query))
    assert not answers_to(query, packet[:20])
