"""Names inside pods: what `/etc/hosts` says, and how the HTTP proxy finds Services by the same names."""

import asyncio
import base64
from pathlib import Path

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.node.network import names
from embedded_kubernetes.node.network.names import (
    HostLine,
    Names,
    aliased,
    pod_lines,
    render,
    service_lines,
    service_names,
)
from embedded_kubernetes.node.proxy.affinity import Affinity
from embedded_kubernetes.node.proxy.destinations import UnreachableError, resolve
from embedded_kubernetes.node.proxy.http_proxy import RefusalError, parse_head, proxy_environment
from embedded_kubernetes.node.proxy.service_table import (
    host_endpoints,
    reachable,
    service_ports,
)
from embedded_kubernetes.node.proxy.topology import Target

CONFIG = ClusterConfig(
    name="cours",
    directory="/nowhere",
    runtime_directory="/nowhere",
    slot=0,
    kubernetes_version="v1.37.0",
    binaries="/nowhere",
    api_port=20000,
    metrics_port=20001,
    ingress_port=20002,
    ingress_tls_port=20004,
    proxy_port=20003,
    kubelet_ports=(20004,),
)


def service(name="web", namespace="shop", **spec):
    plain = {
        "clusterIP": "127.96.0.10",
        "type": "ClusterIP",
        "ports": [{"name": "http", "port": 80, "targetPort": 8000, "protocol": "TCP"}],
    }
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {**plain, **spec}}


def endpoint(address, *, hostname=None, **conditions):
    return {"addresses": [address], "hostname": hostname, "conditions": conditions}


def endpoints(*items, port=8000, name="http", protocol="TCP"):
    return {
        "addressType": "IPv4",
        "endpoints": list(items),
        "ports": [{"name": name, "port": port, "protocol": protocol}],
    }


class Table:
    """A table of Services held still."""

    config = CONFIG

    def __init__(self, *pairs):
        self.pairs = {
            (one["metadata"]["namespace"], one["metadata"]["name"]): (one, slices)
            for one, *slices in pairs
        }
        self.listeners = []
        self.affinities = {}

    def affinity(self, port):
        return self.affinities.setdefault((port.key, port.name), Affinity())

    def subscribe(self, listener):
        self.listeners.append(listener)

    def keys(self):
        return self.pairs.keys()

    def service(self, key):
        return self.pairs.get(key, (None,))[0]

    def slices(self, key):
        return tuple(self.pairs[key][1]) if key in self.pairs else ()

    def ports(self, key):
        return (
            service_ports(CONFIG, self.service(key), self.slices(key)) if key in self.pairs else ()
        )

    def by_cluster_ip(self, address):
        return next(
            (k for k, (s, _) in self.pairs.items() if s["spec"]["clusterIP"] == address), None
        )


def test_pod_addresses_stand_for_loopback_ones():
    assert reachable(CONFIG, "10.244.3.7") == "127.244.3.7"
    assert reachable(CONFIG, "192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (
            [endpoint("10.244.0.2", ready=True), endpoint("10.244.0.3", ready=False)],
            ["127.244.0.2"],
        ),
        ([endpoint("10.244.0.2")], ["127.244.0.2"]),  # no condition means ready
        (
            [
                endpoint("10.244.0.2", ready=True, serving=True, terminating=False),
                endpoint("10.244.0.3", ready=False, serving=True, terminating=True),
            ],
            ["127.244.0.2"],
        ),
        (
            [
                endpoint("10.244.0.2", ready=False, serving=False, terminating=True),
                endpoint("10.244.0.3", ready=False, serving=True, terminating=True),
            ],
            ["127.244.0.3"],  # nobody is ready: those that end but serve
        ),
        ([endpoint("10.244.0.2", ready=False, serving=False)], []),
        ([], []),
    ],
)
def test_endpoints_that_get_traffic(items, expected):
    (port,) = service_ports(CONFIG, service(), [endpoints(*items)])
    assert port.targets == tuple(Target(address, 8000) for address in expected)


def test_named_target_ports_may_differ_between_pods():
    slices = [
        endpoints(endpoint("10.244.0.2"), port=8000),
        endpoints(endpoint("10.244.0.3"), port=9000),
    ]
    (port,) = service_ports(CONFIG, service(), slices)
    assert port.targets == (Target("127.244.0.2", 8000), Target("127.244.0.3", 9000))
    (other,) = service_ports(CONFIG, service(ports=[{"name": "admin", "port": 81}]), slices)
    assert other.targets == ()


def test_api_servers_own_service_leads_to_it():
    kubernetes = service("kubernetes", "default", ports=[{"name": "https", "port": 443}])
    assert service_ports(CONFIG, kubernetes, [])[0].targets == (Target("127.0.0.1", 20000),)


