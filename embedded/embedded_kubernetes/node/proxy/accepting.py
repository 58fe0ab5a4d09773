"""Connections accepted from the event loop: many a turn, and none for a moment where no descriptor is left.

A listening socket stays readable as long as a connection waits for it: whoever cannot take it would be called again at
once, and nobody else.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

_ACCEPTS_A_TURN = 64
_REST_S = 0.1

_log = logging.getLogger(__name__)


class Acceptor:
    """Accepts what comes to one listening socket.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The running loop.
    listener : socket.socket
        Non-blocking; it stays its owner's.
    on_connection : callable
        Called with each connection, non-blocking, and the address of its other end; an OSError of its own means that
        the connection could not be served.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: socket.socket,
        on_connection: Callable[[socket.socket, Any], None],
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._on_connection = on_connection
        self._accepting = False
        self._rest: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to accept: the socket listens."""
        self._accepting = True
        self._loop.add_reader(self._listener, self._accept)

    def stop(self) -> None:
        """Accept no more, before the socket is closed or ends listening."""
        self._accepting = False
        self._loop.remove_reader(self._listener)
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            if not self._accepting:
                return
            try:
                client, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest_after(error)
                return
            client.setblocking(False)
            try:
                self._on_connection(client, peer)
            except OSError as error:
                client.close()
                self._rest_after(error)
                return

    def _rest_after(self, error: OSError) -> None:
        """Accept nothing for a moment; most often this process has no descriptor left."""
        _log.warning("no connection taken for %.1f s: %s", _REST_S, error)
        self._loop.remove_reader(self._listener)
        self._rest = self._loop.call_later(_REST_S, self._resume)

    def _resume(self) -> None:
        self._rest = None
        if self._accepting:
            self._loop.add_reader(self._listener, self._accept)
