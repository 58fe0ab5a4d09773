"""`hostPort`: the node leads to the pod; a second pod that wants the same port waits for it."""

from side_by_side import Case

ASK = """
import os, socket
try:
    with socket.create_connection((os.environ["NODE"], 28093), 5) as connection:
        connection.sendall(b"GET /hostname HTTP/1.0\\r\\n\\r\\n")
        data = b""
        while piece := connection.recv(4096):
            data += piece
    print(data.split(b"\\r\\n\\r\\n")[-1].decode().strip())
except OSError as error:
    print(type(error).__name__)
"""


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.ready("web") and case.ready("client"))
    case.eventually(lambda: _ask(case) == "web")
    case.apply("second.yaml")
    (refusal,) = case.eventually(lambda: case.events("second", "FailedScheduling"))
    assert "didn't have free ports for the requested pod ports" in refusal["message"]
    case.out("delete", "pod", "web", "--now")
    case.eventually(lambda: case.ready("second"))
    # The port is the second pod's now, and nobody listens in it.
    case.eventually(lambda: _ask(case) == "ConnectionRefusedError")


def _ask(case: Case) -> str:
    return case.out("exec", "client", "--", "python3", "-c", ASK).strip()
