"""The first process of a PID namespace that the containers of a pod share: it only waits, and buries the dead.

(source: `build/pause/linux/pause.c` of Kubernetes)

Runs in a process that the spawner has forked: only `os` and system calls.
"""

from __future__ import annotations

import ctypes
import os
import signal
from typing import NoReturn

from . import syscalls as linux

NAMESPACES = linux.CLONE_NEWPID | linux.CLONE_NEWNS

_NAME = b"/pause"
_ARGUMENTS_FIELDS = slice(45, 47)
"""`arg_start` and `arg_end` among the fields of `/proc/PID/stat` after the name (man 5 proc_pid_stat)."""


def become(folder: str) -> NoReturn:
    """Wait until the kernel ends it.

    Parameters
    ----------
    folder : str
        An existing one, on which it mounts the empty root that is all that others can see through it.
    """
    linux.die_with_parent(signal.SIGKILL)
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_RDONLY, "size=4096")
    os.chdir(folder)
    _rename()
    linux.pivot_root_here()
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    while True:
        signal.pause()


def _rename() -> None:
    """Show others the name of what it stands for (`/proc/PID/cmdline`, `ps`)."""
    linux.set_name(_NAME[1:].decode())
    descriptor = os.open("/proc/self/stat", os.O_RDONLY)
    fields = os.read(descriptor, 4096).rpartition(b")")[2].split()[_ARGUMENTS_FIELDS]
    os.close(descriptor)
    start, end = map(int, fields)
    # A last byte that is no zero tells the kernel that only the first text counts (`get_mm_cmdline`).
    ctypes.memmove(start, _NAME.ljust(end - start - 1, b"\0") + b" ", end - start)
