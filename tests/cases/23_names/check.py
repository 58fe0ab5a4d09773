"""Names inside a pod: Services, pods of a StatefulSet, aliases, other namespaces; what its resolver is told."""

import json

from side_by_side import Case

LOOK_UP = """
import json, socket, sys
def addresses(name):
    try:
        return sorted({one[4][0] for one in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)})
    except OSError:
        return []
print(json.dumps({name: addresses(name) for name in sys.argv[1:]}))
"""
FETCH = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode().strip())
except OSError as error:
    print(type(error).__name__)
"""
ASK = """
import json, re, socket, struct, sys
server = re.search(r"^nameserver (.*)$", open("/etc/resolv.conf").read(), re.M)[1]
said = {}
for name, kind in zip(sys.argv[1::2], sys.argv[2::2]):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        head, end = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0), struct.pack(">BHH", 0, int(kind), 1)
        asking.sendto(head + labels + end, (server, 53))
        _, flags, _, answers, authorities, _ = struct.unpack_from(">6H", asking.recv(512))
        said[f"{name} {kind}"] = [flags & 15, answers, authorities]
print(json.dumps(said))
"""
A, SOA, PTR, TXT, AAAA, SRV = 1, 6, 12, 16, 28, 33


def check(case: Case) -> None:
    case.apply()
    case.out("rollout", "status", "statefulset/srv", "--timeout=120s", timeout_s=130)
    case.eventually(lambda: case.ready("client") and case.ready("nodns"))
    address = case.get("service", "web")["spec"]["clusterIP"]
    long = f"web.{case.namespace.name}"
    names = ("web", long, f"{long}.svc", f"{long}.svc.cluster.local")
    case.eventually(lambda: _look_up(case, *names) == {name: [address] for name in names})
    seen = case.eventually(
        lambda: (
            len((seen := _look_up(case, "peers", "srv-0.peers", "srv-1.peers"))["peers"]) == 2
            and seen
        )
    )
    assert sorted([*seen["srv-0.peers"], *seen["srv-1.peers"]]) == seen["peers"]
    other = _look_up(
        case, "kubernetes", "kubernetes.default", "out", "old.example", "srv-0", "nosuch"
    )
    assert other["old.example"] == ["10.9.8.7"]
    assert other["out"] == other["kubernetes.default"] != []
    # Only the own namespace's Services have a short name; a pod of a StatefulSet needs its Service's.
    assert other["kubernetes"] == other["srv-0"] == other["nosuch"] == []

    assert _fetch(case, "http://web/") in ("srv-0", "srv-1")
    assert _fetch(case, "http://srv-1.peers:8080/") == "srv-1"
    # Neither of them is an answer with a status.
    assert _fetch(case, "http://nosuch/") != "HTTPError"

    # A Service that is younger than the client.
    case.out("create", "service", "clusterip", "late", "--tcp=80:8080")
    case.out("set", "selector", "service/late", "app=srv")
    case.eventually(lambda: _fetch(case, "http://late/") in ("srv-0", "srv-1"))

    warned = case.kubectl("get", "endpoints", "web")
    assert "v1 Endpoints is deprecated in v1.33+" in warned.stderr
    if case.kubectl("get", "service", "kube-dns", "--namespace=kube-system").returncode == 0:
        _check_resolver(case, address)


def _check_resolver(case: Case, address: str) -> None:
    """Look at what pods are told of the cluster's DNS, and at its answers to what programs do not ask by themselves."""
    domain = f"{case.namespace.name}.svc.cluster.local"
    hosts, told = case.out("exec", "client", "--", "cat", "/etc/hosts", "/etc/resolv.conf").split(
        "search "
    )
    assert told.startswith(f"{domain} svc.cluster.local cluster.local")
    assert told.endswith("\nnameserver 10.96.0.10\noptions ndots:5\n")
    assert hosts.startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\t")
    assert hosts.endswith("\n\n# Entries added by HostAliases.\n10.9.8.7\told.example\n")
    told, own = case.out(
        "exec", "nodns", "--", "sh", "-c", "cat /etc/resolv.conf; hostname -f"
    ).rsplit("options ", 1)
    assert told == "search my.example\nnameserver 192.0.2.53\n"
    options, own = own.splitlines()
    assert (set(options.split()), own) == ({"ndots:2", "edns0"}, f"box.peers.{domain}")

    questions = _questions(case.namespace.name, address)
    asked = [word for name, kind, _ in questions for word in (name, str(kind))]
    said = json.loads(case.out("exec", "client", "--", "python3", "-c", ASK, *asked))
    assert said == {f"{name} {kind}": answer for name, kind, answer in questions}


def _questions(namespace: str, address: str) -> list[tuple[str, int, list[int]]]:
    """Return questions with the response code and how many answers and authorities there are to them."""
    domain = f"{namespace}.svc.cluster.local"
    some, no_such_type, no_such_name = [0, 1, 0], [0, 0, 1], [3, 0, 1]
    return [
        (f"_http._tcp.peers.{domain}", SRV, [0, 2, 0]),
        (f"_http._tcp.web.{domain}", A, some),
        (f"_ftp._tcp.web.{domain}", SRV, no_such_name),
        (f"srv-0.PEERS.{domain}", A, some),
        (f"web.{domain}", AAAA, no_such_type),
        (f"no.{domain}", A, no_such_name),
        (f"no.{domain}", SOA, no_such_type),
        (f"out.{domain}", A, [0, 2, 0]),
        (f"out.{domain}", SRV, no_such_type),
        (domain, A, no_such_type),
        (domain, TXT, no_such_name),
        (f"10-1-2-3.{namespace}.pod.cluster.local", A, some),
        ("10-1-2-3.nowhere.pod.cluster.local", A, no_such_name),
        ("dns-version.cluster.local", TXT, some),
        (".".join(reversed(address.split("."))) + ".in-addr.arpa", PTR, some),
    ]


def _look_up(case: Case, *names: str) -> dict[str, list[str]]:
    said = case.out("exec", "client", "--", "python3", "-c", LOOK_UP, *names)
    seen: dict[str, list[str]] = json.loads(said)
    return seen


def _fetch(case: Case, url: str) -> str:
    return case.out("exec", "client", "--", "python3", "-c", FETCH, url).strip()
