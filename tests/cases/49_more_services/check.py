"""Named target ports, a Service without selector, unready addresses, traffic from outside kept local."""

import json

from side_by_side import Case

ASK = """
import json, socket, sys
def ask(host, port):
    try:
        with socket.create_connection((host, int(port)), 3) as connection:
            connection.sendall(b"GET /hostname HTTP/1.0\\r\\n\\r\\n")
            data = b""
            while piece := connection.recv(4096):
                data += piece
        return data.split(b"\\r\\n\\r\\n")[-1].decode().strip()
    except OSError as error:
        return type(error).__name__
print(json.dumps([ask(*where.split(":")) for where in sys.argv[1:]]))
"""


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.ready("a") and case.ready("b") and case.ready("client"))
    case.eventually(lambda: case.phase("u") == "Running")
    manual = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "manual-1", "labels": {"kubernetes.io/service-name": "manual"}},
        "addressType": "IPv4",
        "ports": [{"name": "x", "port": 8087}],
        "endpoints": [{"addresses": [case.get("pod", "a")["status"]["podIP"]]}],
    }
    case.out("apply", "--filename=-", stdin=json.dumps(manual))
    # One name of a port, two numbers: each pod has its own.
    case.eventually(lambda: set(_ask(case, *["named:8080"] * 12)) == {"a", "b"})
    case.eventually(lambda: _ask(case, "unready:8089", "manual:8090") == ["u", "a"])
    assert _ask(case, "etp:8080")[0] in ("a", "b")
    # Who is not ready has no name behind a headless Service.
    assert _ask(case, "headless-unready:8089") == ["gaierror"]
    # The API server leads to pods only: to addresses that a slice says are one's.
    path = f"/api/v1/namespaces/{case.namespace.name}/services"
    by_hand = case.kubectl("get", "--raw", f"{path}/manual:x/proxy/hostname")
    assert by_hand.returncode == 1
    assert 'no endpoints available for service "manual"' in by_hand.stderr
    assert case.out("get", "--raw", f"{path}/named:8080/proxy/hostname").strip() in ("a", "b")


def _ask(case: Case, *places: str) -> list[str]:
    found: list[str] = json.loads(case.out("exec", "client", "--", "python3", "-c", ASK, *places))
    return found
