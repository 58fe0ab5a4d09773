"""The node's end of the network process (see `process.py` for the other one and what they say)."""

from __future__ import annotations

import array
import asyncio
import errno
import itertools
import logging
import marshal
import os
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .layout import NodeNetwork, PodNetwork

_log = logging.getLogger(__name__)

_ANSWER_S = 2.0
"""How long the network process may take to answer who stands and waits: a thousand times what it takes."""

_MOST_DESCRIPTORS = 64
_NO_DESCRIPTORS = (errno.EMFILE, os.strerror(errno.EMFILE))
_ANSWER_BYTES = 4096


class NetworkLink:
    """Asks the network process, and has a new one forked where it has ended.

    Parameters
    ----------
    fork : callable
        Has the spawner fork a network process that serves on two descriptors, which it closes here afterwards;
        `OSError` where there is no spawner.
    node : NodeNetwork
        What the node's network is to have.
    """

    def __init__(self, fork: Callable[[int, int], None], node: NodeNetwork) -> None:
        self._fork = fork
        self._node = node
        self._quick: socket.socket | None = None
        self._slow: socket.socket | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[tuple[int, ...]]] = {}

    def start(self) -> None:
        """Have a network process forked, and the node's network laid.

        Raises
        ------
        OSError
            The kernel refuses (`filename` names what), or there is no spawner.
        """
        self.close()
        quick, their_quick = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        slow, their_slow = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._quick, self._slow = quick, slow
        with their_quick, their_slow:
            self._fork(their_quick.fileno(), their_slow.fileno())
        quick.settimeout(_ANSWER_S)
        slow.setblocking(False)
        asyncio.get_running_loop().add_reader(slow, self._receive, slow)
        self._ask({"lay": self._node}, ())

    def close(self) -> None:
        """Let the network process end."""
        if self._slow is not None:
            asyncio.get_running_loop().remove_reader(self._slow)
            self._slow.close()
            self._slow = None
        if self._quick is not None:
            self._quick.close()
            self._quick = None
        lost = OSError(errno.ENETDOWN, "the network process of this node ended")
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(lost)
        self._waiting.clear()

    def sockets(
        self,
        *,
        streams: int = 0,
        datagrams: int = 0,
        raws: int = 0,
        namespace: int | None = None,
    ) -> list[socket.socket]:
        """Return sockets of the node's network, or of another one: TCP, UDP and raw TCP ones, not blocking.

        Raises
        ------
        OSError
            They cannot be had.
        """
        request = {"streams": streams, "datagrams": datagrams, "raws": raws}
        descriptors = self._ask_anyhow(request, () if namespace is None else (namespace,))
        return [socket.socket(fileno=descriptor) for descriptor in descriptors]

    def lay_uplink(self, name: str, address: str, gateway: str) -> None:
        """Lead what is for nobody in the node's network to a link (see `layout.lay_uplink`, and `start`)."""
        self._ask_anyhow({"uplink": [name, address, gateway]}, ())

    def _ask_anyhow(self, request: dict[str, Any], given: Sequence[int]) -> list[int]:
        if self._quick is None:
            self.start()
        try:
            return self._ask(request, given)
        except (ConnectionError, TimeoutError):
            _log.warning("network process ended: another one is started")
            self.start()
            return self._ask(request, given)

    async def make_pod(self, pod: PodNetwork) -> tuple[int, ...]:
        """Make the namespaces of a pod; return their descriptors, as `layout.POD_NAMESPACES` has them.

        Raises
        ------
        OSError
            The kernel refuses: `filename` names what.
        """
        if self._slow is None:
            self.start()
        try:
            return await self._made(pod)
        except OSError as error:
            if error.errno != errno.ENETDOWN:
                raise
        # It was killed in the middle: nothing is left of what it made.
        if self._slow is None:
            self.start()
        return await self._made(pod)

    async def _made(self, pod: PodNetwork) -> tuple[int, ...]:
        number = next(self._numbers)
        made: asyncio.Future[tuple[int, ...]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = made
        assert self._slow is not None
        try:
            self._slow.send(marshal.dumps({"id": number, "pod": pod}))
            return await made
        except ConnectionError:
            self.close()  # before the loop notices
            raise OSError(errno.ENETDOWN, "the network process of this node ended") from None
        finally:
            self._waiting.pop(number, None)

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int]) -> list[int]:
        assert self._quick is not None
        try:
            socket.send_fds(self._quick, [marshal.dumps(request)], descriptors)
            data, received = _received(self._quick)
        except (ConnectionError, TimeoutError):
            self.close()
            raise
        answer = marshal.loads(data)
        if answer:
            raise OSError(*answer)
        if received is None:
            raise OSError(*_NO_DESCRIPTORS)
        return received

    def _receive(self, slow: socket.socket) -> None:
        while slow is self._slow:
            try:
                data, descriptors = _received(slow)
            except BlockingIOError:
                return
            except ConnectionError:
                self.close()
                return
            number, *failure = marshal.loads(data)
            waiting = self._waiting.get(number)
            if waiting is None or waiting.done():
                for descriptor in descriptors or ():
                    os.close(descriptor)
            elif failure or descriptors is None:
                waiting.set_exception(OSError(*(failure or _NO_DESCRIPTORS)))
            else:
                waiting.set_result(tuple(descriptors))


def _received(link: socket.socket) -> tuple[bytes, list[int] | None]:
    """Receive one message and its descriptors, None where this process has no room for all of them.

    `ConnectionError` where the other end is closed.
    """
    data, ancillary, flags, _ = link.recvmsg(
        _ANSWER_BYTES, socket.CMSG_SPACE(_MOST_DESCRIPTORS * 4), socket.MSG_CMSG_CLOEXEC
    )
    if not data:
        raise ConnectionResetError(errno.ECONNRESET, "the network process ended")
    descriptors = array.array("i")
    for _, _, raw in ancillary:
        descriptors.frombytes(raw[: len(raw) - len(raw) % descriptors.itemsize])
    if flags & socket.MSG_CTRUNC:
        for descriptor in descriptors:
            os.close(descriptor)
        return data, None
    return data, list(descriptors)
