"""The system calls that Python's `os` lacks, by ctypes.

Imported by the spawner, which every container is forked from: nothing but `ctypes` and `os` here.
Numbers are those of `linux/mount.h`, `linux/sched.h` and `linux/prctl.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_STRICTATIME = 0x1000000

CLONE_PARENT = 0x8000
CLONE_NEWNS = 0x20000
CLONE_NEWUTS = 0x4000000
CLONE_NEWIPC = 0x8000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24
_PR_SET_SECCOMP = 22
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 0x1
_SYS_MOUNT_SETATTR = 442
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_NEW_LISTENER = 0x8
_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 0x20
_SYS_OPENAT2 = 437
_RESOLVE_IN_ROOT = 0x10
_SYS_NEWFSTATAT = {"x86_64": 262, "aarch64": 79}
_AT_EMPTY_PATH = 0x1000
_STAT_BYTES = {"x86_64": 144, "aarch64": 128}
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)
_libc_with_gil = ctypes.PyDLL(None, use_errno=True)


class _MountAttr(ctypes.Structure):
    _fields_ = [
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    ]


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def mount(
    source: str | None, target: str, kind: str | None, flags: int, data: str | None = None
) -> None:
    """Mount as `mount(2)` does; `OSError` names the call and its target."""
    _check(
        _libc.mount(
            source and os.fsencode(source),
            os.fsencode(target),
            kind and kind.encode(),
            ctypes.c_ulong(flags),
            data and data.encode(),
        ),
        f"mount {target}",
    )


def make_read_only(target: str, *, recursive: bool = True) -> None:
    """Make a mount, or it and all those below it, read-only (the top one alone before Linux 5.12)."""
    attributes = _MountAttr(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    done = _libc.syscall(
        _SYS_MOUNT_SETATTR,
        _AT_FDCWD,
        os.fsencode(target),
        _AT_RECURSIVE if recursive else 0,
        ctypes.byref(attributes),
        ctypes.sizeof(attributes),
    )
    if done < 0:
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def unmount(target: str) -> None:
    """Take a mount away, at once from view and wholly once nobody uses it."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH), target)


def pivot_root_here() -> None:
    """Make the working directory the root and let go of the old one."""
    here = b"."
    _check(_libc.syscall(_SYS_PIVOT_ROOT[os.uname().machine], here, here), "pivot_root")
    _check(_libc.umount2(here, _MNT_DETACH), "umount2")
    os.chdir("/")


def clone(flags: int) -> int:
    """Fork into new namespaces, or (`CLONE_PARENT`) as a child of the own parent; 0 in the child.

    Only from a process with one thread: the interpreter does not know of it, and keeps its lock in both.
    """
    number = _SYS_CLONE[os.uname().machine]
    pid: int = _libc_with_gil.syscall(number, ctypes.c_ulong(flags | signal.SIGCHLD), 0, 0, 0, 0)
    _check(pid, "clone")
    return pid


def unshare(flags: int) -> None:
    """Leave some namespaces for new ones."""
    _check(_libc.unshare(flags), "unshare")


def enter_namespace(descriptor: int, kind: int) -> None:
    """Enter the namespace of `kind` (a `CLONE_NEW…`) that a descriptor of `/proc/PID/ns` stands for."""
    _check(_libc.setns(descriptor, kind), "setns")


def set_hostname(name: str) -> None:
    """Set the host name of this UTS namespace."""
    raw = name.encode()
    _check(_libc.sethostname(raw, len(raw)), "sethostname")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this process a signal when its parent ends; 0 takes it back."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def set_name(name: str) -> None:
    """Set the name of this process (`/proc/PID/comm`): its first 15 bytes."""
    _check(_libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def forbid_new_privileges() -> None:
    """Let this process and what it executes never gain privileges (`setuid` programs, capabilities of files)."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def drop_capabilities(kept: frozenset[int]) -> None:
    """Take every capability but `kept` from what this process will execute."""
    for number in range(64):
        if number not in kept and _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            return  # the first number that this kernel does not know


def forget_inheritable_capabilities() -> None:
    """Empty this process's inheritable and ambient capabilities, as container runtimes do."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (
        ctypes.c_uint32 * 6
    )()  # effective, permitted, inheritable, of the first and the second 32
    _check(_libc.capget(header, data), "capget")
    data[2] = data[5] = 0
    _check(_libc.capset(header, data), "capset")
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def filter_system_calls(program: bytes) -> None:
    """Have every system call of this process and its descendants judged by a seccomp program (`seccomp(2)`)."""
    prepared = _Filter(len(program) // 8, program)
    _check(
        _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(prepared), 0, 0), "seccomp"
    )


def listen_to_system_calls(program: bytes, *, steady: bool = False) -> int:
    """Do the same, and return the descriptor on which calls wait that the program gives to a listener.

    A signal does not interrupt a call that is being answered, from Linux 5.19 on; `steady` asks for no less.
    """
    prepared = _Filter(len(program) // 8, program)
    number, flags = _SYS_SECCOMP[os.uname().machine], _SECCOMP_FILTER_FLAG_NEW_LISTENER
    for more in (_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0)[: 1 if steady else 2]:
        listener: int = _libc.syscall(
            number, _SECCOMP_SET_MODE_FILTER, flags | more, ctypes.byref(prepared)
        )
        if listener >= 0 or ctypes.get_errno() != errno.EINVAL:
            break
    _check(listener, "seccomp")
    return listener


class _Span(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def read_memory(pid: int, address: int, size: int) -> bytes:
    """Return some of a process's memory (`process_vm_readv(2)`)."""
    data = ctypes.create_string_buffer(size)
    here, there = _Span(ctypes.addressof(data), size), _Span(address, size)
    done = _libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    _check(done, "process_vm_readv")
    return data.raw[:done]


def write_memory(pid: int, address: int, content: bytes) -> None:
    """Write into a process's memory (`process_vm_writev(2)`)."""
    data = ctypes.create_string_buffer(content, len(content))
    here, there = _Span(ctypes.addressof(data), len(content)), _Span(address, len(content))
    _check(
        _libc.process_vm_writev(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0),
        "process_vm_writev",
    )


def stat_in(root: int, path: bytes) -> bytes:
    """Return the `struct stat` of a path, below a folder that is its root (`openat2(2)`, Linux 5.6)."""
    how = (ctypes.c_uint64 * 3)(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
    opened: int = _libc.syscall(_SYS_OPENAT2, root, path, ctypes.byref(how), ctypes.sizeof(how))
    _check(opened, "openat2")
    machine = os.uname().machine
    data = ctypes.create_string_buffer(_STAT_BYTES[machine])
    try:
        done = _libc.syscall(_SYS_NEWFSTATAT[machine], opened, b"", data, _AT_EMPTY_PATH)
        _check(done, "newfstatat")
    finally:
        os.close(opened)
    return data.raw
