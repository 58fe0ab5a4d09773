"""Limits without cgroups: a memory limit kills, a processor limit pauses.

Ordinary users have no cgroups of their own on most machines, so the node watches, and only those containers that
have a limit. A tree whose processor clock stands still cannot have grown: looking at it costs two system
calls. A tree that works is sampled as often as it could reach its limit.

The processor limit is that of the kernel's CFS bandwidth control (`Documentation/scheduler/sched-bwc.rst`): in each
100 ms the tree may run for 100 ms × limit, then it is stopped until it has earned time again.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from . import proctree

PERIOD_S = 0.1
"""CFS bandwidth period, kubelet's `cpuCFSQuotaPeriod`."""

_TICK_S = 0.025
_IDLE_TICK_S = 0.05
_SHORTEST_TICK_S = 0.002
_LONG_LOOK_S = 0.005
_REST = 4
"""A look that took longer than that (trees of thousands of processes) is followed by a rest so many times as long."""
_LONGEST_PAUSE_S = 1.0
_FASTEST_GROWTH_BYTES_PER_S = 2e9
_MEMORY_INTERVAL_S = (0.02, 0.2)
_MEMBERS_AGE_S = 0.05
_CORES = os.cpu_count() or 1
_SERVER_MEMORY_BYTES = 1792 * 1024 * 1024
"""With less memory or one processor a JVM takes its serial collector."""
_COLLECTOR = re.compile(r"-XX:[+-]Use(Serial|Parallel|G1|Z|Shenandoah|Epsilon)GC\b")


@dataclass
class LimitWatch:
    """One container's limits and what is known of its tree.

    Parameters
    ----------
    members : callable
        Returns the process numbers of the tree now.
    owns : callable
        Says whether a process is of the tree, when a signal is about to be sent to it.
    on_oom : callable
        Called when the tree is over its memory limit, again for as long as it is.
    """

    members: Callable[[], list[int]]
    owns: Callable[[int], bool]
    on_oom: Callable[[], None]
    memory_limit_bytes: int | None
    cpu_limit_cores: float | None
    due: float = -math.inf
    """When to look next (monotonic seconds, as all times here)."""
    pids: list[int] = field(default_factory=list)
    pids_at: float = -math.inf
    clocks: list[float | None] = field(default_factory=list)
    used_s: float = 0.0
    earned_s: float = 0.0
    """Processor time that the tree may still use; negative where it ran too long."""
    earned_at: float = 0.0
    resume_at: float | None = None
    memory_due: float = -math.inf
    members_stale: bool = True
    """The tree has worked, perhaps forked, since its members were last listed."""
    memory_stale: bool = True
    """The tree has worked since its memory was last looked at."""
    files_bytes: Callable[[], int] = lambda: 0
    """Returns the memory that is taken by files."""
    pauses: dict[int, set[int]] = field(default_factory=dict)
    """Process → the watches that have stopped it: those of one pod share this, and the last one lets it go on."""


class Limiter:
    """Watches limited containers from the event loop; sleeps where there are none."""

    def __init__(self) -> None:
        self._watches: dict[str, LimitWatch] = {}
        self._pauses: dict[str, dict[int, set[int]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, key: str, watch: LimitWatch, group: str = "") -> None:
        """Begin to hold a container to its limits, or to new ones.

        Parameters
        ----------
        key : str
            What is watched.
        watch : Watch
            Its limits; nothing is watched where it has none.
        group : str
            What watches of the same processes have in common: none lets go on what another has stopped.
        """
        self.forget(key)
        if group:
            watch.pauses = self._pauses.setdefault(group, watch.pauses)
        if watch.memory_limit_bytes is None and watch.cpu_limit_cores is None:
            return
        watch.earned_s = (watch.cpu_limit_cores or 0.0) * PERIOD_S
        watch.earned_at = time.monotonic()
        # What it uses before the first look counts too: a look that comes late would give it away.
        _look(watch, watch.earned_at)
        watch.used_s = _used_s(watch)
        self._watches[key] = watch
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SHORTEST_TICK_S, self._tick)

    def touch(self, key: str) -> None:
        """Look at a container's tree anew: something has joined it from outside."""
        watch = self._watches.get(key)
        if watch is not None:
            watch.clocks, watch.pids_at, watch.due = [], -math.inf, -math.inf

    def forget(self, key: str) -> None:
        """Let a container go; it runs on where it was paused."""
        watch = self._watches.pop(key, None)
        if watch is not None and watch.resume_at is not None:
            _resume(watch)

    def forget_group(self, group: str) -> None:
        """Drop what is known of a group that is gone."""
        self._pauses.pop(group, None)

    def close(self) -> None:
        """Let all go."""
        for key in list(self._watches):
            self.forget(key)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        now = time.monotonic()
        for watch in list(self._watches.values()):
            # Those that are nearly due come along: fewer wake-ups.
            if watch.due < now + _TICK_S / 2:
                watch.due = check(watch, now)
        if self._watches:
            due = min(watch.due for watch in self._watches.values())
            spent_s = time.monotonic() - now
            rest_s = _REST * spent_s if spent_s > _LONG_LOOK_S else _SHORTEST_TICK_S
            delay = max(due - time.monotonic(), rest_s)
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)