def test_tcp_and_udp_of_one_number_are_two_ports():
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    served = endpoints(endpoint("10.244.0.2", ready=True), name="dns", protocol="UDP")
    found = service_ports(CONFIG, service(ports=ports), [served])
    assert [(one.protocol, one.port, bool(one.targets)) for one in found] == [
        ("UDP", 53, True),
        ("TCP", 53, False),
    ]
    with pytest.raises(UnreachableError):
        resolve(Table((service(ports=ports), served)), "web", 53, "shop")


def test_short_name_only_in_its_own_namespace():
    assert service_names(("shop", "web"), "shop") == (
        "web",
        "web.shop",
        "web.shop.svc",
        "web.shop.svc.cluster.local",
    )
    assert "web" not in service_names(("shop", "web"), "bank")


def test_cluster_ip_is_one_line():
    (line,) = service_lines(CONFIG, service(), [], "bank")
    assert line == HostLine(
        "127.96.0.10", ("web.shop", "web.shop.svc", "web.shop.svc.cluster.local")
    )


def test_headless_gives_ready_pods_and_their_own_names():
    slices = [
        endpoints(
            endpoint("10.244.0.2", hostname="db-0", ready=True),
            endpoint("10.244.0.3", hostname="db-1", ready=False),
        )
    ]
    (line,) = service_lines(CONFIG, service("db", clusterIP="None"), slices, "shop")
    assert line.address == "127.244.0.2"
    assert "db-0.db.shop.svc.cluster.local" in line.names
    assert "db-0.db" in line.names
    assert "db" in line.names


@pytest.mark.parametrize(
    ("target", "address"),
    [("localhost", "127.0.0.1"), ("192.0.2.7", "192.0.2.7"), ("example.org", None)],
)
def test_external_name(target, address):
    external = service(type="ExternalName", externalName=target, clusterIP=None)
    lines = service_lines(CONFIG, external, [], "shop")
    assert [line.address for line in lines] == ([address] if address else [])


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("web.shop.svc.cluster.local", ("shop", "web")),
        ("web.shop.svc.cluster.local.", ("shop", "web")),
        ("web.shop.svc", None),  # a CNAME is no search
        ("web.shop", None),
        ("base.example.org", None),
    ],
)
def test_an_external_name_may_stand_for_a_service_of_the_cluster(target, key):
    external = service(type="ExternalName", externalName=target, clusterIP=None)
    assert aliased(external) == key
    assert aliased(service(externalName=target)) is None


def test_a_pod_finds_the_service_behind_an_alias(tmp_path):
    alias = service(
        "old", "bar", type="ExternalName", externalName="web.shop.svc.cluster.local", clusterIP=None
    )
    lost = service(
        "lost", "bar", type="ExternalName", externalName="no.shop.svc.cluster.local", clusterIP=None
    )
    names = Names(Table((service(),), (alias,), (lost,)))
    own = {**pod(), "metadata": {"name": "p", "namespace": "bar", "uid": "u2"}}
    names.write(own, "127.244.0.3", tmp_path)
    text = (tmp_path / "hosts").read_text()
    assert "127.96.0.10\told old.bar old.bar.svc old.bar.svc.cluster.local" in text
    assert "lost" not in text


def pod(**spec):
    return {"metadata": {"name": "web-0", "namespace": "shop", "uid": "u1"}, "spec": spec}


def test_pod_lines():
    alias = {"ip": "127.9.9.9", "hostnames": ["old", "older"]}
    text = render(
        pod_lines(pod(hostname="web-0", subdomain="web", hostAliases=[alias]), "127.244.0.2")
    )
    assert text.splitlines() == [
        "127.0.0.1\tlocalhost",
        "127.244.0.2\tweb-0.web.shop.svc.cluster.local web-0",
        "127.9.9.9\told older",
    ]


