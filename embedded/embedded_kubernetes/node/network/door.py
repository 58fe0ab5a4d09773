"""One listening address of one Service port, for TCP: each new connection goes to one of the endpoints.

Without endpoints it keeps its address but does not listen, so that connections are refused, as kube-proxy's REJECT rule
does. Connections that stand go on when their endpoint leaves.
"""

from __future__ import annotations

import asyncio
import socket

from .accepting import Acceptor
from .affinity import Affinity
from .pump import Joint, connect, reset
from .service_table import Target

_BACKLOG = 1024

Address = tuple[str, int]


class Door:
    """One TCP address that leads to the endpoints of one Service port.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The running loop.
    address : tuple of str and int
        Where clients connect.
    affinity : Affinity, optional
        What the other doors of the same Service port remember of their clients too.

    Raises
    ------
    OSError
        The address cannot be bound (taken, or a port that only root may use).
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: Address,
        affinity: Affinity | None = None,
    ) -> None:
        self._loop = loop
        self._targets: tuple[Target, ...] = ()
        self._affinity_s: int | None = None
        self._affinity = affinity or Affinity()
        self._joints: set[Joint] = set()
        self._listening = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            # SO_REUSEADDR lets two sockets bind one address; the second to listen is told so.
            self._socket.listen(_BACKLOG)
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._socket.close()
            raise
        self._acceptor = Acceptor(loop, self._socket, self._dial)

    def lead_to(self, targets: tuple[Target, ...], affinity_s: int | None) -> None:
        """Send new connections to these endpoints; refuse them where there is none."""
        self._targets = targets
        self._affinity_s = affinity_s
        if bool(targets) == self._listening:
            return
        if targets:
            self._socket.listen(_BACKLOG)
            self._acceptor.start()
        else:
            self._acceptor.stop()
            # On Linux this ends listening and keeps the address bound.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._listening = bool(targets)

    def close(self, *, connections: bool = False) -> None:
        """Give the address back; standing connections go on unless `connections` says otherwise."""
        self._acceptor.stop()
        self._socket.close()
        if connections:
            for joint in list(self._joints):
                joint.abort()

    def _dial(self, client: socket.socket, peer: Address) -> None:
        target = self._affinity.choose(peer[0], self._targets, self._affinity_s)

        def joined(server: socket.socket | None) -> None:
            if server is None:
                reset(client)
            else:
                joint = Joint(self._loop, client, server, self._joints.discard)
                self._joints.add(joint)
                joint.start()

        connect(self._loop, (target.address, target.port), joined)
