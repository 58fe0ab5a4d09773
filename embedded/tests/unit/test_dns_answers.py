"""What the cluster's DNS answers: the specification's records, and CoreDNS' ways where it says nothing."""

import pytest
from dns_cluster import NAMESPACES, PAIRS, Table, service

from embedded_kubernetes.node.dns.answers import DOMAIN, answer, balanced
from embedded_kubernetes.node.dns.wire import Query, RecordType, ResourceRecord, ResponseCode
from embedded_kubernetes.node.dns.zone import Zone


def zone(*pairs):
    return Zone(Table(*(pairs or PAIRS)), NAMESPACES, "10.96.0.10")


def ask(name, kind=RecordType.A, *, of=None):
    return answer(of or zone(), Query(1, 0x100, name, kind))


def shown(records):
    """Return records as `dig +short` has them, in order."""
    return sorted(" ".join(_text(record, part) for part in record.data) for record in records)


def _text(record: ResourceRecord, part):
    if isinstance(part, str):
        return part.replace(f".{DOMAIN}", "")
    if record.record_type == RecordType.SRV:
        return " ".join(str(int.from_bytes(part[i : i + 2])) for i in (0, 2, 4))
    if record.record_type == RecordType.A:
        return ".".join(map(str, part))
    return part.hex() if record.record_type == RecordType.AAAA else part.decode("latin-1")


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("web.shop.svc", ["10.96.0.7"]),
        ("WEB.Shop.SVC", ["10.96.0.7"]),
        ("_http._tcp.web.shop.svc", ["10.96.0.7"]),
        ("10-244-0-2.web.shop.svc", ["10.244.0.2"]),
        ("peers.shop.svc", ["10.244.0.2", "10.244.0.3", "10.244.0.5"]),
        ("srv-1.peers.shop.svc", ["10.244.0.3"]),
        ("10-244-0-5.peers.shop.svc", ["10.244.0.5"]),
        ("quiet.shop.svc", ["10.244.0.9"]),
        ("10-1-2-3.shop.pod", ["10.1.2.3"]),
        ("ns.dns", ["10.96.0.10"]),
        ("out.shop.svc", ["10.96.0.7", "web.shop.svc"]),
        ("further.shop.svc", ["10.96.0.7", "out.shop.svc", "web.shop.svc"]),
    ],
)
def test_addresses(name, addresses):
    response = ask(f"{name}.{DOMAIN}")
    assert (response.code, shown(response.answers)) == (ResponseCode.NO_ERROR, addresses)
    assert response.authoritative
    assert {record.ttl_s for record in response.answers} == {30}
    assert response.answers[0].owner == f"{name}.{DOMAIN}"  # in the letters of the question


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("web.shop.svc", RecordType.AAAA),
        ("web.shop.svc", RecordType.MX),
        ("web.shop.svc", RecordType.TXT),
        ("web.shop.svc", RecordType.CNAME),
        ("web.shop.svc", RecordType.SOA),
        ("no.shop.svc", RecordType.SOA),  # CoreDNS looks at no name for it
        ("six.shop.svc", RecordType.A),
        ("quiet.shop.svc", RecordType.SRV),
        ("out.shop.svc", RecordType.SRV),
        ("nowhere.shop.svc", RecordType.A),
        ("circle.shop.svc", RecordType.A),
        ("shop.svc", RecordType.A),
        ("svc", RecordType.A),
        ("pod", RecordType.A),
        ("10-1-2-3.shop.pod", RecordType.AAAA),
        ("ns.dns", RecordType.AAAA),
        ("ns.dns", RecordType.SRV),
    ],
)
def test_a_name_without_records_of_a_type(name, kind):
    response = ask(f"{name}.{DOMAIN}", kind)
    assert (response.code, response.answers) == (ResponseCode.NO_ERROR, ())
    assert [record.record_type for record in response.authorities] == [RecordType.SOA]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("no.shop.svc", RecordType.A),
        ("no.shop.svc", RecordType.AAAA),
        ("web.nowhere.svc", RecordType.A),
        ("nowhere.svc", RecordType.A),
        ("shop.svc", RecordType.TXT),
        ("ns.dns", RecordType.TXT),
        ("dns", RecordType.A),
        ("none.shop.svc", RecordType.A),  # nobody is ready
        ("srv-2.peers.shop.svc", RecordType.A),  # nor is this one
        ("srv-9.peers.shop.svc", RecordType.A),
        ("_ftp._tcp.web.shop.svc", RecordType.SRV),
        ("_http._udp.web.shop.svc", RecordType.SRV),
        ("a.b.c.web.shop.svc", RecordType.A),
        ("x.out.shop.svc", RecordType.A),
        ("number.shop.svc", RecordType.A),
        ("10-1-2-3.nowhere.pod", RecordType.A),
        ("10-1-2-333.shop.pod", RecordType.A),
        ("web.shop", RecordType.A),
        ("web", RecordType.A),
    ],
)
def test_a_name_that_nothing_has(name, kind):
    response = ask(f"{name}.{DOMAIN.upper()}", kind)
    assert response.code == ResponseCode.NAME_ERROR
    (authority,) = response.authorities
    assert authority.owner == DOMAIN.upper()
    assert authority.data[:2] == (f"ns.dns.{DOMAIN.upper()}", f"hostmaster.{DOMAIN.upper()}")


