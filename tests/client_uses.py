"""What the course and its students do with the official Python client, against servers on loopback.

Run as a program with another release of `kubernetes` in front of `sys.path` (`test_client_range`): it prints as JSON
what each use came to.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socketserver
import sys
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PODS = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}
EVENT = {
    "type": "ADDED",
    "object": {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "web", "resourceVersion": "2"},
    },
}
_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(BaseHTTPRequestHandler):
    """An API server that notes who asks; as a proxy it does the same."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(self.headers.get("Authorization"))  # type: ignore[attr-defined]
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self._exec()
        body = json.dumps(EVENT if "watch=" in self.path else PODS).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _exec(self) -> None:
        """Answer as a kubelet: one line on channel 1, the end on channel 3."""
        key = self.headers["Sec-WebSocket-Key"].encode() + _WEBSOCKET
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accepted = base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest())
        self.send_header("Sec-WebSocket-Accept", accepted.decode())
        self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
        self.end_headers()
        for payload in (b"\x01hello\n", b'\x03{"status": "Success"}'):
            self.wfile.write(bytes((0x82, len(payload))) + payload)
        self.wfile.write(bytes((0x88, 2)) + (1000).to_bytes(2, "big"))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve() -> tuple[Any, str]:
    server: socketserver.BaseServer = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[index]


def write(folder: Path, url: str, user: dict[str, Any]) -> Path:
    path = folder / "kubeconfig"
    plain = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": url}}],
        "users": [{"name": "a", "user": user}],
    }
    path.write_text(json.dumps(plain))
    return path


def by_exec(folder: Path) -> dict[str, Any]:
    version = "client.authentication.k8s.io/v1"
    answer = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": "t"}}
    program = folder / "login"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'")
    program.chmod(0o755)
    return {"exec": {"apiVersion": version, "command": str(program), "interactiveMode": "Never"}}


def uses(folder: Path) -> dict[str, Callable[[], object]]:
    """Return each use by its name; it returns what came of it."""
    import kubernetes
    from kubernetes.stream import stream

    server, url = serve()
    proxy, through = serve()

    def api(path: Path | None = None) -> Any:
        configuration = kubernetes.client.Configuration()
        if path is not None:
            kubernetes.config.load_kube_config(str(path), client_configuration=configuration)
        else:
            configuration.host = url
        return kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))

    def asked(core: Any) -> object:
        server.seen.clear()
        core.list_namespaced_pod("a")
        return list(server.seen)

    def by_hand(key: str, prefix: str) -> object:
        core = api()
        core.api_client.configuration.api_key["authorization"] = key
        if prefix:
            core.api_client.configuration.api_key_prefix["authorization"] = prefix
        return asked(core)

    def without_proxy() -> object:
        os.environ |= {"HTTP_PROXY": through, "NO_PROXY": "127.0.0.1"}
        os.environ |= {"http_proxy": through, "no_proxy": "127.0.0.1"}
        try:
            proxy.seen.clear()
            return [asked(api(write(folder, url, {"token": "t"}))), len(proxy.seen)]
        finally:
            for name in ("HTTP_PROXY", "NO_PROXY", "http_proxy", "no_proxy"):
                del os.environ[name]

    def executed() -> object:
        server.seen.clear()
        core = api(write(folder, url, {"token": "t"}))
        said = stream(
            core.connect_get_namespaced_pod_exec, "web", "a", command=["true"], stdout=True
        )
        return [said, list(server.seen)]

    def watched() -> object:
        core = api(write(folder, url, {"token": "t"}))
        events = kubernetes.watch.Watch().stream(core.list_namespaced_pod, "a", timeout_seconds=1)
        return next(iter(events))["object"].metadata.name

    def in_cluster() -> object:
        for name in ("token", "ca"):
            (folder / name).write_text("t")
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
        loader = kubernetes.config.incluster_config.InClusterConfigLoader(
            str(folder / "token"), str(folder / "ca"), environ=environ
        )
        configuration = kubernetes.client.Configuration()
        loader.load_and_set(configuration)
        loader.host, loader.ssl_ca_cert = url, None  # each call reads them again, with the token
        configuration.host, configuration.ssl_ca_cert = url, None
        return asked(kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration)))

    def by_file() -> object:
        (folder / "token").write_text("t")
        return asked(api(write(folder, url, {"tokenFile": str(folder / "token")})))

    def connected(user: dict[str, Any]) -> object:
        from k8s_helpers.kube import kubeconfig

        return kubeconfig.load(write(folder, url, user)).identity.authorization()

    return {
        "kubeconfig token": lambda: asked(api(write(folder, url, {"token": "t"}))),
        "kubeconfig token file": by_file,
        "kubeconfig plugin": lambda: asked(api(write(folder, url, by_exec(folder)))),
        "api_key": lambda: by_hand("Bearer t", ""),
        "NO_PROXY": without_proxy,
        "exec": executed,
        "watch": watched,
        "in the cluster": in_cluster,
        "connect, token": lambda: connected({"token": "t"}),
        "connect, plugin": lambda: connected(by_exec(folder)),
    }


RIGHT = {
    "kubeconfig token": ["Bearer t"],
    "kubeconfig token file": ["Bearer t"],
    "kubeconfig plugin": ["Bearer t"],
    "api_key": ["Bearer t"],
    "NO_PROXY": [["Bearer t"], 0],
    "exec": ["hello\n", ["Bearer t"]],
    "watch": "web",
    "in the cluster": ["bearer t"],  # a scheme is written in any case
    "connect, token": "Bearer t",
    "connect, plugin": "Bearer t",
}


def main() -> None:
    """Print the release, and what each use came to that is not as it should be."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    import kubernetes

    wrong = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, use in uses(Path(folder)).items():
            try:
                came = use()
            except Exception as error:
                came = f"{type(error).__name__}: {error}"
            if came != RIGHT[name]:
                wrong[name] = came
    json.dump({"release": kubernetes.__version__, "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main()
