"""etcd read as it is on its disk: the JSON gateway of its gRPC API, over its unix socket.

Source: https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RANGE_PATH = "/v3/kv/range"
_TIMEOUT_S = 10.0


class _UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def request(key: str) -> str:
    """Return the body of the request for one key."""
    return json.dumps({"key": base64.b64encode(key.encode()).decode()})


def value(answer: str | bytes) -> bytes | None:
    """Return the value that an answer holds; None where etcd has no such key.

    Raises
    ------
    ValueError
        It is no answer of etcd's.
    """
    plain = json.loads(answer)
    if "header" not in plain:
        raise ValueError(plain.get("message") or "etcd answers something else")
    pairs = plain.get("kvs") or ()
    return base64.b64decode(pairs[0]["value"]) if pairs else None


def read(etcd_socket: Path, key: str) -> bytes | None:
    """Return the value under a key ("/registry/secrets/NAMESPACE/NAME"); None where there is none.

    Raises
    ------
    OSError
        etcd does not answer.
    ValueError
        It refuses.
    """
    return value(_post(etcd_socket, RANGE_PATH, request(key)))


def ask(etcd_socket: Path, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    """Send one request of etcd's API and return its answer.

    Raises
    ------
    OSError
        etcd does not answer, or refuses.
    ValueError
        It answers something else than JSON.
    """
    answer: dict[str, Any] = json.loads(_post(etcd_socket, path, json.dumps(body)))
    if "code" in answer:
        raise OSError(f"etcd: {answer.get('message')}")
    return answer


def _post(etcd_socket: Path, path: str, body: str) -> bytes:
    connection = _UnixConnection(etcd_socket)
    try:
        connection.request("POST", path, body)
        return connection.getresponse().read()
    finally:
        connection.close()
