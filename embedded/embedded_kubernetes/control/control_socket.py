"""The supervisor's control socket: one request a connection, JSON lines both ways.

Requests: `{"do": "status" | "wait" | "stop" | "start" | "add node" | "remove node" | "down", "component": NAME}`.
Answers are objects; a last one without "step" ends the exchange.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOCKET_NAME = "supervisor.sock"


def listen(runtime: Path) -> socket.socket:
    """Return the listening control socket in `runtime`, in the place of one that a dead supervisor left."""
    path = runtime / SOCKET_NAME
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(16)
    return listener


def converse(
    runtime: Path, message: dict[str, Any], *, timeout_s: float
) -> Iterator[dict[str, Any]]:
    """Send one request and yield each answer.

    Parameters
    ----------
    runtime : Path
        Folder of the cluster's sockets.
    message : dict
        The request.
    timeout_s : float
        Longest silence.

    Raises
    ------
    OSError
        Nobody listens, or no answer in time (`TimeoutError`).
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        connection.connect(str(runtime / SOCKET_NAME))
        connection.sendall(json.dumps(message).encode() + b"\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                yield json.loads(line)


def ask(runtime: Path, message: dict[str, Any], *, timeout_s: float = 5.0) -> dict[str, Any]:
    """Send one request and return its last answer.

    Raises
    ------
    OSError
        Nobody listens, no answer in time, or the supervisor ended without answering.
    """
    answers = list(converse(runtime, message, timeout_s=timeout_s))
    if not answers:
        raise ConnectionResetError("the supervisor ended")
    return answers[-1]
