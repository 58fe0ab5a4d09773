"""How a Java program that leaks dies in a container with a memory limit, and after how long. Pure.

Sources: `Arguments::set_heap_size` in hotspot/share/runtime/arguments.cpp (JDK 17 and later);
https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-limits-are-run
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from ...forecasts import restarts as back_off
from ...forecasts.span import Span

MIB = 1 << 20

RAM_PERCENTAGE = 25.0
"""`-XX:MaxRAMPercentage` by default."""
SMALL_RAM_PERCENTAGE = 50.0
"""`-XX:MinRAMPercentage` by default: of a memory so small that this is below `_USUAL_HEAP_BYTES`."""
_USUAL_HEAP_BYTES = 96 * MIB * 13 // 10
"""`MaxHeapSize` before the JVM looks at the memory, on 64 bits."""
_HEAP_GRAIN_BYTES = 2 * MIB
"""The JVM rounds the heap up to its alignment."""

USABLE_SHARE = (0.8, 1.0)
"""Of the heap: one survivor space stays empty, and the last array may not fit in what is left of each generation."""
OUTSIDE_HEAP_BYTES = (10 * MIB, 110 * MIB)
"""What a small JVM uses besides what the program holds: code, classes, stacks, room for the collector."""
JVM_START = Span(0.0, 3.0)

_UNITS = {"": 1, "k": 1 << 10, "m": MIB, "g": 1 << 30, "t": 1 << 40}
_HEAP = re.compile(r"-(?:Xmx|XX:MaxHeapSize=)(\d+)([kmgtKMGT]?)(?!\S)")
_PERCENTAGE = re.compile(r"-XX:(M(?:ax|in))RAMPercentage=([\d.]+)(?!\S)")

Reason = Literal["Error", "OOMKilled"]


@dataclass(frozen=True, slots=True)
class Death:
    """How and when a leaking program dies.

    Attributes
    ----------
    reason : Reason or None
        As the container's status will say; None where both may come first.
    exit_code : int or None
        1: the JVM's own end; 137: SIGKILL (128 + 9).
    after : Span
        From the container's start.
    """

    reason: Reason | None
    exit_code: int | None
    after: Span


def heap_bytes(limit_bytes: int, options: str = "") -> int:
    """Return the largest heap of a JVM in a container with a memory limit.

    Parameters
    ----------
    limit_bytes : int
        The container's limit: a JVM takes it for the machine's memory.
    options : str
        Its options (`JAVA_TOOL_OPTIONS`): the last `-Xmx` decides, else the last of each `-XX:…RAMPercentage`. In a
        memory whose `MinRAMPercentage` is less than the usual heap (below 250 MiB), `MaxRAMPercentage` has no effect.
    """
    if written := _HEAP.findall(options):
        number, unit = written[-1]
        return _aligned(int(number) * _UNITS[unit.lower()])
    shares = {"Max": RAM_PERCENTAGE, "Min": SMALL_RAM_PERCENTAGE}
    shares |= {name: float(share) for name, share in _PERCENTAGE.findall(options)}
    small = limit_bytes * shares["Min"] / 100
    usual = max(limit_bytes * shares["Max"] / 100, _USUAL_HEAP_BYTES)
    return _aligned(int(small if small < _USUAL_HEAP_BYTES else usual))


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // _HEAP_GRAIN_BYTES) * _HEAP_GRAIN_BYTES


def death(limit_bytes: int, heap_max_bytes: int, leak_bytes_per_s: float) -> Death:
    """Predict the end of a program that keeps all it asks for.

    The JVM gives up when the heap is full; the kernel kills when heap and all the rest reach the limit. The first one
    to come decides.

    Parameters
    ----------
    limit_bytes, heap_max_bytes : int
        Of the container and of the JVM.
    leak_bytes_per_s : float
        What the program keeps each second.
    """
    least, most = OUTSIDE_HEAP_BYTES
    if heap_max_bytes + most < limit_bytes:
        held = [share * heap_max_bytes for share in USABLE_SHARE]
        return Death("Error", 1, _after(held, leak_bytes_per_s))
    if USABLE_SHARE[0] * heap_max_bytes + least > limit_bytes:
        held = [limit_bytes - most, limit_bytes - least]
        return Death("OOMKilled", 137, _after(held, leak_bytes_per_s))
    held = [min(USABLE_SHARE[0] * heap_max_bytes, limit_bytes - most), limit_bytes - least]
    return Death(None, None, _after(held, leak_bytes_per_s))


def _after(held_bytes: Sequence[float], leak_bytes_per_s: float) -> Span:
    least, most = (max(0.0, held) / leak_bytes_per_s for held in held_bytes)
    return Span(least, most).then(JVM_START)


@dataclass(frozen=True, slots=True)
class Leak:
    """What a run of the leak is made with, and what that makes expect.

    Attributes
    ----------
    limit_bytes : int
        The container's.
    leak_bytes_per_s : float
        What the program keeps.
    java_options : str
        Of the JVM.
    stand_in : bool
        A Python program stands in for the Java one.
    """

    limit_bytes: int
    leak_bytes_per_s: float
    java_options: str
    stand_in: bool

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Read a run's parameters."""
        return cls(
            int(parameters["limit_bytes"]),
            float(parameters["leak_bytes_per_s"]),
            parameters["java_options"],
            bool(parameters.get("stand_in")),
        )

    @property
    def heap_bytes(self) -> int:
        """The heap that options and limit make expect."""
        return heap_bytes(self.limit_bytes, self.java_options)

    @property
    def death(self) -> Death:
        """How and when it dies."""
        return death(self.limit_bytes, self.heap_bytes, self.leak_bytes_per_s)

    def last_death(self, restarts: int) -> Span:
        """Return when it dies after so many restarts, from its creation on."""
        life = self.death.after
        return back_off.starts(back_off.wait(0.0), life, restarts)[-1].then(life)
