"""The ids that containers have, and the user namespace that has them.

Three ways, by what this machine allows (`ranges.id_map` chooses):

- `root`: root's own node; ids are the machine's;
- `range-FIRST-COUNT`: `newuidmap` and `/etc/subuid` give a range of ids; programs change to them, files belong to them;
- `single`: one id, the caller's, that is seen as 0.

The name also says who owns the files of an unpacked layer. Loaded by the spawner: only `os` and system calls.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from .. import syscalls as linux

if TYPE_CHECKING:
    from typing import TypedDict

    class IdMap(TypedDict):
        """Which ids there are (plain data: it crosses sockets)."""

        name: str
        """`root`, `single` or `range-FIRST-COUNT`."""
        users: list[tuple[int, int, int]]
        """First id inside, the same one outside, how many; empty where none is mapped (`root`)."""
        groups: list[tuple[int, int, int]]
        programs: tuple[str, str]
        """Paths of `newuidmap` and `newgidmap`, or empty."""


ROOT = "root"
SINGLE = "single"
_MANY = 65536


def own() -> IdMap:
    """Return the ids of a process that takes what it has: root's own, or its one."""
    user, group = os.geteuid(), os.getegid()
    if user == 0 and is_whole(read("/proc/self/uid_map")):
        return {"name": ROOT, "users": [], "groups": [], "programs": ("", "")}
    # Root of a namespace with one id is already where an ordinary user has to go.
    mapped = [] if user == 0 else [(0, user, 1)]
    groups = [] if user == 0 else [(0, group, 1)]
    return {"name": SINGLE, "users": mapped, "groups": groups, "programs": ("", "")}


def is_whole(uid_map: str) -> bool:
    """Return whether a user namespace has the ids that images use (the content of its `uid_map`)."""
    spans = [tuple(map(int, line.split())) for line in uid_map.splitlines()]
    return sum(count for first, _, count in spans if first < _MANY) >= _MANY


def has(spans: list[tuple[int, int, int]], number: int) -> bool:
    """Return whether some spans map an id of the inside."""
    return any(first <= number < first + count for first, _, count in spans)


def enter(ids: IdMap, more: int) -> None:
    """Go into a user namespace with these ids, and into further ones (`CLONE_NEW…`).

    Raises
    ------
    OSError
        The kernel, or `newuidmap`, refuses.
    """
    if not ids["users"]:
        linux.unshare(more)
        return
    if ids["name"] == SINGLE:
        linux.unshare(linux.CLONE_NEWUSER | more)
        map_one(ids["users"][0], ids["groups"][0])
        return
    helper, gate, words = _fork_mapper(ids)
    try:
        linux.unshare(linux.CLONE_NEWUSER | more)
        os.write(gate, b"!")
    finally:
        os.close(gate)
        said = b"".join(iter(lambda: os.read(words, 4096), b""))
        os.close(words)
        _, status = os.waitpid(helper, 0)
    if status:
        raise OSError(errno.EPERM, said.decode(errors="replace").strip() or "refused", "newuidmap")


def map_one(user: tuple[int, int, int], group: tuple[int, int, int]) -> None:
    """Give the new user namespace of this process one user and one group; no others can be had any more."""
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", " ".join(map(str, user)))
    write("/proc/self/gid_map", " ".join(map(str, group)))


def _fork_mapper(ids: IdMap) -> tuple[int, int, int]:
    """Fork a process that stays outside and maps this one's ids once it is told so; return it and two pipes' ends."""
    target = str(os.getpid())
    waiting, gate = os.pipe()
    words, saying = os.pipe()
    helper = os.fork()
    if helper:
        os.close(waiting)
        os.close(saying)
        return helper, gate, words
    status = 1
    try:
        os.close(gate)
        os.dup2(saying, 2)
        if os.read(waiting, 1):
            status = int(
                any(
                    os.spawnv(os.P_WAIT, program, [program, target, *_arguments(spans)])
                    for program, spans in zip(
                        ids["programs"], (ids["users"], ids["groups"]), strict=True
                    )
                )
            )
    finally:
        os._exit(status)


def _arguments(spans: list[tuple[int, int, int]]) -> list[str]:
    return [str(number) for span in spans for number in span]


def read(path: str) -> str:
    """Return a file of the kernel's."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 16).decode()
    finally:
        os.close(descriptor)


def write(path: str, text: str) -> None:
    """Write a text into a file of the kernel's; `OSError` names the file."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(descriptor)
