"""What a pod's resolver is told, and its hosts file: a kubelet's rules."""

import pytest

from embedded_kubernetes.node.dns import pod_files, resolver
from embedded_kubernetes.node.dns.pod_files import PodFiles, hosts
from embedded_kubernetes.node.dns.resolver import ResolverConfig, machine_file, of_pod, parse
from embedded_kubernetes.paths import variable

DNS = "10.96.0.10"
MACHINE = ResolverConfig(("192.0.2.53",), ("lab.example",), ("timeout:1",))
OWN = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")


def pod(**spec):
    return {"metadata": {"name": "web-0", "namespace": "shop"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ResolverConfig((DNS,), (*OWN, "lab.example"), ("ndots:5",))),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, MACHINE),
        (
            {"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True},
            ResolverConfig((DNS,), (*OWN, "lab.example"), ("ndots:5",)),
        ),
        ({"dnsPolicy": "Default"}, MACHINE),
        (
            {
                "dnsPolicy": "None",
                "dnsConfig": {
                    "nameservers": ["192.0.2.1"],
                    "searches": ["my.example"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
                },
            },
            ResolverConfig(("192.0.2.1",), ("my.example",), ("ndots:2", "edns0")),
        ),
        (
            {
                "dnsConfig": {
                    "nameservers": [DNS, "192.0.2.1"],
                    "searches": ["cluster.local", "my.example"],
                    "options": [
                        {"name": "ndots", "value": "1"},
                        {"name": "attempts", "value": "9"},
                    ],
                }
            },
            ResolverConfig(
                (DNS, "192.0.2.1"),
                (*OWN, "lab.example", "my.example"),
                ("ndots:1", "attempts:9"),
            ),
        ),
    ],
)
def test_policies_and_what_is_added_to_them(spec, expected):
    assert of_pod(pod(**spec), MACHINE, DNS) == (expected, ())


def test_who_is_on_the_machines_loopback_is_asked_by_the_clusters_dns():
    machine = ResolverConfig(("127.0.0.53", "::1", "192.0.2.53"), ("lab.example",))
    config, _ = of_pod(pod(dnsPolicy="Default"), machine, DNS)
    assert config.nameservers == (DNS, "192.0.2.53")


def test_limits():
    many = ResolverConfig(tuple(f"192.0.2.{i}" for i in range(4)), (), ())
    config, (message,) = of_pod(pod(dnsPolicy="Default"), many, DNS)
    assert config.nameservers == many.nameservers[:3]
    assert message == (
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
        "192.0.2.0 192.0.2.1 192.0.2.2"
    )
    searches = [f"{'x' * 60}.number{i}.example" for i in range(40)]
    config, (message,) = of_pod(pod(dnsConfig={"searches": searches}), ResolverConfig(), DNS)
    line = " ".join(config.searches)
    assert message.endswith(f"the applied search line is: {line}")
    assert len(line) <= 2048 < len(line) + 1 + len(searches[len(config.searches) - 3])
    short = [f"d{i}.example" for i in range(40)]
    config, _ = of_pod(pod(dnsConfig={"searches": short}), ResolverConfig(), DNS)
    assert config.searches == (*OWN, *short[:29])
    config, messages = of_pod(pod(), ResolverConfig((), ("x" * 254, "ok.example")), DNS)
    assert (config.searches, len(messages)) == ((*OWN, "ok.example"), 1)


def test_a_file_is_read_as_a_kubelet_reads_it():
    text = (
        "# comment\nnameserver 192.0.2.1 # home\nnameserver\nsearch old.example\n"
        "search a.example. . b.example\noptions ndots:2 rotate\n  options ndots:3\nnameserver fe80::1%eth0\n"
    )
    assert parse(text) == ResolverConfig(
        ("192.0.2.1", "fe80::1%eth0"), ("a.example", "b.example"), ("ndots:3", "rotate")
    )
    assert of_pod(pod(), ResolverConfig(), DNS)[0].render() == (
        "search shop.svc.cluster.local svc.cluster.local cluster.local\n"
        "nameserver 10.96.0.10\noptions ndots:5\n"
    )


def test_the_servers_behind_systemd_are_the_machines(tmp_path, monkeypatch):
    monkeypatch.delenv(variable("RESOLV_CONF"), raising=False)
    stub, behind = tmp_path / "stub", tmp_path / "behind"
    monkeypatch.setattr(resolver, "_RESOLV_CONF", stub)
    monkeypatch.setattr(resolver, "_BEHIND_SYSTEMD", behind)
    stub.write_text("nameserver 127.0.0.53\n")
    assert machine_file() == stub
    behind.write_text("nameserver 192.0.2.9\n")
    assert machine_file() == behind
    stub.write_text("nameserver 192.0.2.1\n")
    assert machine_file() == stub
    monkeypatch.setenv(variable("RESOLV_CONF"), str(behind))
    assert machine_file() == behind


HEAD = """\
# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


@pytest.mark.parametrize(
    ("spec", "end"),
    [
        ({}, "10.244.0.7\tweb-0\n"),
        (
            {"hostname": "box", "subdomain": "peers"},
            "10.244.0.7\tbox.peers.shop.svc.cluster.local\tbox\n",
        ),
        ({"hostnameOverride": "other", "subdomain": "peers"}, "10.244.0.7\tother\n"),
        (
            {"hostAliases": [{"ip": "10.9.8.7", "hostnames": ["old.example", "older"]}]},
            "10.244.0.7\tweb-0\n\n# Entries added by HostAliases.\n10.9.8.7\told.example\tolder\n",
        ),
    ],
)
def test_hosts_file(spec, end):
    assert hosts(pod(**spec), "10.244.0.7", "unused") == HEAD + end


def test_hosts_file_of_a_pod_in_the_hosts_network():
    alias = {"ip": "10.9.8.7", "hostnames": ["old"]}
    text = hosts(
        pod(hostNetwork=True, hostAliases=[alias]), "10.244.255.1", "127.0.0.1 localhost\n"
    )
    assert text == (
        "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n"
        "\n# Entries added by HostAliases.\n10.9.8.7\told\n"
    )


def test_both_files_are_written(tmp_path, monkeypatch):
    own = tmp_path / "machine"
    own.write_text("search lab.example\n")
    monkeypatch.setenv(variable("RESOLV_CONF"), str(own))
    searches = [f"d{i}.example" for i in range(40)]
    messages = PodFiles(DNS).write(pod(dnsConfig={"searches": searches}), "10.244.0.7", tmp_path)
    assert len(messages) == 1
    text = (tmp_path / pod_files.RESOLV_CONF).read_text()
    assert "cluster.local lab.example d0.example" in text
    assert (tmp_path / pod_files.HOSTS).read_text() == HEAD + "10.244.0.7\tweb-0\n"
    assert (tmp_path / pod_files.RESOLV_CONF).stat().st_mode & 0o777 == 0o644
