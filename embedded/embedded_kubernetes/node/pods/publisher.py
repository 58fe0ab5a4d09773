"""Writes one pod's status to the API: what changes together in one patch, never two patches at once."""

from __future__ import annotations

import asyncio
import collections
import logging
from collections.abc import Callable

from ..api import Api, ApiError
from ..records import Object

_log = logging.getLogger(__name__)

_CALM_S = 0.1
"""How long a change that nobody waits for is held back: most often a better one follows."""
_BACK_OFF_S = (0.05, 1.0)


class Publisher:
    """The status of one pod.

    Parameters
    ----------
    api : Api
        With the node's identity.
    path : str
        The pod.
    uid : str
        A pod of the same name but another uid is not written to.
    compute : callable
        Returns the status as it is now.
    """

    def __init__(self, api: Api, path: str, uid: str, compute: Callable[[], Object]) -> None:
        self._api = api
        self._path = f"{path}/status"
        self._uid = uid
        self._compute = compute
        self._sent: Object | None = None
        self._pinned: collections.deque[Object] = collections.deque()
        self._wanted = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._gone = False

    def mark(self, *, soon: bool) -> None:
        """Note that the status may have changed; `soon` where somebody waits for it."""
        if self._gone:
            return
        if soon:
            self._stop_timer()
            self._wanted.set()
        elif self._timer is None and not self._wanted.is_set():
            self._timer = asyncio.get_running_loop().call_later(_CALM_S, self._ripe)
        if self._task is None:
            self._task = asyncio.create_task(self._send_all(), name=f"status of {self._path}")

    def pin(self) -> None:
        """Take the status as it is now, to be written even where it changes before that."""
        self._pinned.append(self._compute())
        self.mark(soon=True)

    def _ripe(self) -> None:
        self._timer = None
        self._wanted.set()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def close(self, *, last: bool) -> None:
        """Stop; with `last`, write the status as it is now first."""
        self._stop_timer()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if last:
            await self._send()
        self._gone = True

    async def _send_all(self) -> None:
        while not self._gone:
            await self._wanted.wait()
            self._wanted.clear()
            await self._send()

    async def _send(self) -> None:
        """Write what was pinned and then the status as it is now."""
        while self._pinned and not self._gone:
            await self._write(self._first_pinned)
            self._pinned.popleft()
        await self._write(self._compute)

    def _first_pinned(self) -> Object:
        return self._pinned[0]

    async def _write(self, compute: Callable[[], Object]) -> None:
        """Write a status until the API server has taken it."""
        pause_s = _BACK_OFF_S[0]
        while not self._gone:
            status = compute()
            if status == self._sent:
                return
            body = {"metadata": {"uid": self._uid}, "status": status}
            try:
                await self._api.patch(self._path, body)
                self._sent = status
                return
            except ApiError as error:
                if error.status in (404, 409):
                    self._gone = True
                    return
                _log.warning("status of %s: %s", self._path, error)
                if 400 <= error.status < 500 and error.status != 429:
                    self._sent = status
                    return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _BACK_OFF_S[1])
