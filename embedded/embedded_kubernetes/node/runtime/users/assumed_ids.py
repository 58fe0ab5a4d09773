"""Users and groups that processes assume where there is one id for all of them: the rules of `credentials(7)`.

After `setuid(999)`, `getuid()` says 999, and root is not to be had again. So a program that starts as root, becomes its
service's user and starts itself again does that once. Nothing but what is said about ids changes: every process keeps
the rights of the one user. `id_answers` has the kernel ask here.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Process(Protocol):
        """A process that asks."""

        number: int
        """What it carries: given to its children, kept when it executes another program; 0 at first."""

        def read(self, address: int, size: int) -> bytes:
            """Return some of its memory."""

        def write(self, address: int, data: bytes) -> None:
            """Write into its memory."""


CALLS = {
    "x86_64": {
        **{102: "getuid", 104: "getgid", 107: "geteuid", 108: "getegid"},
        **{105: "setuid", 106: "setgid", 113: "setreuid", 114: "setregid"},
        **{117: "setresuid", 119: "setresgid", 118: "getresuid", 120: "getresgid"},
        **{115: "getgroups", 116: "setgroups", 122: "setfsuid", 123: "setfsgid"},
    },
    "aarch64": {
        **{174: "getuid", 176: "getgid", 175: "geteuid", 177: "getegid"},
        **{146: "setuid", 144: "setgid", 145: "setreuid", 143: "setregid"},
        **{147: "setresuid", 149: "setresgid", 148: "getresuid", 150: "getresgid"},
        **{158: "getgroups", 159: "setgroups", 151: "setfsuid", 152: "setfsgid"},
    },
}
"""Numbers of the system calls that are answered here, by machine (`asm/unistd.h`)."""
PRCTL = {"x86_64": 157, "aarch64": 167}
"""One more: `prctl(PR_SET_KEEPCAPS)`."""
PR_SET_KEEPCAPS = 8
RLIMIT_LOCKS = 10
"""The limit that a process's number is kept in (see `id_answers`)."""
SET_LIMIT = {"x86_64": (160, 302), "aarch64": (164, 261)}
"""`setrlimit` and `prlimit64`, which leave that limit alone (PAM sets every limit anew)."""

_UNCHANGED = 0xFFFFFFFF
_MOST_GROUPS = 65536
_MOST_IDENTITIES = 4096
"""So many may the processes of one container assume before `setuid` fails with EAGAIN, as it does at a limit."""

Ids = tuple[int, int, int, int]
"""Real, effective, saved, and of the file system."""


class Assumed(NamedTuple):
    """Who a process assumes to be."""

    user: Ids = (0, 0, 0, 0)
    group: Ids = (0, 0, 0, 0)
    groups: tuple[int, ...] = ()
    keeps: bool = False
    """Whether it keeps the right to change groups when it leaves root (`PR_SET_KEEPCAPS`; `setpriv` does so)."""


class Table:
    """Who the processes of one container (or of one command in it) are, by the number that each carries."""

    def __init__(self, first: Assumed) -> None:
        self._known = [first]
        self._numbers = {first: 0}

    def of(self, process: Process) -> Assumed:
        """Return who a process is; one that changed its number by itself is who the first one was."""
        number = process.number
        return self._known[number if 0 <= number < len(self._known) else 0]

    def call(self, process: Process, name: str, arguments: Sequence[int]) -> int:
        """Return the value of a system call.

        Raises
        ------
        OSError
            It fails; the error number is the kernel's.
        """
        who = self.of(process)
        if name == "prctl":
            self._change(process, who._replace(keeps=bool(arguments[1])))
            return 0
        if name == "getgroups":
            return _give_groups(process, who.groups, arguments)
        if name == "setgroups":
            self._change(process, who._replace(groups=_taken_groups(process, who, arguments)))
            return 0
        which = "user" if name.endswith("uid") else "group"
        ids: Ids = getattr(who, which)
        if name.startswith("getres"):
            for address, value in zip(arguments, ids[:3], strict=False):
                process.write(address, struct.pack("=I", value))
            return 0
        if name.startswith("get"):
            return ids[1 if name.startswith("gete") else 0]
        allowed = _may(who, which)
        new = changed(name[:-3], ids, [word & _UNCHANGED for word in arguments[:3]], allowed)
        user = which == "user"
        self._change(process, who._replace(user=new) if user else who._replace(group=new))
        return ids[3] if name.startswith("setfs") else 0

    def _change(self, process: Process, who: Assumed) -> None:
        number = self._numbers.get(who)
        if number is None:
            if len(self._known) >= _MOST_IDENTITIES:
                raise _refused(errno.EAGAIN)
            number = self._numbers[who] = len(self._known)
            self._known.append(who)
        process.number = number


def changed(kind: str, now: Ids, wanted: Sequence[int], allowed: bool) -> Ids:
    """Return the ids after "set", "setre", "setres" or "setfs" (source: `kernel/sys.c`).

    Raises
    ------
    OSError
        EPERM, or EINVAL for a number that stands for no change where there must be one.
    """
    real, effective, saved, _ = now
    if kind == "setfs":
        return (*now[:3], wanted[0]) if allowed or wanted[0] in now else now
    if kind == "set":
        if wanted[0] == _UNCHANGED:
            raise _refused(errno.EINVAL)
        if allowed:
            return (wanted[0],) * 4
        return _checked((real, wanted[0], saved), wanted[:1], (real, saved))
    new_real, new_effective = (
        old if want == _UNCHANGED else want for old, want in zip(now, wanted[:2], strict=False)
    )
    may = (*now[:3], _UNCHANGED)
    if kind == "setres":
        new_saved = saved if wanted[2] == _UNCHANGED else wanted[2]
        new = (new_real, new_effective, new_saved)
        return _checked(new, () if allowed else wanted, may)
    if not allowed:
        _checked(now[:3], wanted[:1], (real, effective, _UNCHANGED))
        _checked(now[:3], wanted[1:2], may)
    follows = wanted[0] != _UNCHANGED or wanted[1] not in (_UNCHANGED, real)
    return _checked((new_real, new_effective, new_effective if follows else saved), (), may)


def _checked(new: tuple[int, int, int], wanted: Sequence[int], may: Sequence[int]) -> Ids:
    if not set(wanted) <= set(may):
        raise _refused(errno.EPERM)
    return (*new, new[1])


def _may(who: Assumed, which: str) -> bool:
    return who.user[1] == 0 or (which == "group" and who.keeps)


def _taken_groups(process: Process, who: Assumed, arguments: Sequence[int]) -> tuple[int, ...]:
    count = arguments[0] & _UNCHANGED
    if not _may(who, "group"):
        raise _refused(errno.EPERM)
    if count > _MOST_GROUPS:
        raise _refused(errno.EINVAL)
    return struct.unpack(f"={count}I", process.read(arguments[1], 4 * count)) if count else ()


def _give_groups(process: Process, groups: Sequence[int], arguments: Sequence[int]) -> int:
    size = arguments[0] & _UNCHANGED
    if size and size < len(groups):
        raise _refused(errno.EINVAL)
    if size and groups:
        process.write(arguments[1], struct.pack(f"={len(groups)}I", *groups))
    return len(groups)


def _refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))
