"""Answers of success to programs that change owners and users where there is only one id: root without consequence.

A filter in the kernel (seccomp, BPF) answers 0 to the family of `chown` and to making devices, has `id_answers` asked
what sets and tells ids, and lets everything else through. Package managers and servers that lower their privileges
work then.
(idea: "zero-consistency root emulation" of Charliecloud, https://doi.org/10.1145/3624062.3624585)
"""

from __future__ import annotations

import errno
import os
import struct
from typing import NamedTuple

from .. import syscalls as linux
from . import assumed_ids, owners

Step = tuple[int, int, int, int]
"""Code, how far to jump where it is true and where not, operand."""


class Questions(NamedTuple):
    """What programs ask that the kernel has `id_answers` answer: ids always."""

    owners: bool = False
    """And whose a file is (`owners`)."""


class Architecture(NamedTuple):
    """What a machine calls the system calls in question (`asm/unistd.h`)."""

    name: str
    audit: int
    """Its `AUDIT_ARCH_…`."""
    own: tuple[int, ...]
    """Those that change owners of files."""
    make_node: tuple[tuple[int, int], ...]
    """Those that make files of any kind, and which argument says of what kind."""


ARCHITECTURES = {
    "x86_64": Architecture("x86_64", 0xC000003E, (92, 93, 94, 260), ((133, 1), (259, 2))),
    "aarch64": Architecture("aarch64", 0xC00000B7, (55, 54), ((33, 2),)),
}
"""`own`: chown, fchown, lchown, fchownat; `make_node`: mknod, mknodat."""

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_ALLOW = 0x7FFF0000
_SUCCEED = 0x00050000  # SECCOMP_RET_ERRNO with the error number 0
_ASK = 0x7FC00000  # SECCOMP_RET_USER_NOTIF
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_BECOME = ("setuid", "setreuid", "setresuid")
"""Their first argument is the real user."""
_UNCHANGED = 0xFFFFFFFF
_TYPE, _CHARACTER, _BLOCK = 0o170000, 0o020000, 0o060000


def program(machine: Architecture, questions: Questions | None) -> bytes:
    """Return the filter: `struct sock_filter` after `struct sock_filter` (`linux/filter.h`).

    Parameters
    ----------
    machine : Architecture
        Its numbers of system calls.
    questions : Questions or None
        What is answered by who listens; None where nobody does: setting ids does nothing then, and becoming another
        user for good is refused.
    """
    code = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, machine.audit), (_RETURN, 0, 0, _ALLOW)]
    code.append((_LOAD, 0, 0, _NUMBER))
    for number in machine.own:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _SUCCEED)]
    code += _without_listener(machine) if questions is None else _asking(machine, questions)
    for number, argument in machine.make_node:
        code += [
            (_EQUAL, 0, 6, number),
            (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
            (_AND, 0, 0, _TYPE),
            (_EQUAL, 1, 0, _CHARACTER),
            (_EQUAL, 0, 1, _BLOCK),
            (_RETURN, 0, 0, _SUCCEED),
            (_RETURN, 0, 0, _ALLOW),
        ]
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in code)


def _without_listener(machine: Architecture) -> list[Step]:
    code: list[Step] = []
    for number, name in assumed_ids.CALLS[machine.name].items():
        if name in _BECOME:
            code += [
                (_EQUAL, 0, 5, number),
                (_LOAD, 0, 0, _ARGUMENTS),
                (_EQUAL, 1, 0, 0),
                (_EQUAL, 0, 1, _UNCHANGED),
                (_RETURN, 0, 0, _SUCCEED),
                (_RETURN, 0, 0, _SUCCEED | errno.EPERM),
            ]
        elif name.startswith("set"):
            code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _SUCCEED)]
    return code


def _asking(machine: Architecture, questions: Questions) -> list[Step]:
    code: list[Step] = []
    for number in assumed_ids.CALLS[machine.name]:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ASK)]
    code += [
        (_EQUAL, 0, 4, assumed_ids.PRCTL[machine.name]),
        (_LOAD, 0, 0, _ARGUMENTS),
        (_EQUAL, 0, 1, assumed_ids.PR_SET_KEEPCAPS),
        (_RETURN, 0, 0, _ASK),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code += _keeping_number(*assumed_ids.SET_LIMIT[machine.name])
    for number, name in owners.CALLS[machine.name].items() if questions.owners else ():
        if name == "stat":
            code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ASK)]
            continue
        code += [  # of a path, as `stat(3)` calls it: no folder, no flags
            (_EQUAL, 0, 6, number),
            (_LOAD, 0, 0, _ARGUMENTS),
            (_EQUAL, 0, 3, owners.AT_FDCWD),
            (_LOAD, 0, 0, _ARGUMENTS + 8 * 3),
            (_EQUAL, 0, 1, 0),
            (_RETURN, 0, 0, _ASK),
            (_RETURN, 0, 0, _ALLOW),
        ]
    return code


def _keeping_number(set_limit: int, set_and_get: int) -> list[Step]:
    return [
        (_EQUAL, 0, 4, set_limit),
        (_LOAD, 0, 0, _ARGUMENTS),
        (_EQUAL, 0, 1, assumed_ids.RLIMIT_LOCKS),
        (_RETURN, 0, 0, _SUCCEED),
        (_RETURN, 0, 0, _ALLOW),
        (_EQUAL, 0, 6, set_and_get),
        (_LOAD, 0, 0, _ARGUMENTS + 8),
        (_EQUAL, 0, 3, assumed_ids.RLIMIT_LOCKS),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * 2),
        (_EQUAL, 1, 0, 0),  # no new limit
        (_RETURN, 0, 0, _SUCCEED),
        (_RETURN, 0, 0, _ALLOW),
    ]


def emulate_root(questions: Questions) -> int:
    """Have the kernel answer so to this process and to all that it starts; nothing on an unknown machine.

    Parameters
    ----------
    questions : Questions
        What is asked; owners of files only where there is Linux 5.19, and so the answer that the kernel shall look.

    Returns
    -------
    int
        The listener: a descriptor on which `id_answers` hears what is asked about ids.

    Raises
    ------
    OSError
        The kernel gives no listener (before Linux 5.0, or another one listens already). The filter is in place all the
        same, without: a program that becomes another user for good fails with EPERM. It would stay root otherwise, and
        one that starts itself again until it is not would do so for ever.
    """
    machine = ARCHITECTURES.get(os.uname().machine)
    if machine is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), "seccomp")
    try:
        if questions.owners:
            try:
                return linux.listen_to_system_calls(program(machine, questions), steady=True)
            except OSError:
                pass  # before Linux 5.19, or none at all
        return linux.listen_to_system_calls(program(machine, Questions()))
    except OSError:
        linux.filter_system_calls(program(machine, None))
        raise
