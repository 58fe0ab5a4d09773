"""Services: by name and address, TCP and UDP, without endpoints, with affinity; a textbook's NodePort."""

import json

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    for name in ("srv", "client"):
        case.out("rollout", "status", f"deployment/{name}", "--timeout=120s", timeout_s=130)
    clients = [pod["metadata"]["name"] for pod in case.list("pod", "app=client")]
    servers = {pod["metadata"]["name"] for pod in case.list("pod", "app=srv")}
    first = clients[0]

    spec = case.get("service", "textbook")["spec"]
    assert spec["ports"][0]["nodePort"] == 30007
    low = case.get("service", "low")["spec"]["clusterIP"]
    server = case.list("pod", "app=srv")[0]["status"]
    places = (
        *("low:80", f"{low}:80", f"{spec['clusterIP']}:8080", "local:8080"),
        *(f"{server['podIP']}:8080", f"{server['hostIP']}:30007"),
    )
    for how in ("raw", "http"):
        ways = [f"{how}/{place}" for place in places]
        case.eventually(lambda ways=ways: _all_served(case, first, servers, *ways))

    own, *datagrams = _exec(case, first, "udp/udp:5353", "udp/emptyudp:5353")
    assert datagrams == [f"udp {own} x", "ConnectionRefusedError"]

    # The last one has endpoints, where nobody listens.
    nobody = ("empty:8080", "emptylow:80", "emptylocal:8080", "wrongtarget:8080")
    refused = _ask(case, first, *(f"raw/{place}" for place in nobody))
    assert refused == ["ConnectionRefusedError"] * len(nobody)
    # Not a port that the Service does not have: kube-proxy has no rule for it, and it depends on the network around a
    # node what becomes of it.

    # Each client keeps its server, which sees the client pod's own address.
    kept = set()
    for client in clients:
        own, *answers = _exec(case, client, *["http/sticky:8080", "raw/sticky:8080"] * 3)
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
