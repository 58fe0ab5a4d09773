"""The spawner: a small process that forks containers.

Forking the node's own process takes long and copies much; this one holds little. It also is the parent that
the kernel ties containers to: when it ends, however that happens, they are killed.

It speaks with the node over one unix socket (`spawner_link.py` is the other end). A request is a
memory file of marshalled data and the descriptors that the child gets; answers are marshalled tuples:
`("ready", isolation, detail)`, `("forked", request, pid, start)`, `("refused", request, text)`,
`("mounted", request, text)`, `("ended", pid, wait status, wall-clock seconds, processor seconds)`, `("pong",)`. Why a
program could not be executed goes from the child itself to the node, over a pipe that a successful exec closes.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH103, PTH113

from __future__ import annotations

import _socket
import array
import errno
import fcntl
import gc
import marshal
import os
import select
import signal
import sys
import termios
import time
from typing import TYPE_CHECKING

from . import namespaces, proctree, rootfs
from . import syscalls as linux

if TYPE_CHECKING:
    from typing import Any, NoReturn

_MAX_FDS = 8
_EXEC_NAMESPACES = (
    ("uts", linux.CLONE_NEWUTS),
    ("ipc", linux.CLONE_NEWIPC),
    ("mnt", linux.CLONE_NEWNS),
)


class Spawner:
    """Forks containers and commands inside them, and tells when they end.

    Parameters
    ----------
    link : socket
        The SOCK_SEQPACKET end that requests come on.
    settings : dict
        `base` (empty folder), `extra`, `hidden` (see `rootfs.Base`), `trial` (a folder to try a view in),
        `prefix` (never use namespaces), `mark` (what its containers' environment begins with there).
    """

    def __init__(self, link: _socket.socket, settings: dict[str, Any]) -> None:
        self.link = link
        self.children: set[int] = set()
        self.base, self.detail = namespaces.isolate(settings)
        # Without namespaces, the node's death must leave time to find those that left their parents.
        linux.die_with_parent(0 if self.base is None else signal.SIGKILL)

    def serve(self) -> None:
        """Answer until the node closes its end."""
        wake_reading, wake_writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._tell("ready", "namespaces" if self.base else "prefix", self.detail)
        poll = select.poll()
        poll.register(self.link, select.POLLIN)
        poll.register(wake_reading, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if wake_reading in ready:
                os.read(wake_reading, 4096)
                self._reap()
            if self.link.fileno() in ready and not self._answer():
                return

    def _answer(self) -> bool:
        data, ancillary, _, _ = self.link.recvmsg(
            64, _socket.CMSG_LEN(_MAX_FDS * 4), _socket.MSG_CMSG_CLOEXEC
        )
        if not data:
            return False
        fds = array.array("i")
        for _, _, raw in ancillary:
            fds.frombytes(raw[: len(raw) - len(raw) % fds.itemsize])
        try:
            request = _read_all(fds[0])
            if request["do"] == "ping":
                self._tell("pong")
            elif request["do"] == "signal":
                self._signal(request["pid"], request["signal"], request["group"])
            elif request["do"] == "mount":
                self._tell(
                    "mounted", request["id"], self._mount(request["folder"], request["size"])
                )
            else:
                self._start(request, list(fds[1:]))
        finally:
            for descriptor in fds:
                os.close(descriptor)
        return True

    def _start(self, request: dict[str, Any], fds: list[int]) -> None:
        container = request.get("container")
        try:
            if container is not None and container not in self.children:
                raise OSError(errno.ESRCH, "container not running")
            pid = fork(self.base, container)
        except OSError as error:
            self._tell("refused", request["id"], str(error.strerror))
            return
        if pid == 0:
            become(self.base, request, fds)
        self.children.add(pid)
        # It is not reaped yet, so the number is surely its own; with its start it stays so.
        _, start = proctree.descent(pid) or (0, 0)
        self._tell("forked", request["id"], pid, start)

    def _mount(self, folder: str, size_bytes: int | None) -> str:
        """Mount a file system in memory for containers, or take it away; return why it cannot be done, or ""."""
        if self.base is None:
            return self.detail or "no mount namespace"
        try:
            if size_bytes is None:
                linux.unmount(folder)
            else:
                linux.mount("tmpfs", folder, "tmpfs", 0, f"mode=1777,size={size_bytes}")
        except OSError as error:
            return f"{error.strerror} ({error.filename})"
        return ""

    def _signal(self, pid: int, number: int, group: bool) -> None:
        """Signal a child that is not reaped yet, so that the number is surely its own."""
        if pid not in self.children:
            return
        try:
            if group:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)
        except ProcessLookupError:
            pass

    def _reap(self) -> None:
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.children:
                self.children.discard(pid)
                self._tell("ended", pid, status, time.time(), used.ru_utime + used.ru_stime)

    def _tell(self, *message: str | float) -> None:
        self.link.send(marshal.dumps(message))


def fork(base: rootfs.BoundPrograms | None, container: int | None) -> int:
    """Fork into new namespaces, or into the PID namespace of a running container."""
    if base is None:
        return os.fork()
    if container is None:
        return linux.clone(rootfs.NAMESPACES)
    # Entering a PID namespace holds for children and cannot be taken back: a helper does both.
    reading, writing = os.pipe()
    helper = os.fork()
    if helper == 0:
        pid = -1
        try:
            namespace = os.open(f"/proc/{container}/ns/pid", os.O_RDONLY)
            linux.enter_namespace(namespace, linux.CLONE_NEWPID)
            pid = linux.clone(linux.CLONE_PARENT)
        finally:
            if pid != 0:
                os.write(writing, str(pid).encode())
                os._exit(0)
        return 0
    os.close(writing)
    pid = int(os.read(reading, 16))
    os.close(reading)
    os.waitpid(helper, 0)
    if pid < 0:
        raise OSError(errno.ESRCH, "container not running")
    return pid


def become(base: rootfs.BoundPrograms | None, request: dict[str, Any], fds: list[int]) -> NoReturn:
    """Turn this forked child into the program that was asked for."""
    failure, *streams = fds
    stage = "setup"
    try:
        linux.die_with_parent(signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        namespaces.write("/proc/self/oom_score_adj", "500")
        _enter(base, request)
        _restrict(base, request)
        for wanted, descriptor in enumerate(streams):
            os.dup2(descriptor, wanted)
        if request["tty"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.umask(0o022)
        # Changing credentials or namespaces may have cleared it.
        linux.die_with_parent(signal.SIGKILL)
        stage = "cwd"
        os.chdir(request["cwd"])
        stage = "exec"
        argv = request["argv"]
        os.execve(_program(argv[0], request["env"]), argv, request["env"])
    except OSError as error:
        os.write(failure, marshal.dumps((stage, error.errno, error.strerror, error.filename)))
    except BaseException as error:
        os.write(failure, marshal.dumps((stage, 0, repr(error), None)))
    os._exit(127)


def _enter(base: rootfs.BoundPrograms | None, request: dict[str, Any]) -> None:
    if base is None:
        return
    container = request.get("container")
    if container is None:
        rootfs.enter(base, request["view"])
        os.makedirs(request["cwd"], exist_ok=True)
    else:
        opened = [
            (os.open(f"/proc/{container}/ns/{name}", os.O_RDONLY), kind)
            for name, kind in _EXEC_NAMESPACES
        ]
        for descriptor, kind in opened:
            linux.enter_namespace(descriptor, kind)
            os.close(descriptor)


def _restrict(base: rootfs.BoundPrograms | None, request: dict[str, Any]) -> None:
    """Leave the program to be executed no more privileges than its container has."""
    kept = request.get("capabilities")
    if kept is None and base is not None:
        kept = rootfs.KEPT_CAPABILITIES.values()
    if kept is not None:
        linux.drop_capabilities(frozenset(kept))
    if request.get("no_new_privileges"):
        linux.forbid_new_privileges()


def _program(name: str, env: dict[str, str]) -> str:
    """Find a program as `execvp` does, telling "not there" from "not allowed"."""
    if "/" in name:
        return name
    reason = errno.ENOENT
    for folder in env.get("PATH", os.defpath).split(":"):
        path = f"{folder or '.'}/{name}"
        if os.path.isfile(path):
            if os.access(path, os.X_OK):
                return path
            reason = errno.EACCES
    raise OSError(reason, "executable file not found in $PATH", name)


def _read_all(descriptor: int) -> dict[str, Any]:
    size = os.fstat(descriptor).st_size
    loaded: dict[str, Any] = marshal.loads(os.pread(descriptor, size, 0))
    return loaded


def main() -> None:
    """Serve on the socket whose descriptor is the only argument; the first message is the settings."""
    linux.die_with_parent(signal.SIGKILL)
    linux.adopt_orphans()
    link = _socket.socket(fileno=int(sys.argv[1]))
    _, ancillary, _, _ = link.recvmsg(64, _socket.CMSG_LEN(4), _socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i", ancillary[0][2])
    settings = _read_all(fds[0])
    os.close(fds[0])
    os.set_inheritable(link.fileno(), False)
    spawner = Spawner(link, settings)
    gc.freeze()
    gc.disable()
    try:
        spawner.serve()
    finally:
        if spawner.base is None:
            proctree.kill_marked(settings["mark"])
