"""Files that belong to who asks: what `stat` says to a process that assumes to be a service's user (see `assumed_ids`).

All files of a container with one id belong to root, and a server may insist on owning its data folder (PostgreSQL). So
what belongs to root there belongs to the user whom the asking process assumes to be. Only `stat` of a path is answered
so; where anything is unusual, the kernel answers as ever.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH115

from __future__ import annotations

import errno
import os
import struct

from .. import proctree
from .. import syscalls as linux

CALLS = {"x86_64": {4: "stat", 262: "newfstatat"}, "aarch64": {79: "newfstatat"}}
"""Numbers of the system calls that `stat(3)` makes, by machine (`asm/unistd.h`)."""
AT_FDCWD = 0xFFFFFF9C
_OWNER = {"x86_64": 28, "aarch64": 24}
"""Where `struct stat` has the user; the group follows (`asm/stat.h`)."""
_IDS = struct.Struct("=II")


def stat_as(pid: int, path: bytes, user: int, group: int) -> bytes:
    """Return what `stat` of a path says to a process that assumes to be somebody.

    Raises
    ------
    OSError
        The file is not root's, or cannot be reached so: the kernel is to answer.
    """
    place = f"/proc/{proctree.machine_number(pid)}"
    if not path.startswith(b"/"):
        path = os.fsencode(os.readlink(f"{place}/cwd")) + b"/" + path
    root = os.open(f"{place}/root", os.O_PATH | os.O_CLOEXEC)
    try:
        data = bytearray(linux.stat_in(root, path))
    finally:
        os.close(root)
    offset = _OWNER[os.uname().machine]
    owner, owning = _IDS.unpack_from(data, offset)
    if owner != 0:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    _IDS.pack_into(data, offset, user, owning or group)
    return bytes(data)


def text(memory: bytes) -> bytes:
    """Return the path that some memory begins with."""
    path, end, _ = memory.partition(b"\0")
    if not end or not path:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return path
