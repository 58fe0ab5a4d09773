"""The process that answers what containers with one id ask about ids (`seccomp_unotify(2)`), by `assumed_ids`.

The spawner forks it when a container first needs it. A container sends it the listener of its own filter
(`seccomp.assume_ids`) and who it is. Each process carries its number in a limit of Linux 2.4 that nothing heeds
(`RLIMIT_LOCKS`, `ulimit -x`): the kernel itself gives it to children and keeps it over exec, whoever their parent is
by then. Where this process ends, calls that wait fail with ENOSYS, and the spawner ends too.
"""

# Loaded by the spawner, which must stay small: no pathlib, no contextlib.
# ruff: noqa: SIM105

from __future__ import annotations

import _socket
import array
import errno
import fcntl
import marshal
import os
import resource
import select
import signal
import struct
from typing import TYPE_CHECKING

from .. import syscalls as linux
from . import owners
from .assumed_ids import CALLS, PRCTL, RLIMIT_LOCKS, Assumed, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .accounts import Identity

_RECEIVE, _ANSWER, _STILL = (
    0xC0502100,
    0xC0182101,
    0x40082102,
)  # SECCOMP_IOCTL_NOTIF_…: RECV, SEND, ID_VALID
_REQUEST = struct.Struct("=QIIiIQ6Q")
_RESPONSE = struct.Struct("=QqiI")
_COOKIE = struct.Struct("=Q")
_MESSAGE_BYTES = 1 << 19
_CONTINUE = 1
"""SECCOMP_USER_NOTIF_FLAG_CONTINUE: the kernel does the call (Linux 5.5)."""
_PATH_BYTES = 4096


class Asking:
    """A process that waits for an answer."""

    def __init__(self, listener: int, cookie: int, pid: int) -> None:
        self.pid = pid
        self._listener, self._cookie = listener, cookie

    @property
    def number(self) -> int:
        """What it carries; 0 where it never changed who it is."""
        soft, _ = resource.prlimit(self.pid, RLIMIT_LOCKS)
        return max(soft, 0)

    @number.setter
    def number(self, value: int) -> None:
        _, hard = resource.prlimit(self.pid, RLIMIT_LOCKS)
        resource.prlimit(self.pid, RLIMIT_LOCKS, (value or hard, hard))

    def read(self, address: int, size: int) -> bytes:
        """Return some of its memory."""
        data = linux.read_memory(self.pid, address, size)
        self._check()
        return data

    def write(self, address: int, data: bytes) -> None:
        """Write into its memory."""
        self._check()
        linux.write_memory(self.pid, address, data)

    def _check(self) -> None:
        """Fail where the process has ended: its number may be another one's by now."""
        fcntl.ioctl(self._listener, _STILL, _COOKIE.pack(self._cookie))


class Answerer:
    """Answers the containers whose listeners come over a socket.

    Parameters
    ----------
    link : socket
        Its end.
    """

    def __init__(self, link: _socket.socket) -> None:
        self._link = link
        self._tables: dict[int, Table] = {}
        machine = os.uname().machine
        self._calls = {**CALLS[machine], PRCTL[machine]: "prctl"}
        self._stats = owners.CALLS[machine]
        self._poll = select.poll()
        self._poll.register(link, select.POLLIN)

    def serve(self) -> None:
        """Answer as long as there is a spawner: it takes this process with it."""
        while True:
            for descriptor, event in self._poll.poll():
                if descriptor == self._link.fileno():
                    self._take()
                elif event & select.POLLIN:
                    self._answer(descriptor)
                else:  # nobody is left who could ask
                    self._poll.unregister(descriptor)
                    del self._tables[descriptor]
                    os.close(descriptor)

    def _take(self) -> None:
        data, ancillary, _, _ = self._link.recvmsg(
            _MESSAGE_BYTES, _socket.CMSG_LEN(4), _socket.MSG_CMSG_CLOEXEC
        )
        (listener,) = array.array("i", ancillary[0][2])
        uid, gid, groups = marshal.loads(data)
        self._tables[listener] = Table(Assumed((uid,) * 4, (gid,) * 4, tuple(groups)))
        self._poll.register(listener, select.POLLIN)

    def _answer(self, listener: int) -> None:
        request = bytearray(_REQUEST.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, request)
        except OSError:
            return  # it was interrupted, or is gone
        cookie, pid, _, call, _, _, *arguments = _REQUEST.unpack(request)
        process = Asking(listener, cookie, pid)
        value = failure = flags = 0
        try:
            if call in self._stats:
                flags = self._stat(listener, process, self._stats[call], arguments)
            else:
                value = self._tables[listener].call(process, self._calls[call], arguments)
        except OSError as error:
            failure = error.errno or errno.EINVAL
        except ValueError:
            failure = errno.EAGAIN  # it lowered what the number is kept in
        try:
            fcntl.ioctl(listener, _ANSWER, _RESPONSE.pack(cookie, value, -failure, flags))
        except OSError:
            pass  # it is gone

    def _stat(self, listener: int, process: Asking, name: str, arguments: list[int]) -> int:
        """Answer `stat` of a path, or return that the kernel is to do so."""
        address, result = arguments[:2] if name == "stat" else arguments[1:3]
        try:
            who = self._tables[listener].of(process)
            if who.user[1] == 0:
                return _CONTINUE
            path = owners.text(process.read(address, _PATH_BYTES))
            process.write(result, owners.stat_as(process.pid, path, who.user[1], who.group[1]))
        except (OSError, ValueError):
            return _CONTINUE
        return 0


def fork(others: Sequence[int]) -> tuple[int, _socket.socket]:
    """Fork the process, which closes what is `others`'; return its number and the socket that `introduce` sends on."""
    ours, its = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        its.close()
        return pid, ours
    try:
        linux.die_with_parent(signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (ours.detach(), *others):
            os.close(descriptor)
        Answerer(its).serve()
    finally:
        os._exit(1)


def introduce(link: _socket.socket, listener: int, identity: Identity) -> None:
    """Have a container's questions answered: by the listener of its filter, and who it is at first."""
    said = marshal.dumps((identity.uid, identity.gid, identity.groups[1:]))
    rights = array.array("i", [listener]).tobytes()
    link.sendmsg([said], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
