"""`kubectl port-forward`: a refused connection ends it; it leads to pods and Services, and ends with its pod."""

import contextlib
import http.client
import os
import re
import subprocess
from collections.abc import Iterator

from side_by_side import Case

from k8s_helpers.cluster.clusters import environment


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.ready("late"))
    with _forward(case, "pod/late", 18091) as (process, port):
        assert _hostname(port) is None
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "Connection refused" in said or "connection refused" in said, said
        assert "lost connection to pod" in said

    case.out("exec", "late", "--", "touch", "/tmp/go")
    with _open_forward(case, "pod/late", 18091) as port:
        assert _hostname(port) == "late"
    missing = case.kubectl("port-forward", "service/nosuch", ":80")
    assert missing.returncode == 1
    assert 'services "nosuch" not found' in missing.stderr
    wrong = case.kubectl("port-forward", "service/late", ":99")
    assert wrong.returncode == 1
    assert "does not have a service port 99" in wrong.stderr
    with _forward(case, "service/late", 80) as (process, port):
        assert _hostname(port) == "late"
        case.out("delete", "pod", "late", "--now")
        # It is kubectl that notices, at the next connection.
        assert _hostname(port) is None
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "lost connection to pod" in said


@contextlib.contextmanager
def _open_forward(case: Case, target: str, port: int) -> Iterator[int]:
    """Forward for the time of a block, once the program listens."""

    def opened() -> bool:
        with _forward(case, target, port) as (_, local):
            return _hostname(local) is not None

    case.eventually(opened)
    with _forward(case, target, port) as (_, local):
        yield local


@contextlib.contextmanager
def _forward(case: Case, target: str, port: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    argv = ["kubectl", "--namespace", case.namespace.name, "port-forward", target, f":{port}"]
    process = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment(case.cluster.provider)},
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        match = re.match(r"Forwarding from 127\.0\.0\.1:(\d+) -> ", first)
        assert match is not None, first
        yield process, int(match[1])
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _hostname(port: int) -> str | None:
    """Return what is at `/hostname`; None where the connection ends without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/hostname")
        return connection.getresponse().read().decode().strip()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
