"""Going into the namespaces that containers need, and trying first whether the kernel lets this very program.

What `unshare(1)` may do says little: AppArmor allows and refuses by program, a container platform may grant the
namespaces and refuse the mounts, and there is no way back from the first of them. So a child does all that a container
does, and only its word that it arrived counts.

Runs in the spawner and, for `node.isolation.refusal`, by itself in the same way: only `os` and system calls.
"""

# Loaded by the spawner, which must stay small: no pathlib.

from __future__ import annotations

import json
import marshal
import os
import sys
from typing import TYPE_CHECKING

from . import rootfs
from . import syscalls as linux

if TYPE_CHECKING:
    from typing import Any, NoReturn

    Refusal = tuple[int, str, str]
    """Error number (0 where there is none), the kernel's words, and what was refused: a call or a path."""

_ARRIVED = "arrived"


def isolate(settings: dict[str, Any]) -> tuple[rootfs.BoundPrograms | None, str]:
    """Go into namespaces; return the host's programs as bound there, or None and why it cannot be done.

    Parameters
    ----------
    settings : dict
        See `spawner.Spawner`.
    """
    if settings["prefix"]:
        return None, "asked to do without"
    refusal = tried(settings)
    if refusal is None:
        return _go_apart(settings), ""
    number, words, what = refusal
    return None, f"{what}: {words} (errno {number})"


def tried(settings: dict[str, Any]) -> Refusal | None:
    """Let a child go into all the namespaces of a container; return what stopped it, or None."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _try(settings, writing)
    os.close(writing)
    said = b""
    while part := os.read(reading, 4096):
        said += part
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if not said:
        return 0, f"its process ended without a word (status {status})", "clone"
    answer: Refusal | str = marshal.loads(said)
    return None if isinstance(answer, str) else answer


def _try(settings: dict[str, Any], writing: int) -> NoReturn:
    try:
        base = _go_apart(settings)
        child = linux.clone(rootfs.NAMESPACES)
        if child == 0:
            rootfs.enter(base, _trial_view(settings["trial"]))
            os.write(writing, marshal.dumps(_ARRIVED))
        else:
            os.waitpid(child, 0)
    except OSError as error:
        what = str(error.filename or "?")
        os.write(writing, marshal.dumps((error.errno or 0, str(error.strerror), what)))
    except BaseException as error:
        os.write(writing, marshal.dumps((0, repr(error), type(error).__name__)))
    os._exit(0)


def _go_apart(settings: dict[str, Any]) -> rootfs.BoundPrograms:
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        linux.unshare(linux.CLONE_NEWNS)
    else:
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"0 {user} 1")
        write("/proc/self/gid_map", f"0 {group} 1")
    return rootfs.BoundPrograms(settings["base"], settings["extra"], settings["hidden"])


def _trial_view(folder: str) -> rootfs.View:
    return {
        "root": folder,
        "image": "",
        "binds": [],
        "covers": [],
        "hostname": "trial",
        "read_only": False,
    }


def write(path: str, text: str) -> None:
    """Write a text into a file of the kernel's; `OSError` names the file."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(descriptor)


def main() -> None:
    """Print as JSON what stops a container's namespaces here, or null; the settings are the only argument."""
    print(json.dumps(tried(json.loads(sys.argv[1]))))
