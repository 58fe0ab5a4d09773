"""Runs checks of exercises several at a time: most of a check is waiting, the next begins while a processor is idle.

Checks that share something of the cluster (a namespace, the door of the Ingress) follow one another, in their order.
One that measures has the cluster to itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

_LOOK_S = 0.5
"""How often it is asked whether there is room by now."""


@dataclass(frozen=True)
class Check:
    """One check that is to be done.

    Attributes
    ----------
    key : hashable
        By which its result is asked for.
    shares : str
        What it shares with others: of all checks that name the same, one runs at a time.
    alone : bool
        Nothing else runs meanwhile.
    run : callable
        Does it and returns its result.
    """

    key: Hashable
    shares: str
    alone: bool
    run: Callable[[], Any]
    result: Future[Any] = field(default_factory=Future, compare=False)


class ConcurrentChecks:
    """Does checks in their order, several at a time, from its making until `close`.

    Parameters
    ----------
    checks : sequence of Check
        All of them.
    at_once : int
        How many run at the same time, at most.
    has_room : callable
        Whether the machine has room for one more beside those that run; asked before each.
    """

    def __init__(
        self, checks: Sequence[Check], at_once: int, has_room: Callable[[], bool] = lambda: True
    ) -> None:
        self._results = {check.key: check.result for check in checks}
        self._waiting = list(checks)
        self._running: list[Check] = []
        self._changed = threading.Condition()
        self._has_room = has_room
        self._threads = [
            threading.Thread(target=self._work, name=f"check-{number}", daemon=True)
            for number in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    def result(self, key: Hashable) -> Any:
        """Wait for the check of that key, and return its result or raise its error."""
        return self._results[key].result()

    def close(self) -> None:
        """Begin nothing more, and wait for what runs."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (check := self._take()) is not None:
            try:
                check.result.set_result(check.run())
            except BaseException as error:  # whoever asks for the result gets it
                check.result.set_exception(error)
            with self._changed:
                self._running.remove(check)
                self._changed.notify_all()

    def _take(self) -> Check | None:
        """Wait for a check that may begin, and return it; None once there is none left."""
        with self._changed:
            while self._waiting:
                if (check := self._next()) is not None:
                    self._waiting.remove(check)
                    self._running.append(check)
                    return check
                self._changed.wait(_LOOK_S)
        return None

    def _next(self) -> Check | None:
        """Return the first check that may begin now; none overtakes one that must be alone."""
        if any(check.alone for check in self._running):
            return None
        busy = {check.shares for check in self._running}
        for check in self._waiting:
            if check.alone:
                return None if self._running else check
            if check.shares not in busy:
                return check if not self._running or self._has_room() else None
        return None