@pytest.mark.parametrize(
    ("name", "targets", "addresses"),
    [
        ("_http._tcp.web.shop.svc", ["0 100 80 web.shop.svc"], ["10.96.0.7"]),
        ("web.shop.svc", ["0 50 80 web.shop.svc", "0 50 81 web.shop.svc"], ["10.96.0.7"]),
        (
            "_http._tcp.peers.shop.svc",
            [
                "0 33 8080 10-244-0-5.peers.shop.svc",
                "0 33 8080 srv-0.peers.shop.svc",
                "0 33 8080 srv-1.peers.shop.svc",
            ],
            ["10.244.0.2", "10.244.0.3", "10.244.0.5"],
        ),
        ("srv-0.peers.shop.svc", ["0 100 8080 srv-0.peers.shop.svc"], ["10.244.0.2"]),
        ("10-1-2-3.shop.pod", ["0 100 0 10-1-2-3.shop.pod"], ["10.1.2.3"]),
    ],
)
def test_ports(name, targets, addresses):
    response = ask(f"{name}.{DOMAIN}", RecordType.SRV)
    assert (shown(response.answers), shown(response.additional)) == (targets, addresses)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("7.0.96.10.in-addr.arpa", ["web.shop.svc"]),
        ("10.0.96.10.IN-ADDR.ARPA", ["kube-dns.kube-system.svc"]),
        ("3.0.244.10.in-addr.arpa", ["10-244-0-3.web.shop.svc", "srv-1.peers.shop.svc"]),
        ("9" + ".0" * 27 + ".0.0.d.f.ip6.arpa", ["two.shop.svc"]),
    ],
)
def test_names_of_addresses(name, names):
    assert shown(ask(name, RecordType.PTR).answers) == sorted(names)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("www.example.org", RecordType.A),
        ("cluster.local.example.org", RecordType.A),
        ("web", RecordType.A),
        ("4.0.244.10.in-addr.arpa", RecordType.PTR),  # not ready
        ("0.96.10.in-addr.arpa", RecordType.PTR),
        ("7.0.96.10.in-addr.arpa", RecordType.A),
        ("", RecordType.NS),
    ],
)
def test_what_is_not_the_clusters_is_forwarded(name, kind):
    assert ask(name, kind) is None


@pytest.mark.parametrize("name", ["away", "further-away"])
def test_an_alias_to_elsewhere_is_completed_there(name):
    response = ask(f"{name}.shop.svc.{DOMAIN}")
    assert response.elsewhere == "www.example.org"
    assert response.answers[-1].data == ("www.example.org",)
    assert {record.record_type for record in response.answers} == {RecordType.CNAME}
    assert shown(ask(f"away.shop.svc.{DOMAIN}", RecordType.CNAME).answers) == ["www.example.org"]


def test_the_domain_itself():
    assert ask(DOMAIN).answers == ()
    assert ask(DOMAIN, RecordType.SOA).answers[0].record_type == RecordType.SOA
    servers = ask(DOMAIN, RecordType.NS)
    assert shown(servers.answers) == ["kube-dns.kube-system.svc"]
    assert shown(servers.additional) == ["10.96.0.10"]
    (version,) = ask(f"dns-version.{DOMAIN}", RecordType.TXT).answers
    assert (version.data, version.ttl_s) == ((b"\x051.1.0",), 30)
    assert ask(DOMAIN, RecordType.AXFR).code == ResponseCode.REFUSED


def test_what_changes_is_seen():
    cluster = zone()
    key = ("shop", "late")
    assert ask(f"late.shop.svc.{DOMAIN}", of=cluster).code == ResponseCode.NAME_ERROR
    cluster._table.put(key, (service("late", cluster_ip="10.96.0.44"), []))
    assert shown(ask(f"late.shop.svc.{DOMAIN}", of=cluster).answers) == ["10.96.0.44"]
    assert ask("44.0.96.10.in-addr.arpa", RecordType.PTR, of=cluster).answers
    cluster._table.put(key, (service("late", cluster_ip="10.96.0.45"), []))
    assert ask("44.0.96.10.in-addr.arpa", RecordType.PTR, of=cluster) is None


def test_addresses_come_in_any_order_after_their_alias():
    records = ask(f"further.shop.svc.{DOMAIN}").answers
    assert balanced(records) == records
    many = ask(f"peers.shop.svc.{DOMAIN}").answers
    orders = {balanced(many) for _ in range(200)}
    assert {order[0] for order in orders} == set(many)
    mixed = (*many, ResourceRecord("x", RecordType.CNAME, 30, ("y",)))
    assert balanced(mixed)[0] == mixed[-1]
