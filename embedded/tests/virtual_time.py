"""Time that a test makes pass: an event loop whose clock jumps to the next instant that something waits for.

Seconds, minutes or hours of waiting cost nothing, and no busy machine makes them longer: a test may say exactly when
something happens.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable
from typing import Any
from unittest import mock

START_MONOTONIC_S = 1000.0
START_WALL_S = 1_800_000_000.25


class VirtualTime(asyncio.SelectorEventLoop):
    """A loop that does not wait: its clock is what its selector has skipped."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        """Return the virtual instant."""
        return START_MONOTONIC_S + self._jumps.skipped_s


class _Jumps(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what can be read or written now; where nothing can, let the time pass without waiting."""
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.skipped_s += timeout
        return ready


def virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test, a coroutine function, on virtual time: `time.monotonic` and `time.time` follow the loop's."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualTime) as runner:
            loop = runner.get_loop()

            def wall_s() -> float:
                return START_WALL_S + loop.time() - START_MONOTONIC_S

            with mock.patch("time.monotonic", loop.time), mock.patch("time.time", wall_s):
                runner.run(_awaited(test(*args, **kwargs)))

    return run


async def _awaited(test: Awaitable[None]) -> None:
    await test