async def test_hosts_file_is_rewritten_in_place(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(names, "_SETTLE_S", 0.0)
    table = Table((service(),))
    hosts = Names(table)
    await hosts.start()
    hosts.write(pod(), "127.244.0.2", tmp_path)
    path = tmp_path / "hosts"
    inode = path.stat().st_ino
    assert "127.96.0.10\tweb web.shop" in path.read_text()

    table.pairs.clear()
    for listener in table.listeners:
        listener(frozenset({("shop", "web")}))
    async with asyncio.timeout(5):
        while "web.shop" in path.read_text():
            await asyncio.sleep(0.01)
    assert path.read_text().startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")
    assert path.stat().st_ino == inode
    await hosts.close()


TABLE = Table(
    (service(), endpoints(endpoint("10.244.0.2"))),
    (service("empty", clusterIP="127.96.0.11"),),
    (service("db", clusterIP="None"), endpoints(endpoint("10.244.0.5", hostname="db-0"))),
    (service("empty-peers", clusterIP="None"),),
)


@pytest.mark.parametrize(
    ("host", "port", "target"),
    [
        ("web", 80, Target("127.244.0.2", 8000)),
        ("web.shop", 80, Target("127.244.0.2", 8000)),
        ("web.shop.svc.cluster.local", 80, Target("127.244.0.2", 8000)),
        ("127.96.0.10", 80, Target("127.244.0.2", 8000)),
        ("10.244.0.9", 8000, Target("127.244.0.9", 8000)),
        ("127.244.0.9", 8000, Target("127.244.0.9", 8000)),
        ("db", 5432, Target("127.244.0.5", 5432)),
        ("db-0.db", 5432, Target("127.244.0.5", 5432)),
        ("db-0.db.shop.svc.cluster.local", 5432, Target("127.244.0.5", 5432)),
        ("example.org", 80, None),
        ("unknown", 80, None),
    ],
)
def test_proxy_finds_the_clusters_names(host, port, target):
    assert resolve(TABLE, host, port, "shop") == target


def test_proxy_looks_short_names_up_in_the_pods_namespace():
    assert resolve(TABLE, "web", 80, "bank") is None


def external(name, target):
    return service(name, type="ExternalName", externalName=target, clusterIP=None)


def test_proxy_follows_an_alias_once():
    table = Table(
        (service(), endpoints(endpoint("10.244.0.2", ready=True))),
        (external("old", "web.shop.svc.cluster.local"),),
        (external("older", "old.shop.svc.cluster.local"),),
        (external("circle", "circle.shop.svc.cluster.local"),),
        (external("away", "base.example.org"),),
    )
    assert resolve(table, "old", 80, "shop") == Target("127.244.0.2", 8000)
    for name in ("older", "circle", "away"):
        assert resolve(table, name, 80, "shop") is None


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("empty", 80, "connection refused"),
        ("web", 81, "connection refused"),
        ("empty-peers", 80, "no such host"),
    ],
)
def test_who_has_nobody_behind_is_refused_as_a_cluster_does(host, port, reason):
    with pytest.raises(UnreachableError, match=f"{host}.*{reason}"):
        resolve(TABLE, host, port, "shop")


def test_a_client_keeps_its_endpoint_where_the_service_says_so():
    several = endpoints(*(endpoint(f"10.244.0.{n}", ready=True) for n in range(2, 12)))
    table = Table((service(sessionAffinity="ClientIP"), several))
    clients = {
        client: {resolve(table, "web", 80, "shop", client) for _ in range(20)}
        for client in (f"127.244.1.{n}" for n in range(1, 9))
    }
    assert all(len(targets) == 1 for targets in clients.values())
    assert len(set.union(*clients.values())) > 1
    table = Table((service(), several))
    assert len({resolve(table, "web", 80, "shop", "127.244.1.1") for _ in range(40)}) > 1


def test_request_head_is_rewritten_for_its_server():
    user = base64.b64encode(b"shop:127.244.0.7").decode()
    head = parse_head(
        f"GET http://web:8080/a?b=1 HTTP/1.1\r\nHost: web:8080\r\nProxy-Authorization: Basic {user}\r\n"
        "Proxy-Connection: keep-alive\r\nAccept: */*\r\n\r\n".encode()
    )
    assert (head.host, head.port, head.tunnel) == ("web", 8080, False)
    assert (head.namespace, head.client) == ("shop", "127.244.0.7")
    assert (
        head.forwarded
        == b"GET /a?b=1 HTTP/1.1\r\nHost: web:8080\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )


def test_tunnel_is_asked_for_by_connect():
    head = parse_head(b"CONNECT web.shop:443 HTTP/1.1\r\n\r\n")
    assert (head.host, head.port, head.namespace, head.tunnel) == ("web.shop", 443, "default", True)


@pytest.mark.parametrize(
    "first", ["GET / HTTP/1.1", "nonsense", "GET https://w/ HTTP/1.1", "GET http://w:x/ HTTP/1.1"]
)
def test_what_is_not_for_a_proxy_is_refused(first):
    with pytest.raises(RefusalError):
        parse_head(f"{first}\r\n\r\n".encode())


def test_environment_names_the_namespace_and_the_pods_address():
    environment = proxy_environment(CONFIG, "shop", "127.244.0.7")
    url = "http://shop:127.244.0.7@127.0.0.1:20003"
    assert environment["http_proxy"] == environment["HTTPS_PROXY"] == url
    assert environment["no_proxy"] == "localhost,127.0.0.1"


def test_endpoints_that_are_not_ready_have_no_name():
    slices = [endpoints(endpoint("10.244.0.2", ready=False), endpoint("10.244.0.3"))]
    assert [one.address for one in host_endpoints(CONFIG, slices)] == ["127.244.0.3"]
