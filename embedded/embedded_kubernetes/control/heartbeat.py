"""The node's heartbeat: lines of JSON on a pipe to the supervisor, written by the node's event loop.

A loop that turns writes; one that hangs, whatever holds it, does not. A pipe that nobody reads just now is full, and
then beats are dropped: the node never waits for its supervisor.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

BEAT_S = 1.0

_READ_BYTES = 64 * 1024


def open_pipe() -> tuple[int, int]:
    """Return the reading and the writing end, neither of which ever waits."""
    return os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)


def beat(descriptor: int, facts: dict[str, Any]) -> None:
    """Write one beat; drop it where the pipe is full or closed."""
    with contextlib.suppress(OSError):
        os.write(descriptor, json.dumps(facts).encode() + b"\n")


class Pulse:
    """The supervisor's end of one node's heartbeat.

    Parameters
    ----------
    descriptor : int
        The reading end, closed by `close`.
    on_beat : callable
        Called with what each beat says.
    """

    def __init__(self, descriptor: int, on_beat: Callable[[dict[str, Any]], None]) -> None:
        self._descriptor = descriptor
        self._on_beat = on_beat
        self._rest = b""
        self._open = True
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def close(self) -> None:
        """Read no more."""
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                self._on_beat(json.loads(line))
