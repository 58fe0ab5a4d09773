"""The lock of a cluster's folder: who holds it owns the cluster.

`up` takes it, and the supervisor inherits it; so a folder whose lock can be taken has no living cluster. While the
supervisor lives the file holds its process id, and it empties it when it ends in good order.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def try_lock(directory: Path) -> int | None:
    """Take the lock, as an open descriptor to be closed; None where someone has it."""
    path = directory / "lock"
    while True:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        # `down` may have deleted the folder between the two calls.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)


def sign(descriptor: int) -> None:
    """Write this process's id: it is the supervisor now."""
    unsign(descriptor)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def unsign(descriptor: int) -> None:
    """Say that the cluster ends in good order."""
    os.ftruncate(descriptor, 0)


def signed_by(directory: Path) -> int | None:
    """Return the process id in the lock file; None where there is none."""
    try:
        return int((directory / "lock").read_text())
    except (OSError, ValueError):
        return None
