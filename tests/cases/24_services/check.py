"""Services: by name and address, TCP and UDP, without endpoints, with affinity; a textbook's NodePort."""

import json

from side_by_side import Case

TROUBLE = ("ConnectionRefusedError", "ConnectionResetError", "URLError", "RemoteDisconnected")
"""Errors of a client that nobody answers. « HTTPError » is none of them: it is an answer."""


def check(case: Case) -> None:
    case.apply()
    for name in ("srv", "client"):
        case.out("rollout", "status", f"deployment/{name}", "--timeout=120s", timeout_s=130)
    clients = [pod["metadata"]["name"] for pod in case.list("pod", "app=client")]
    servers = {pod["metadata"]["name"] for pod in case.list("pod", "app=srv")}
    first = clients[0]

    spec = case.get("service", "textbook")["spec"]
    assert spec["ports"][0]["nodePort"] == 30007
    ways = (f"raw/{spec['clusterIP']}:8080", "raw/local:8080")
    case.eventually(lambda: _all_served(case, first, servers, *ways))
    low = case.get("service", "low")["spec"]["clusterIP"]
    pod_ip = case.list("pod", "app=srv")[0]["status"]["podIP"]
    ways = ("http/low:80", f"http/{low}:80", f"http/{pod_ip}:8080", "http/local:8080")
    case.eventually(lambda: _all_served(case, first, servers, *ways))

    assert _ask(case, first, "udp/udp:5353", "udp/emptyudp:5353") == [
        "udp x",
        "ConnectionRefusedError",
    ]

    refused = ("raw/empty:8080", "raw/emptylocal:8080")
    assert _ask(case, first, *refused) == ["ConnectionRefusedError"] * 2
    nobody = (
        *("http/empty:8080", "http/emptylow:80", "http/emptylocal:8080"),
        *("http/wrongtarget:8080", "raw/wrongtarget:8080"),
    )
    answers = _ask(case, first, *nobody)
    assert len(answers) == len(nobody) and set(answers) <= set(TROUBLE), answers
    # Not a port that the Service does not have: kube-proxy has no rule for it, and it depends on the network around a
    # node what becomes of it.

    # Each client keeps its server, which sees the client pod's own address.
    kept = set()
    for client in clients:
        own, *answers = _exec(case, client, *["http/sticky:8080"] * 6)
        assert len(set(answers)) == 1, answers
        server, seen = answers[0].split()
        assert seen == own
        kept.add(server)
    assert kept <= servers
    spread = {one for _ in range(4) for one in _servers(case, first, *["http/low:80"] * 6)}
    assert spread == servers


def _exec(case: Case, pod: str, *ways: str) -> list[str]:
    said: list[str] = json.loads(case.out("exec", pod, "--", "python3", "/p/ask.py", *ways))
    return said


def _ask(case: Case, pod: str, *ways: str) -> list[str]:
    return _exec(case, pod, *ways)[1:]


def _all_served(case: Case, pod: str, servers: set[str], *ways: str) -> bool:
    """Return whether one of the servers answers on every way."""
    answers = _ask(case, pod, *ways)
    return len(answers) == len(ways) and all(said.split()[0] in servers for said in answers)


def _servers(case: Case, pod: str, *ways: str) -> set[str]:
    return {said.split()[0] for said in _ask(case, pod, *ways)}
