"""How busy the machine's processors are: what begins beside others waits until some of them is idle."""

from __future__ import annotations

import math
import time
from typing import Any

import psutil

IDLE_SHARE = 0.15
"""Something more begins where at least this share of the processors was idle lately."""
_MEMORY_S = 3.0
"""How long a look counts for more than a third of the average."""


class Processors:
    """How much of the processors is idle: an average that forgets in some seconds."""

    def __init__(self) -> None:
        self.idle_share = 1.0
        self._began = self._last = psutil.cpu_times()
        self._last_s = time.monotonic()

    def look(self) -> None:
        """Take what has passed since the last look into account."""
        now, now_s = psutil.cpu_times(), time.monotonic()
        weight = 1 - math.exp(-(now_s - self._last_s) / _MEMORY_S)
        self.idle_share += weight * (_idle_share(self._last, now) - self.idle_share)
        self._last, self._last_s = now, now_s

    @property
    def busy_percent(self) -> float:
        """Of the time since the beginning."""
        return 100 * (1 - _idle_share(self._began, self._last))


def _idle_share(before: Any, after: Any) -> float:
    passed = {name: getattr(after, name) - getattr(before, name) for name in ("idle", "iowait")}
    total = sum(after) - sum(before)
    return sum(passed.values()) / total if total > 0 else 0.0


class Turnstile:
    """Lets one thing after the other begin, each while some processor is idle.

    Parameters
    ----------
    settle_s : float
        How long after one the next one waits: until then that has not begun to use the processors.
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._last_s = -math.inf
        self._processors = Processors()

    def lets_in(self) -> bool:
        """Return whether something may begin now; if so, it is counted as begun."""
        self._processors.look()
        now_s = time.monotonic()
        if now_s - self._last_s < self._settle_s or self._processors.idle_share < IDLE_SHARE:
            return False
        self._last_s = now_s
        return True
