"""The end of running containers: preStop hook, the turn among sidecars, SIGTERM, SIGKILL after the grace period.

(source: `killContainer` of `kuberuntime_container.go`, `kuberuntime_termination_order.go`)
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

from ..records import Object, Record
from . import hooks
from .context import PodContext

SHORTEST_GRACE_S = 2.0
"""What every container gets at least, whatever was asked for."""
_CUT_S = 1.0
"""How long a hook may take to end once its container has."""
_HOOKS: set[asyncio.Task[None]] = set()
"""Hooks under way."""


def grace_s(context: PodContext, record: Record, probe: str | None = None) -> float:
    """Return how long a container has to end: the deletion's grace, the failed probe's own, or the pod's."""
    meta, spec = context.pod["metadata"], context.pod["spec"]
    if meta.get("deletionGracePeriodSeconds") is not None:
        return float(meta["deletionGracePeriodSeconds"])
    if probe is not None:
        own = record.spec[f"{probe}Probe"].get("terminationGracePeriodSeconds")
        if own is not None:
            return float(own)
    return float(spec.get("terminationGracePeriodSeconds", 30))


class Ordering:
    """Whose turn it is: sidecars end after the main containers, the last one first.

    Parameters
    ----------
    records : sequence of Record
        The pod's containers, in the order of the spec.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._ended = {record.name: asyncio.Event() for record in records}
        for record in records:
            if not record.running:
                self._ended[record.name].set()
        mains = [record.name for record in records if record.role == "main"]
        self._after: dict[str, list[str]] = {}
        later: list[str] = []
        for record in reversed(records):
            if record.role == "sidecar":
                self._after[record.name] = [*mains, *later]
                later = [record.name]

    async def turn(self, name: str, longest_s: float) -> None:
        """Return when a container may end, or when the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                for before in self._after.get(name, ()):
                    await self._ended[before].wait()

    def done(self, name: str) -> None:
        """Note that a container has ended."""
        self._ended[name].set()


async def stop(
    context: PodContext,
    record: Record,
    message: str,
    longest_s: float,
    *,
    ordering: Ordering | None = None,
    hook: bool = True,
) -> None:
    """Stop a running container; returns when its processes are gone.

    Parameters
    ----------
    message : str
        Of the event.
    longest_s : float
        The grace period: hook, turn and end together.
    ordering : Ordering, optional
        Where several end together.
    hook : bool
        Whether its preStop hook is still to be run.
    """
    container = record.container
    if container is None or not record.running:
        return
    context.tell(record, "Normal", "Killing", message)
    began_s = time.monotonic()
    if hook and longest_s > 0:
        await _run_pre_stop(context, record, longest_s)
    if ordering is not None:
        await ordering.turn(record.name, longest_s - (time.monotonic() - began_s))
    left_s = longest_s - int(time.monotonic() - began_s)
    await container.stop(max(left_s, SHORTEST_GRACE_S))
    if ordering is not None:
        ordering.done(record.name)


async def _run_pre_stop(context: PodContext, record: Record, longest_s: float) -> None:
    """Wait for a container's preStop hook, if it has one; where the time is over first, it goes on meanwhile."""
    hook = (record.spec.get("lifecycle") or {}).get("preStop")
    if hook is None:
        return
    running = asyncio.create_task(_tell_failure(context, record, hook))
    _HOOKS.add(running)
    running.add_done_callback(_HOOKS.discard)
    await asyncio.wait({running}, timeout=longest_s)


async def _tell_failure(context: PodContext, record: Record, hook: Object) -> None:
    """Run a preStop hook to its end or its container's, and tell where it fails: a command dies with its container."""
    assert record.container is not None
    running = asyncio.create_task(hooks.run(hook, context.target(record), context.node.checks))
    ended = asyncio.create_task(record.container.wait())
    try:
        await asyncio.wait({running, ended}, return_when="FIRST_COMPLETED")
        await asyncio.wait({running}, timeout=_CUT_S)
        if not running.done() and "sleep" in hook:
            return  # nobody is left to sleep for
        if not running.done() or isinstance(running.exception(), hooks.HookError):
            context.tell(record, "Warning", "FailedPreStopHook", "PreStopHook failed")
    finally:
        running.cancel()
        ended.cancel()
        await asyncio.gather(running, ended, return_exceptions=True)
