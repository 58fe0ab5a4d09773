"""One listening address of one Service port, for TCP: each new connection goes to one of the endpoints.

Without endpoints, or where nobody listens at any of them, it keeps its address but does not listen, so that connections
are refused, as by kube-proxy's REJECT rule or by the pods themselves. Connections that stand go on when their endpoint
leaves.
"""

from __future__ import annotations

import asyncio
import socket

from ..network.sockets import Address
from .accepting import Acceptor
from .affinity import Affinity
from .dialling import Dialler
from .pump import Joint, connect, reset, without_delay
from .topology import Routes, Target

_BACKLOG = 1024
_LOOKS = 20
"""A closed endpoint is asked after each twentieth of the time that it has been closed."""
_PAUSES_S = (0.02, 0.5)


class Door:
    """One TCP address that leads to the endpoints of one Service port.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The running loop.
    listener : socket.socket
        Bound where clients connect; the door's own from now on.
    dialler : Dialler
        Leads to the endpoints.
    affinity : Affinity, optional
        What the other doors of the same Service port remember of their clients too.

    Raises
    ------
    OSError
        Somebody listens on that address already; the listener is closed.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: socket.socket,
        dialler: Dialler,
        affinity: Affinity | None = None,
    ) -> None:
        self._loop = loop
        self._dialler = dialler
        self._routes = Routes()
        self._affinity_s: int | None = None
        self._affinity = affinity or Affinity()
        self._joints: set[Joint] = set()
        self._open: set[Target] = set()
        self._unknown: set[Target] = set()
        self._closed_since_s: float | None = None
        self._next_look: asyncio.TimerHandle | None = None
        self._listening = False
        self._socket = listener
        try:
            without_delay(self._socket)
            # SO_REUSEADDR lets two sockets bind one address; the second to listen is told so.
            self._socket.listen(_BACKLOG)
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._socket.close()
            raise
        self._acceptor = Acceptor(loop, self._socket, self._dial)

    def lead_to(self, routes: Routes, affinity_s: int | None) -> None:
        """Send new connections to these endpoints; refuse them where there is none.

        A door that listens goes on until the new endpoints have answered: a Service whose endpoints all change at
        once (another selector) must not lose a connection.
        """
        self._routes = routes
        self._affinity_s = affinity_s
        new = routes.targets - self._open
        self._open &= routes.targets
        self._unknown = set(new)
        self._listen_where_open()
        for target in new:
            self._dialler.ask(target, self._answered)

    def _answered(self, target: Target, is_open: bool) -> None:
        """Take note of whether somebody listens at an endpoint."""
        if self._socket.fileno() < 0 or target not in self._routes.targets:
            return
        self._unknown.discard(target)
        if is_open:
            self._open.add(target)
        else:
            self._open.discard(target)
        self._listen_where_open()

    def _listen_where_open(self) -> None:
        is_open = bool(self._open or (self._listening and self._unknown))
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        if is_open or not self._routes.targets:
            self._closed_since_s = None
        else:
            self._look_again()
        if is_open == self._listening:
            return
        if is_open:
            self._socket.listen(_BACKLOG)
            self._acceptor.start()
        else:
            self._acceptor.stop()
            # On Linux this ends listening and keeps the address bound.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._listening = is_open

    def _look_again(self) -> None:
        """Ask the endpoints anew in a while, the longer the longer they have been closed."""
        now_s = self._loop.time()
        if self._closed_since_s is None:
            self._closed_since_s = now_s
        pause_s = (now_s - self._closed_since_s) / _LOOKS
        pause_s = min(max(pause_s, _PAUSES_S[0]), _PAUSES_S[1])
        self._next_look = self._loop.call_later(pause_s, self._look)

    def _look(self) -> None:
        self._next_look = None
        for target in self._routes.targets:
            self._dialler.ask(target, self._answered)

    def close(self, *, connections: bool = False) -> None:
        """Give the address back; standing connections go on unless `connections` says otherwise."""
        if self._next_look is not None:
            self._next_look.cancel()
        self._acceptor.stop()
        self._socket.close()
        if connections:
            for joint in list(self._joints):
                joint.abort()

    def _dial(self, client: socket.socket, peer: Address) -> None:
        host = peer[0]
        targets = self._routes.of(self._dialler, host)
        if not targets:
            reset(client)  # others have endpoints here, this client's node has none
            return
        target = self._affinity.choose(host, targets, self._affinity_s)

        def joined(server: socket.socket | None) -> None:
            if server is None:
                reset(client)
                self._dialler.ask(target, self._answered)
            else:
                joint = Joint(self._loop, client, server, self._joints.discard)
                self._joints.add(joint)
                joint.start()

        connect(
            self._loop,
            self._dialler.stream(host, target),
            (target.address, target.port),
            joined,
        )
