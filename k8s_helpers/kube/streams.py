"""A command in a container: the API server's exec over a WebSocket, run to its end or talked to while it runs."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from embedded_kubernetes.processes import Completed

from .._errors import ClusterUnreachableError, WaitTimeoutError
from . import proxies as _proxies
from .api import ApiSession
from .refusals import explain, status_of

_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
_STDIN, _STDOUT, _STDERR, _ERROR = 0, 1, 2, 3
_SEND_TIMEOUT_S = 10.0
_MISSING = re.compile(r"executable file not found|no such file or directory", re.IGNORECASE)


def execute(
    api: ApiSession, path: str, argv: Sequence[str], container: str | None, timeout_s: float
) -> Completed:
    """Run a command to its end and return what it wrote.

    Parameters
    ----------
    path : str
        The pod's `…/exec`.
    argv : sequence of str
        Program and arguments; no shell reads them.
    container : str, optional
        Where the pod has several.
    timeout_s : float
        For the whole command.

    Raises
    ------
    ApiStatusError
        The API server refuses: no such pod, container or right.
    WaitTimeoutError
        The command does not end.

    Source: https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go
    """
    import websocket

    query = [("command", word) for word in argv] + [("stdout", "true"), ("stderr", "true")]
    if container:
        query.append(("container", container))
    end_s = time.monotonic() + timeout_s
    streams = {_STDOUT: bytearray(), _STDERR: bytearray(), _ERROR: bytearray()}
    connection = _connect(api, f"{path}?{urlencode(query)}", path, timeout_s)
    try:
        while not streams[_ERROR]:
            connection.settimeout(max(0.01, end_s - time.monotonic()))
            code, data = connection.recv_data()
            if code == websocket.ABNF.OPCODE_CLOSE:
                break
            if data:
                streams.get(data[0], bytearray()).extend(data[1:])
    except websocket.WebSocketTimeoutException:
        raise WaitTimeoutError(
            f"Exécuter « {' '.join(argv)} » dans {path.split('/')[-2]}",
            f"la commande n’a pas fini en {timeout_s:.0f} s",
            "Donnez-lui plus de temps (timeout_s), ou vérifiez qu’elle n’attend rien au clavier.",
        ) from None
    except (websocket.WebSocketException, OSError) as error:
        raise _cut(api, error) from None
    finally:
        _close(connection)
    stdout, stderr = (streams[name].decode(errors="replace") for name in (_STDOUT, _STDERR))
    return Completed(tuple(argv), _exit_code(streams[_ERROR], path, argv), stdout, stderr)


class Conversation:
    """A command that runs in a container while both sides talk.

    Parameters
    ----------
    api : ApiSession
        Of the cluster.
    path : str
        The pod's `…/exec`.
    argv : sequence of str
        Program and arguments; no shell reads them.
    timeout_s : float
        Longest wait for the API server to begin.

    Attributes
    ----------
    complaint : str
        What the command has written on standard error, or why it could not run; "" where nothing.

    Raises
    ------
    ApiStatusError
        The API server refuses: no such pod, or no right.
    ClusterUnreachableError
        It does not answer.
    """

    def __init__(
        self, api: ApiSession, path: str, argv: Sequence[str], timeout_s: float = 30.0
    ) -> None:
        query = [("command", word) for word in argv]
        query += [(name, "true") for name in ("stdin", "stdout", "stderr")]
        self._connection = _connect(api, f"{path}?{urlencode(query)}", path, timeout_s)
        self._connection.settimeout(_SEND_TIMEOUT_S)
        self._due: deque[bytes] = deque()
        self._waker, self._woken = socket.socketpair()
        self._lock = threading.Lock()
        self._closed = self._read = False
        self._error = bytearray()
        self._stderr = bytearray()

    @property
    def complaint(self) -> str:
        """What the command has written on standard error, and how its end was told."""
        status = status_of(bytes(self._error))
        said = "" if status.get("status") == "Success" else str(status.get("message") or "")
        words = [*self._stderr.decode(errors="replace").strip().splitlines()[-1:], said]
        return " ; ".join(word for word in words if word)

    def send(self, data: bytes) -> None:
        """Write to the command's standard input, from any thread; nothing happens once it is over."""
        self._due.append(data)
        with self._lock, contextlib.suppress(OSError):
            if not self._closed:
                self._waker.send(b".")

    def output(self) -> Iterator[bytes]:
        """Yield what the command writes on standard output, as it comes; ends where the command or the connection does.

        One thread reads, and sends meanwhile what others have given to `send`: two at once would be too many for TLS.
        """
        import websocket

        self._read = True
        try:
            while not self._error:
                if not self._wait():
                    return
                code, data = self._connection.recv_data(control_frame=True)
                if code == websocket.ABNF.OPCODE_CLOSE:
                    return
                if code != websocket.ABNF.OPCODE_BINARY:
                    continue
                if data[:1] == bytes([_STDOUT]):
                    yield data[1:]
                elif data[:1] == bytes([_STDERR]):
                    self._stderr += data[1:]
                elif data[:1] == bytes([_ERROR]):
                    self._error += data[1:]
        except (websocket.WebSocketException, OSError, ValueError) as error:
            if not self._closed:
                self._stderr += f"\n{error}".encode()
        finally:
            self.close()
            self._release()

    def close(self) -> None:
        """Have the connection cut, in a moment: the command's standard input ends."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._waker.close()  # wakes who reads, who cuts it
        if not self._read:
            self._release()

    def _release(self) -> None:
        _close(self._connection)
        self._woken.close()

    def _wait(self) -> bool:
        """Return once there is something to read, having sent what is due; False where it was closed."""
        connection = self._connection.sock
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            while self._due:
                self._connection.send_binary(bytes([_STDIN]) + self._due.popleft())
            if getattr(connection, "pending", int)():
                return True
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._woken.fileno() in ready and not self._woken.recv(4096):
                return False
            if connection.fileno() in ready:
                return True


def _connect(api: ApiSession, target: str, path: str, timeout_s: float) -> Any:
    import websocket

    access = api.access
    options: dict[str, Any] = {}
    if access.tls is not None:
        options["context"] = access.tls
        if access.server_hostname:
            options["server_hostname"] = access.server_hostname
    connection: Any = websocket.WebSocket(sslopt=options)
    connection.settimeout(timeout_s)
    headers = [f"{name}: {value}" for name, value in api.headers("*/*").items()]
    try:
        connection.connect(
            api.server.replace("http", "ws", 1) + target,
            header=headers,
            subprotocols=_PROTOCOLS,
            suppress_origin=True,
            **_way(access.proxy),
        )
    except websocket.WebSocketBadStatusException as error:
        raise explain("POST", path, error.status_code, status_of(error.resp_body or b"")) from None
    except (websocket.WebSocketException, OSError) as error:
        raise _cut(api, error) from None
    return connection


def _close(connection: Any) -> None:
    """Close a connection, whichever side has begun with it.

    The library's own `close` does nothing where the server's close frame came first, and the socket stays open
    (websocket-client 1.9.2, `_core.py`).
    """
    import websocket

    with contextlib.suppress(OSError, websocket.WebSocketException):
        connection.close(timeout=0)
    connection.shutdown()


def _way(proxy: str | None) -> dict[str, Any]:
    """Return what makes the library go through the proxy, or straight, whatever it thinks of the environment."""
    if proxy is None:
        return {"http_no_proxy": ["*"]}
    parts = urlsplit(proxy)
    return {
        "http_proxy_host": parts.hostname,
        "http_proxy_port": parts.port or (443 if parts.scheme == "https" else 80),
        "http_proxy_auth": _proxies.credentials(proxy),
        "http_no_proxy": ["-"],  # no host has that name; an empty list would mean NO_PROXY
    }


def _cut(api: ApiSession, error: Exception) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"Exécuter une commande dans un pod par {api.server}",
        f"la connexion est coupée ({error})",
        "Réessayez ; « k8s-lab status » dit l’état du cluster.",
    )


def _exit_code(error: bytearray, path: str, argv: Sequence[str]) -> int:
    """Read the last word of the error channel: a `Status` whose causes hold the exit code."""
    status = status_of(bytes(error))
    if status.get("status") == "Success":
        return 0
    for cause in status.get("details", {}).get("causes", ()):
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    refusal = explain("POST", path, int(status.get("code") or 500), status)
    if _MISSING.search(str(status.get("message", ""))):
        refusal.found = f"le conteneur n’a pas de programme « {argv[0]} »"
        refusal.advice = "Vérifiez son nom ; une image minimale n’a souvent ni shell ni outils."
    raise refusal
