"""What clocks tell of the machine: that it was suspended, that somebody set its time. Pure but for `now`."""

from __future__ import annotations

import time
from dataclasses import dataclass

SUSPENDED_S = 5.0
"""A thread that wakes several times a second and is that late has not run meanwhile: no busy machine does that."""

JUMP_S = 1.5
"""Who sets a wall clock sets it by more; one that is only corrected drifts by 0.5 ms a second (`man 2 adjtimex`)."""

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps: CLOCK_BOOTTIME on Linux, CLOCK_MONOTONIC on macOS (`man clock_gettime`)."""


@dataclass(frozen=True)
class Instant:
    """One instant, on two clocks."""

    boot_s: float
    """Goes on evenly, whether the machine sleeps or not."""
    wall_s: float
    """What people and the cluster call the time."""


def now() -> Instant:
    """Return this instant."""
    return Instant(time.clock_gettime(_SINCE_BOOT), time.time())


def suspended_s(before: Instant, after: Instant, planned_s: float) -> float:
    """Return for how long a thread did not run that wanted to sleep for `planned_s`; 0 where it only was a bit late."""
    late_s = after.boot_s - before.boot_s - planned_s
    return late_s if late_s > SUSPENDED_S else 0.0


def jump_s(before: Instant, after: Instant) -> float:
    """Return by how much the wall clock was set between two instants, in seconds; 0 where it was not."""
    shift_s = (after.wall_s - before.wall_s) - (after.boot_s - before.boot_s)
    return shift_s if abs(shift_s) > JUMP_S else 0.0
