"""Names inside a pod: Services, pods of a StatefulSet, aliases, other namespaces; the warning of Endpoints."""

import json

from side_by_side import Case

LOOK_UP = """
import json, socket, sys
def found(name):
    try:
        return sorted({one[4][0] for one in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)})
    except OSError:
        return []
print(json.dumps({name: found(name) for name in sys.argv[1:]}))
"""
FETCH = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode().strip())
except OSError as error:
    print(type(error).__name__)
"""


def check(case: Case) -> None:
    case.apply()
    case.out("rollout", "status", "statefulset/srv", "--timeout=120s", timeout_s=130)
    case.eventually(lambda: case.ready("client"))
    address = case.get("service", "web")["spec"]["clusterIP"]
    long = f"web.{case.namespace.name}"
    names = ("web", long, f"{long}.svc", f"{long}.svc.cluster.local")
    case.eventually(lambda: _look_up(case, *names) == {name: [address] for name in names})
    found = case.eventually(
        lambda: (
            len((seen := _look_up(case, "peers", "srv-0.peers", "srv-1.peers"))["peers"]) == 2
            and seen
        )
    )
    assert sorted([*found["srv-0.peers"], *found["srv-1.peers"]]) == found["peers"]
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


def _look_up(case: Case, *names: str) -> dict[str, list[str]]:
    said = case.out("exec", "client", "--", "python3", "-c", LOOK_UP, *names)
    found: dict[str, list[str]] = json.loads(said)
    return found


def _fetch(case: Case, url: str) -> str:
    return case.out("exec", "client", "--", "python3", "-c", FETCH, url).strip()
