"""The node's heartbeat (see `heartbeat`), and the node's own eye on its spawner."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ..control.heartbeat import BEAT_S, beat

if TYPE_CHECKING:
    from .runtime.runtime import ProcessRuntime


class Heart:
    """Beats as long as the event loop turns.

    Parameters
    ----------
    descriptor : int or None
        The pipe to the supervisor; without it nothing is to be done.

    Attributes
    ----------
    runtime : ProcessRuntime or None
        Whose spawner is looked at, once it has been started.
    """

    def __init__(self, descriptor: int | None) -> None:
        self.runtime: ProcessRuntime | None = None
        self._descriptor = descriptor

    async def beat(self) -> None:
        """Beat until cancelled: how many tasks there are, by how much the loop was late, what became of the spawner."""
        before_s, late_s = time.monotonic(), 0.0
        while self._descriptor is not None:
            facts: dict[str, Any] = {"tasks": len(asyncio.all_tasks()), "late_s": round(late_s, 3)}
            if self.runtime is not None:
                incident = self.runtime.check_spawner(BEAT_S + late_s)
                if incident:
                    facts["incident"] = incident
            beat(self._descriptor, facts)
            await asyncio.sleep(BEAT_S)
            late_s, before_s = time.monotonic() - before_s - BEAT_S, time.monotonic()
