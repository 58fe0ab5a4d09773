"""What the tests of the node's services share: kubectl as a program, a small web server, patience."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from embedded_kubernetes.config import NODE_PORTS, ClusterConfig
from embedded_kubernetes.node.runtime.proctree import children

IMAGE = "host/python"

SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        forwarded = self.headers.get("X-Forwarded-Host", "-")
        body = f"{os.environ['POD_NAME']} {self.path} {forwarded}\\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, form, *args):
        print("asked", self.path, flush=True)
print("serving", flush=True)
print("warned", file=sys.stderr, flush=True)
http.server.ThreadingHTTPServer((os.environ.get("BIND_ADDR", "0.0.0.0"), 8000), Handler).serve_forever()
"""


class Kubectl:
    """kubectl of the cluster under test, in one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self.config = ClusterConfig.load(Path(kubeconfig).parent)
        self._argv = [
            str(Path(self.config.binaries) / "kubectl"),
            f"--kubeconfig={kubeconfig}",
            f"--namespace={namespace}",
        ]

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        timeout_s: float = 60.0,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end; its exit status is for the test to judge."""
        return subprocess.run(
            [*self._argv, *args],
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            env={**os.environ, **(env or {})},
            check=False,
        )

    def out(self, *args: str, stdin: bytes = b"") -> str:
        """Run it and return what it says; it must succeed."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    @contextlib.contextmanager
    def going_on(
        self, *args: str, env: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run it for the time of a block; standard error comes with the output."""
        process = subprocess.Popen(
            [*self._argv, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)


def container(name: str, *command: str, **more: Any) -> dict[str, Any]:
    """Return a container of this machine's Python that knows its pod's name."""
    pod_name = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return {"name": name, "image": IMAGE, "command": list(command), "env": [pod_name], **more}


def web_deployment(name: str = "web", replicas: int = 2) -> dict[str, Any]:
    """Return a Deployment of the small web server, port 8000 named http."""
    ready = {"httpGet": {"port": "http", "path": "/ready"}, "periodSeconds": 1}
    server = container(
        "web",
        "python3",
        "-c",
        SERVER,
        ports=[{"name": "http", "containerPort": 8000}],
        readinessProbe=ready,
    )
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [server], "terminationGracePeriodSeconds": 1},
            },
        },
    }


def service(name: str, app: str = "web", **spec: Any) -> dict[str, Any]:
    """Return a Service for the web server: ports 8080 and 80 lead to http."""
    ports = [
        {"name": "main", "port": 8080, "targetPort": "http"},
        {"name": "low", "port": 80, "targetPort": "http"},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": app}, "ports": ports, **spec},
    }


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a pod that ends quickly when it is told to."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": list(containers), "terminationGracePeriodSeconds": 1, **spec},
    }


def http_get(
    address: str, port: int, path: str = "/", host: str = "", timeout_s: float = 10.0
) -> tuple[int, str]:
    """Return status and body of one request on a connection of its own."""
    with socket.create_connection((address, port), timeout=timeout_s) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host or address}\r\n\r\n".encode())
        answer = b""
        while data := connection.recv(65536):
            answer += data
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split()[1]), body


def eventually(test: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Return the first true answer of `test`; fail with its last one after `timeout_s` seconds."""
    end_s = time.monotonic() + timeout_s
    while True:
        answer = test()
        if answer:
            return answer
        assert time.monotonic() < end_s, f"still {answer!r} after {timeout_s:.0f} s"
        time.sleep(0.05)


def refused(address: str, port: int) -> bool:
    """Return whether nobody listens at an address.

    A reset is no refusal: somebody listened when the connection came and stopped before it was accepted.
    """
    try:
        socket.create_connection((address, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass
    return False


def free_node_port(kubectl: Kubectl) -> int:
    """Return a NodePort that no Service has and no program of this machine listens on.

    The lowest that is free: the API server gives those out last to Services that name none (`kubernetes.io`,
    "Avoid assigning conflicting NodePort").
    """
    services = json.loads(kubectl.out("get", "services", "--all-namespaces", "--output=json"))
    taken = {
        port.get("nodePort") for one in services["items"] for port in one["spec"].get("ports", ())
    }
    return next(port for port in NODE_PORTS if port not in taken and refused("127.0.0.1", port))


def spawner_of(node: int) -> int:
    """Return the process that forks a node's containers: the first of their PID namespace, where they have one."""
    (started,) = (
        pid
        for pid in children(node)
        if b"embedded_kubernetes" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    own = Path(f"/proc/{started}/ns/pid").readlink()
    below = (pid for pid in children(started) if Path(f"/proc/{pid}/ns/pid").readlink() != own)
    return next(below, started)
