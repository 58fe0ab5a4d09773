"""Trees of processes as `/proc` shows them: who belongs to a container, what it uses.

Imported by the spawner too, so nothing heavy here.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH115, PTH208

from __future__ import annotations

import math
import os
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "EMBEDDED_KUBERNETES_CONTAINER"
"""Environment variable that says which container a process is of, where no namespace does."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2


def children(pid: int) -> list[int]:
    """Return the children of a process (`CONFIG_PROC_CHILDREN`: every distribution's kernel has it)."""
    pids: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            pids += map(int, read(f"/proc/{pid}/task/{thread}/children").split())
    except OSError:
        pass
    return pids


def machine_number(pid: int) -> int:
    """Return the number by which the machine's `/proc` knows a process, where a PID namespace gives it another."""
    descriptor = os.pidfd_open(pid)
    try:
        lines = read(f"/proc/self/fdinfo/{descriptor}").splitlines()
    finally:
        os.close(descriptor)
    return next(int(line[4:]) for line in lines if line.startswith(b"Pid:"))


def tree(roots: list[int]) -> list[int]:
    """Return `roots` and all their descendants."""
    members = list(roots)
    for pid in members:  # grows while it is read
        members += children(pid)
    return members


def descent(pid: int) -> tuple[int, int] | None:
    """Return a process's parent and the moment of its own start (clock ticks since boot); None once it is gone."""
    try:
        fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[1]), int(fields[19])


def belongs(pid: int, roots: dict[int, int]) -> bool:
    """Return whether a process is one of `roots` (number → moment of start) or descends from one.

    The number of a process that ended may be another's at once, but no parent is younger than its child.
    """
    youngest: float = math.inf
    while (known := descent(pid)) is not None and known[1] <= youngest:
        parent, youngest = known
        if roots.get(pid) == youngest:
            return True
        pid = parent
    return False


def signal_where(pid: int, number: int, ours: Callable[[int], bool]) -> None:
    """Signal a process that `ours` accepts, and never another that gets its number meanwhile."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if ours(pid):
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def cpu_clock_s(pid: int) -> float | None:
    """Return the processor time of all threads of a process, in seconds; None once it ended.

    The clock of a process (`man 3 clock_getcpuclockid`): exact, and one system call.
    """
    try:
        return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
    except OSError:
        return None


def ended_children_cpu_s(pid: int) -> float:
    """Return the processor time of the children that a process waited for, in seconds."""
    try:
        fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[13]) + int(fields[14])) / _TICKS_PER_S


def memory_bytes(pid: int) -> int:
    """Return the resident anonymous and shared memory of a process; pages shared after a fork count in each."""
    return _kilobytes(f"/proc/{pid}/status", (b"RssAnon:", b"RssShmem:"))


def shared_out_memory_bytes(pid: int) -> int:
    """Return the same with each page divided among those that share it: slower, right for a tree."""
    return _kilobytes(f"/proc/{pid}/smaps_rollup", (b"Pss_Anon:", b"Pss_Shmem:"))


def marked(mark: str) -> list[int]:
    """Return the processes whose environment carries `MARK` with a value that begins with `mark`."""
    own = os.getpid()
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in pids if pid != own and is_marked(pid, mark)]


def is_marked(pid: int, mark: str) -> bool:
    """Return whether the environment of a process carries `MARK` with a value that begins with `mark`."""
    try:
        return f"\0{MARK}={mark}".encode() in b"\0" + read(f"/proc/{pid}/environ")
    except OSError:
        return False


def kill_marked(mark: str) -> None:
    """Kill all processes that carry a mark, and those that they start meanwhile."""
    for _ in range(20):
        pids = marked(mark)
        if not pids:
            return
        for pid in pids:
            signal_where(pid, signal.SIGKILL, lambda candidate: is_marked(candidate, mark))
        time.sleep(0.005)


def mount_namespace(pid: int) -> str:
    """Return what names the mount namespace of a process; "" once it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return ""


def seeing(namespace: str, root: int) -> list[int]:
    """Return the descendants of a process that are in a mount namespace."""
    return [pid for pid in tree([root])[1:] if mount_namespace(pid) == namespace]


def kill_seeing(namespace: str, root: int) -> None:
    """Kill the descendants of a process that are in a mount namespace, and those that they start meanwhile."""
    for _ in range(20):
        pids = seeing(namespace, root)
        if not pids:
            return
        for pid in pids:
            signal_where(pid, signal.SIGKILL, lambda other: mount_namespace(other) == namespace)
        time.sleep(0.005)


def read(path: str) -> bytes:
    """Return the whole content of a file of `/proc`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = os.read(descriptor, 1 << 16)
        while len(data) % (1 << 12) == 0 and data:
            more = os.read(descriptor, 1 << 16)
            if not more:
                break
            data += more
        return data
    finally:
        os.close(descriptor)


def _kilobytes(path: str, wanted: tuple[bytes, ...]) -> int:
    total = 0
    try:
        for line in read(path).splitlines():
            if line.startswith(wanted):
                total += int(line.split()[1])
    except OSError:
        return 0
    return total * 1024
