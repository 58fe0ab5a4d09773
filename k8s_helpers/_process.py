"""Who a process is, so that what it left behind is known as nobody's once it has ended."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_PROC = Path("/proc")
_START_FIELD = 19
"""Of /proc/PID/stat, counted after the name in parentheses: field 22, `starttime` (`man 5 proc_pid_stat`)."""


def identity() -> str:
    """Return what tells this process from all others, of other machines and other times too."""
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_start(pid) or ''}"


def has_ended(other: str) -> bool:
    """Return whether the process of that identity has certainly ended; never true of another machine's."""
    machine, _, rest = other.rpartition("/")
    machine, _, pid = machine.rpartition("/")
    if machine != _machine() or not pid.isdecimal():
        return False
    if not _exists(int(pid)):
        return True
    return bool(rest) and _start(int(pid)) not in (None, rest)


def _machine() -> str:
    """Return what two processes share when they can tell of each other: the boot, and the table of processes."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _start(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; None where that cannot be read."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[_START_FIELD]
    except (OSError, IndexError):
        return None
