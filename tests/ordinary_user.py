"""Run a command as an ordinary user who has no name, where this process is root's: as a container platform does.

    python tests/ordinary_user.py UID NEEDED… -- PROGRAM ARGUMENT…

What the command needs may lie where only root may go (a Python below /root). It gets a view of its own, in which those
folders can be entered and hold nothing but what is NEEDED; nothing of the machine is changed.
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from embedded_kubernetes.node.runtime import syscalls as linux

_FIRST_UID = 64001


def nameless_uid() -> int:
    """Return a number that no account of this machine has."""
    taken = {account.pw_uid for account in pwd.getpwall()}
    return next(uid for uid in range(_FIRST_UID, 2**16) if uid not in taken)


def barriers(needed: Iterable[Path]) -> dict[Path, list[Path]]:
    """Return the topmost folders that others may not enter, and what is needed below each."""
    found: dict[Path, list[Path]] = {}
    for path in needed:
        for folder in reversed(path.resolve().parents):
            if not folder.stat().st_mode & 0o001:
                found.setdefault(folder, []).append(path.resolve())
                break
    return found


def open_ways(needed: Iterable[Path]) -> None:
    """Make what is needed reachable for everybody, in a mount namespace of this process's own."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    for barrier, paths in barriers(needed).items():
        kept = {path: os.open(path, os.O_PATH) for path in dict.fromkeys(paths)}
        linux.mount("tmpfs", str(barrier), "tmpfs", 0, "mode=755")
        for path, descriptor in kept.items():
            path.mkdir(parents=True, exist_ok=True)
            source = f"/proc/self/fd/{descriptor}"
            linux.mount(source, str(path), None, linux.MS_BIND | linux.MS_REC)
            os.close(descriptor)


def become(uid: int, needed: Sequence[Path], argv: Sequence[str]) -> NoReturn:
    """Turn this process, root's, into a program of the user."""
    open_ways(needed)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    for path in needed:
        if not os.access(path, os.R_OK | os.X_OK):
            sys.exit(f"{path}: an ordinary user may not read it")
    os.execvp(argv[0], list(argv))


if __name__ == "__main__":
    border = sys.argv.index("--")
    become(int(sys.argv[1]), [Path(word) for word in sys.argv[2:border]], sys.argv[border + 1 :])
