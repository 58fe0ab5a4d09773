"""Work that goes on in the background of a service and ends with it; how often a loop may turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """The background tasks of one service."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin some work on the running loop."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancel what is still under way and wait for its end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Pace:
    """Lets a loop turn a number of times at once, and so many times a second in the long run.

    Every turn lets whatever else is ready run first, so that a loop that wakes itself does not stop its process.
    (source: what `pkg/kubelet/util/queue/work_queue.go` and client-go's rate limiters are for)

    Parameters
    ----------
    burst : int
        Turns that need not wait, where there was none for long.
    rate_per_s : float
        Turns a second in the long run.
    """

    def __init__(self, burst: int, rate_per_s: float) -> None:
        self._burst = burst
        self._rate_per_s = rate_per_s
        self._left = float(burst)
        self._counted_s = time.monotonic()

    async def turn(self) -> bool:
        """Return when the loop may turn once more; the answer is whether it was held back."""
        self._refill()
        held_back = self._left < 1
        await asyncio.sleep((1 - self._left) / self._rate_per_s if held_back else 0)
        self._refill()
        self._left -= 1
        return held_back

    def _refill(self) -> None:
        now_s = time.monotonic()
        self._left = min(self._burst, self._left + (now_s - self._counted_s) * self._rate_per_s)
        self._counted_s = now_s