def check(watch: LimitWatch, now: float) -> float:
    """Hold one tree to its limits; return when to look again (monotonic seconds)."""
    if watch.resume_at is not None:
        if now < watch.resume_at:
            return watch.resume_at
        _resume(watch)
        watch.resume_at = None
    clocks = [proctree.cpu_clock_s(pid) for pid in watch.pids]
    moved = not clocks or clocks != watch.clocks
    if not (moved or watch.memory_stale or watch.members_stale):
        _earn(watch, now, 0.0)
        return now + _IDLE_TICK_S
    if now - watch.pids_at >= _MEMBERS_AGE_S or None in clocks:
        _look(watch, now)
        watch.members_stale = moved
    else:
        watch.clocks = clocks
        watch.members_stale |= moved
    watch.memory_stale = watch.memory_limit_bytes is not None
    if watch.memory_limit_bytes is not None and now >= watch.memory_due:
        _check_memory(watch, watch.memory_limit_bytes, now)
    if watch.cpu_limit_cores is None:
        return now + _TICK_S
    return _check_cpu(watch, watch.cpu_limit_cores, now)


def _check_memory(watch: LimitWatch, limit_bytes: int, now: float) -> None:
    watch.memory_stale = False
    files = watch.files_bytes()
    used = files + sum(map(proctree.memory_bytes, watch.pids))
    if used > limit_bytes and len(watch.pids) > 1:
        used = files + sum(map(proctree.shared_out_memory_bytes, watch.pids))
    shortest, longest = _MEMORY_INTERVAL_S
    if used > limit_bytes:
        watch.memory_due = now + longest
        watch.memory_stale = True  # until what is to end has ended
        watch.on_oom()
        return
    until_full_s = (limit_bytes - used) / _FASTEST_GROWTH_BYTES_PER_S
    watch.memory_due = now + min(max(until_full_s, shortest), longest)


def _check_cpu(watch: LimitWatch, limit_cores: float, now: float) -> float:
    used = _used_s(watch)
    spent = max(0.0, used - watch.used_s)
    watch.used_s = used
    _earn(watch, now, spent)
    if watch.earned_s > 0:
        return now + min(max(watch.earned_s / _CORES, _SHORTEST_TICK_S), _TICK_S)
    pause_s = (limit_cores * PERIOD_S - watch.earned_s) / limit_cores
    watch.resume_at = now + min(pause_s, _LONGEST_PAUSE_S)
    _pause(watch)
    return watch.resume_at


def _look(watch: LimitWatch, now: float) -> None:
    watch.pids, watch.pids_at = watch.members(), now
    watch.clocks = [proctree.cpu_clock_s(pid) for pid in watch.pids]


def _used_s(watch: LimitWatch) -> float:
    """Return the processor time of the tree as it was last looked at (seconds)."""
    running = sum(clock for clock in watch.clocks if clock is not None)
    return running + sum(map(proctree.ended_children_cpu_s, watch.pids))


def _earn(watch: LimitWatch, now: float, spent_s: float) -> None:
    """Credit the time since last time, at most one period's worth in store."""
    if watch.cpu_limit_cores is not None:
        earned = watch.earned_s + (now - watch.earned_at) * watch.cpu_limit_cores - spent_s
        watch.earned_s = min(earned, watch.cpu_limit_cores * PERIOD_S)
        watch.earned_at = now


def _pause(watch: LimitWatch) -> None:
    """Stop the tree, and what it forked while it was being stopped."""
    stopped: set[int] = set()
    for _ in range(5):
        fresh = [pid for pid in watch.members() if pid not in stopped]
        if not fresh:
            return
        for pid in fresh:
            watch.pauses.setdefault(pid, set()).add(id(watch))
        _signal_all(watch, fresh, signal.SIGSTOP)
        stopped.update(fresh)


def _resume(watch: LimitWatch) -> None:
    """Let the tree go on, but for what another watch has stopped."""
    for holders in watch.pauses.values():
        holders.discard(id(watch))
    free = [pid for pid in watch.members() if not watch.pauses.get(pid)]
    for pid in [pid for pid, holders in watch.pauses.items() if not holders]:
        del watch.pauses[pid]
    _signal_all(watch, free, signal.SIGCONT)


def _signal_all(watch: LimitWatch, pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        proctree.signal_where(pid, number, watch.owns)


def java_options(
    env: Mapping[str, str],
    memory_limit_bytes: int | None,
    cpu_limit_cores: float | None,
    argv: Sequence[str] = (),
) -> str | None:
    """Return the `JAVA_TOOL_OPTIONS` that tell a JVM its limits, which it cannot read from cgroups here.

    The user's own options come last, so they win. None where there is nothing to tell.

    Which collector it takes by itself depends on the limits too, and in a way that shows: G1 spoils half of the heap
    with arrays of a mebibyte. A JVM that is given two collectors refuses to start, so `argv` is looked at as well.
    (source: `os::is_server_class_machine` in hotspot/share/runtime/os.cpp)
    """
    options = []
    if memory_limit_bytes is not None:
        options.append(f"-XX:MaxRAM={memory_limit_bytes}")
    if cpu_limit_cores is not None:
        options.append(f"-XX:ActiveProcessorCount={max(1, math.ceil(cpu_limit_cores))}")
    small = (memory_limit_bytes is not None and memory_limit_bytes < _SERVER_MEMORY_BYTES) or (
        cpu_limit_cores is not None and cpu_limit_cores <= 1
    )
    chosen = [env.get("JAVA_TOOL_OPTIONS", ""), env.get("JDK_JAVA_OPTIONS", ""), *argv]
    if small and not _COLLECTOR.search(" ".join(chosen)):
        options.append("-XX:+UseSerialGC")
    if not options:
        return None
    return " ".join([*options, *env.get("JAVA_TOOL_OPTIONS", "").split()])
