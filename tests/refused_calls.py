"""Run a program to which the kernel refuses some system calls, as a container's seccomp profile does.

    python tests/refused_calls.py CALL=ERRNO… -- PROGRAM ARGUMENT…        (mount=EPERM unshare=ENOSYS)

The filter is inherited by all that the program starts, and works for an ordinary user as for root.
Source: https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Mapping

NUMBERS = {
    "x86_64": {"mount": 165, "unshare": 272, "pivot_root": 155, "bind": 49},
    "aarch64": {"mount": 40, "unshare": 97, "pivot_root": 41, "bind": 200},
}
_LOAD_NUMBER = (0x20, 0, 0, 0)  # BPF_LD | BPF_W | BPF_ABS: `nr`, first in `struct seccomp_data`
_JUMP_IF_EQUAL, _RETURN = 0x15, 0x06  # BPF_JMP | BPF_JEQ | BPF_K and BPF_RET | BPF_K
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def refuse(calls: Mapping[str, int]) -> None:
    """Have the kernel answer some system calls of this process and its children by an error number, for good."""
    numbers = NUMBERS[os.uname().machine]
    program = [_LOAD_NUMBER]
    for name, error in calls.items():
        program.append((_JUMP_IF_EQUAL, 0, 1, numbers[name]))
        program.append((_RETURN, 0, 0, _ERRNO | error))
    program.append((_RETURN, 0, 0, _ALLOW))
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    libc = ctypes.CDLL(None, use_errno=True)
    filters = _Program(len(program), packed)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filters), 0, 0),
    ):
        if libc.prctl(*arguments) < 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    border = sys.argv.index("--")
    refuse(
        {
            name: getattr(errno, error)
            for name, _, error in (word.partition("=") for word in sys.argv[1:border])
        }
    )
    os.execvp(sys.argv[border + 1], sys.argv[border + 1 :])
