"""The stand-in of the Java leak where there is no Java: a program that holds itself to a heap as a JVM would.

The contract is in ../README.md. `JAVA_TOOL_OPTIONS` is read as a JVM reads it, as far as the course uses it.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

CHUNK_BYTES = 1024 * 1024
PERCENTAGES = {"Max": 25.0, "Min": 50.0}
"""Of the limit: `-XX:MaxRAMPercentage` and `-XX:MinRAMPercentage` by default."""
USUAL_HEAP_BYTES = 96 * (1 << 20) * 13 // 10
"""The least heap of a JVM, but in a memory of which the second percentage is less: there that decides."""
HEAP_GRAIN_BYTES = 2 << 20
"""The JVM rounds the heap up to a multiple of it."""
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
CGROUP = Path("/sys/fs/cgroup")
COUNTERS = (
    ("memory.current", "memory.max", "inactive_file"),
    ("memory/memory.usage_in_bytes", "memory/memory.limit_in_bytes", "total_inactive_file"),
)


class SettingError(Exception):
    """A variable whose value makes no sense."""


def number(name: str, default: float, least: float, most: float) -> float:
    """Read a number from the environment."""
    text = os.environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise SettingError(f"{name}={text} : il faut un nombre entre {least:g} et {most:g}")
    return value


def heap_max_bytes(limit_bytes: int, options: str) -> int:
    """Return the heap that a JVM would have: the last `-Xmx`, else a share of the limit (or of the machine)."""
    if written := re.findall(r"-(?:Xmx|XX:MaxHeapSize=)(\d+)([kmgtKMGT]?)(?!\S)", options):
        number, unit = written[-1]
        size = int(number) * UNITS[unit.lower()]
    else:
        found = re.findall(r"-XX:(M(?:ax|in))RAMPercentage=([\d.]+)(?!\S)", options)
        shares = {**PERCENTAGES, **{name: float(share) for name, share in found}}
        ram_bytes = limit_bytes or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        small = ram_bytes * shares["Min"] / 100
        usual = max(ram_bytes * shares["Max"] / 100, USUAL_HEAP_BYTES)
        size = int(small if small < USUAL_HEAP_BYTES else usual)
    return -(-size // HEAP_GRAIN_BYTES) * HEAP_GRAIN_BYTES


def field(path: Path, name: str) -> int:
    """Return the number that follows a name in a file of lines."""
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line[len(name) :].split()[0])
    return 0


def cgroup_counter(limit_bytes: int) -> tuple[Path, str] | None:
    """Return where the kernel counts this container's memory, and what of it the kernel can drop at once.

    None where the cgroup seen here is not ours; see ContainerMemory.java.
    """
    for used, limit, dropped in COUNTERS:
        try:
            found = limit_bytes and int((CGROUP / limit).read_text()) == limit_bytes
            if found and (CGROUP / used).exists():
                return CGROUP / used, dropped
        except (OSError, ValueError):
            pass
    return None


def memory_bytes(counter: tuple[Path, str] | None) -> int:
    """Return what the container uses, or what this process does where there is no counter."""
    if counter is None:
        status = Path("/proc/self/status")
        return 1024 * (field(status, "RssAnon:") + field(status, "RssShmem:"))
    used, dropped = counter
    return int(used.read_text()) - field(used.with_name("memory.stat"), dropped)


def main() -> int:
    """Leak until the heap is full (status 1) or somebody kills us."""
    try:
        rate = number("LEAK_MB_PER_S", 10, 0.1, 1000)
        most_mb = number("MAX_MB", 0, 0, 1e6)
        log_every_s = number("LOG_EVERY_MS", 100, 10, 60_000) / 1000
        limit_bytes = int(number("MEMORY_LIMIT_BYTES", 0, 0, 1e15))
    except SettingError as error:
        text = f"Lire la configuration : {error}. Corrigez la variable dans le manifeste."
        print(text, file=sys.stderr)
        return 2
    heap_bytes = heap_max_bytes(limit_bytes, os.environ.get("JAVA_TOOL_OPTIONS", ""))
    counter = cgroup_counter(limit_bytes)
    source = "cgroup" if counter else "process"
    held: list[bytearray] = []

    def log(level: str, event: str, **details) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        line = {"time": stamp, "level": level, "event": event, **details, "held_mb": len(held)}
        line |= {"heap_used_bytes": len(held) * CHUNK_BYTES, "heap_max_bytes": heap_bytes}
        line |= {"memory_bytes": memory_bytes(counter), "memory_source": source, "stand_in": True}
        os.write(1, json.dumps(line).encode() + b"\n")

    log("info", "starting", leak_mb_per_s=rate)
    began_s = logged_s = time.monotonic()
    while True:
        full = 0 < most_mb <= len(held)
        if not full:
            if (len(held) + 1) * CHUNK_BYTES > heap_bytes:
                log("error", "out of memory")
                print(
                    "java.lang.OutOfMemoryError: Java heap space (doublure Python)", file=sys.stderr
                )
                return 1
            held.append(bytearray(b"\1") * CHUNK_BYTES)
        if time.monotonic() - logged_s >= log_every_s:
            logged_s = time.monotonic()
            log("info", "full" if full else "leaking")
        due_s = 0.05 if full else began_s + len(held) / rate - time.monotonic()
        time.sleep(max(0.0, due_s))


if __name__ == "__main__":
    sys.exit(main())
