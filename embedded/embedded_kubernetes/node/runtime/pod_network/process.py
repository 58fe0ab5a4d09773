"""The network process: makes pods' namespaces and sockets inside the network that the node process is outside of.

The spawner forks it into the node's network. It keeps nothing: namespaces and sockets go to the node process, which
holds them, so that one that is killed loses no pod and leaves nothing behind.

It answers on two sockets, the first one first: on `quick` the node process stands and waits, on `slow` it does not.
Requests and answers are marshalled; descriptors go along.

`quick`: `{"lay": NodeNetwork}`, or `{"streams": n, "datagrams": n, "raws": n}` with the network namespace where they
are wanted elsewhere than in the node's; `()` or `(errno, words, what)` comes back. `slow`: `{"id": n, "pod":
PodNetwork}`; `(n,)` or `(n, errno, words, what)` comes back.
"""

# Loaded by the spawner, which must stay small: no contextlib.
# ruff: noqa: SIM105

from __future__ import annotations

import _socket
import array
import marshal
import select
from typing import TYPE_CHECKING

from .. import syscalls as linux
from . import layout, netlink

if TYPE_CHECKING:
    from typing import Any

_REQUEST_BYTES = 1 << 16


class NetworkProcess:
    """Serves a node process.

    Parameters
    ----------
    quick, slow : socket
        SOCK_SEQPACKET ends (see above).
    """

    def __init__(self, quick: _socket.socket, slow: _socket.socket) -> None:
        # Those of the machine are no place to come back to for who is no root there.
        linux.unshare(linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
        self._quick = quick
        self._slow = slow
        self._home = layout.own_namespaces()
        self._links = netlink.Netlink()

    def serve(self) -> None:
        """Answer until the node process closes its ends."""
        poll = select.poll()
        for link in (self._quick, self._slow):
            poll.register(link, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            quick = self._quick.fileno() in ready
            if not (self._answer_quick() if quick else self._answer_slow()):
                return

    def _answer_quick(self) -> bool:
        data, ancillary, _, _ = self._quick.recvmsg(
            _REQUEST_BYTES, _socket.CMSG_LEN(4), _socket.MSG_CMSG_CLOEXEC
        )
        if not data:
            return False
        given = array.array("i")
        for _, _, raw in ancillary:
            given.frombytes(raw)
        made: list[int] = []
        try:
            request = marshal.loads(data)
            if "lay" in request:
                layout.lay_node(self._links, request["lay"])
            elif "uplink" in request:
                layout.lay_uplink(self._links, *request["uplink"])
            else:
                made = self._sockets(request, list(given))
            _send(self._quick, (), made)
        except OSError as error:
            _send(self._quick, _words(error), [])
        finally:
            layout.close([*given, *made])
        return True

    def _sockets(self, request: dict[str, int], elsewhere: list[int]) -> list[int]:
        if elsewhere:
            linux.enter_namespace(elsewhere[0], linux.CLONE_NEWNET)
        made: list[int] = []
        try:
            for kind, count in (
                (_socket.SOCK_STREAM, request["streams"]),
                (_socket.SOCK_DGRAM, request["datagrams"]),
                (_socket.SOCK_RAW, request["raws"]),
            ):
                protocol = _socket.IPPROTO_TCP if kind == _socket.SOCK_RAW else 0
                for _ in range(count):
                    flags = kind | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
                    made.append(_socket.socket(_socket.AF_INET, flags, protocol).detach())
        except BaseException:
            layout.close(made)
            raise
        finally:
            if elsewhere:
                layout.enter(self._home[:1])
        return made

    def _answer_slow(self) -> bool:
        data = self._slow.recv(_REQUEST_BYTES)
        if not data:
            return False
        request = marshal.loads(data)
        try:
            made = layout.make_pod(self._links, self._home, request["pod"])
        except OSError as error:
            _send(self._slow, (request["id"], *_words(error)), [])
            return True
        try:
            _send(self._slow, (request["id"],), made)
        finally:
            layout.close(made)
        return True


def serve(quick: int, slow: int) -> None:
    """Serve on two descriptors until the node process ends."""
    sockets = [_socket.socket(fileno=descriptor) for descriptor in (quick, slow)]
    try:
        NetworkProcess(*sockets).serve()
    except ConnectionError:
        pass  # the node process went away in the middle


def _words(error: OSError) -> tuple[int, str, str]:
    return error.errno or 0, str(error.strerror), str(error.filename or "?")


def _send(link: _socket.socket, message: tuple[Any, ...], descriptors: list[int]) -> None:
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", descriptors).tobytes())]
    link.sendmsg([marshal.dumps(message)], rights if descriptors else [])
