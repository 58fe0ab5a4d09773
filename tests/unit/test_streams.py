"""Commands in containers: a connection goes whichever side ends it first."""

from __future__ import annotations

import base64
import gc
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import pytest

from k8s_helpers.kube import streams
from k8s_helpers.kube.api import ApiSession, ApiStatusError

PATH = "/api/v1/namespaces/x/pods/p/exec"
CLOSE_FRAME = b"\x88\x02\x03\xe8"
"""RFC 6455, 5.5.1: from a server, with the code 1000."""
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@contextmanager
def closing_server() -> Iterator[tuple[ApiSession, threading.Event]]:
    """Yield a session of a server that begins an exec and says at once that it closes, and whether the client did."""
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(4096)
                found = re.search(rb"Sec-WebSocket-Key: (\S+)", asked)
                assert found is not None
                key = base64.b64encode(hashlib.sha1(found[1] + _GUID).digest())
                connection.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\nSec-WebSocket-Accept: "
                    + key
                    + b"\r\n\r\n"
                    + CLOSE_FRAME
                )
                connection.settimeout(5)
                try:
                    while connection.recv(4096):
                        pass
                    gone.set()
                except TimeoutError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        api = SimpleNamespace(
            server=f"http://127.0.0.1:{listener.getsockname()[1]}",
            access=SimpleNamespace(tls=None, proxy=None, server_hostname=None),
            headers=lambda accept: {"Accept": accept},
        )
        gc.disable()  # what is only waiting to be collected would otherwise be closed now and then
        try:
            yield cast(ApiSession, api), gone
            thread.join(10)
        finally:
            gc.enable()


def test_a_command_whose_end_the_server_tells_leaves_no_connection() -> None:
    with closing_server() as (api, gone), pytest.raises(ApiStatusError):
        streams.execute(api, PATH, ["true"], None, 10)
    assert gone.wait(6)


def test_a_conversation_that_the_server_ends_leaves_no_connection() -> None:
    with closing_server() as (api, gone):
        assert list(streams.Conversation(api, PATH, ["true"]).output()) == []
    assert gone.wait(6)
