"""The spawner: a small process that forks containers.

Forking the node's own process takes long and copies much; this one holds little. It also is the parent that
the kernel ties containers to: when it ends, however that happens, they are killed.

It speaks with the node over one unix socket (`spawner_link.py` is the other end). A request is a
memory file of marshalled data and the descriptors that the child gets; answers are marshalled tuples:
`("ready", isolation, detail, why no overlay, own pid)`, `("forked", request, pid, start)`,
`("refused", request, text)`, `("mounted", request, text)`,
`("ended", pid, wait status, wall-clock seconds, processor seconds)`, `("pong",)`. Why a
program could not be executed goes from the child itself to the node, over a pipe that a successful exec closes;
before that, it says there who it becomes, and why he can become nobody else where there is one id.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH113, PTH115

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

from . import namespaces, pause, proctree, rootfs
from . import syscalls as linux
from .pod_network import layout, process
from .users import accounts, capabilities, credentials, file_tasks, id_answers, id_maps, seccomp

if TYPE_CHECKING:
    from typing import Any, NoReturn

_MAX_DESCRIPTORS = 1024
_MAX_FDS = 12
_STREAM_FDS = 4
"""Where to say why a program cannot be executed, and its three streams; then come a sandbox's namespaces."""
_EXEC_NAMESPACES = (
    ("net", linux.CLONE_NEWNET),
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
        `prefix` (never use namespaces), `network` (pods have one of their own, the node too), `mark` (what its
        containers' environment begins with there).
    joined : list of int
        Descriptors of the user and network namespaces to go into, where the node's network is there already.
    """

    def __init__(self, link: _socket.socket, settings: dict[str, Any], joined: list[int]) -> None:
        self.link = link
        self.children: dict[int, int] = {}
        """The machine's number of each process that was asked for → its number here (see `_go_apart`)."""
        self._answerer: _socket.socket | None = None
        self._answerer_pid = 0
        self.own_network: bool = settings["network"]
        self.base, self.detail = namespaces.isolate(settings, joined)
        if self.base is not None:
            _go_apart()
        self.overlay = "" if self.base is None else namespaces.overlay_refusal(settings["trial"])
        # Without namespaces, the node's death must leave time to find those that left their parents.
        linux.die_with_parent(0 if self.base is None else signal.SIGKILL)

    def serve(self) -> None:
        """Answer until the node closes its end."""
        wake_reading, wake_writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        isolation = "namespaces" if self.base else "prefix"
        self._tell("ready", isolation, self.detail, self.overlay, int(os.readlink("/proc/self")))
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
                done = self._mount(request["folder"], request["size"])
                self._tell("mounted", request["id"], done)
            elif request["do"] == "network":
                self._fork_network(fds[1], fds[2])
            else:
                self._start(request, list(fds[1:]))
        finally:
            for descriptor in fds:
                os.close(descriptor)
        return True

    def _start(self, request: dict[str, Any], fds: list[int]) -> None:
        try:
            answerer = self._answers(fds) if credentials.needs_answers(request) else None
            pid = self._forked(request)
        except OSError as error:
            self._tell("refused", request["id"], str(error.strerror))
            return
        if pid == 0:
            become(self.base, request, fds, answerer, own_network=self.own_network)
        # It is not reaped yet, so the number is surely its own; with its start it stays so.
        known = proctree.machine_number(pid)
        self.children[known] = pid
        _, start = proctree.descent(known) or (0, 0)
        self._tell("forked", request["id"], known, start)

    def _answers(self, fds: list[int]) -> _socket.socket | None:
        """Return where containers send what makes their questions about ids answered."""
        if self._answerer is None and self.base is not None:
            self._answerer_pid, self._answerer = id_answers.fork((self.link.fileno(), *fds))
        return self._answerer

    def _forked(self, request: dict[str, Any]) -> int:
        if "task" in request:
            return os.fork()
        if request.get("pause"):
            return linux.clone(pause.NAMESPACES)
        container, processes = request.get("container"), request.get("processes")
        if not self.children.keys() >= {container, processes} - {None}:
            raise OSError(errno.ESRCH, "container not running")
        fresh = rootfs.IN_SANDBOX if request.get("sandbox") else rootfs.NAMESPACES
        if container is not None:
            return fork(self.base, container, 0)
        return fork(self.base, processes, fresh)

    def _fork_network(self, quick: int, slow: int) -> None:
        """Fork the network process; where it cannot be, the node process sees its ends closed."""
        if os.fork() == 0:
            try:
                linux.die_with_parent(signal.SIGKILL)
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                self.link.close()
                process.serve(quick, slow)
            finally:
                os._exit(0)

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
                os.killpg(self.children[pid], number)
            else:
                os.kill(self.children[pid], number)
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
            if pid == self._answerer_pid:
                sys.exit(f"the process that answers about ids ended (status {status})")
            known = next((known for known, number in self.children.items() if number == pid), None)
            if known is not None:
                del self.children[known]
                self._tell("ended", known, status, time.time(), used.ru_utime + used.ru_stime)

    def _tell(self, *message: str | float) -> None:
        self.link.send(marshal.dumps(message))


def _go_apart() -> None:
    """Go on as the first process of a new PID namespace; what this one was waits for its end, and ends with it.

    The end of a PID namespace reaches every process in it. A signal at the parent's death, which is all that would
    end containers otherwise, is lost on a program that has become another user.
    """
    linux.unshare(linux.CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        return
    linux.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.closerange(0, _MAX_DESCRIPTORS)  # the node hears of the spawner's end by its socket
    _, status = os.waitpid(child, 0)
    os._exit(abs(os.waitstatus_to_exitcode(status)))


def fork(
    base: rootfs.BoundPrograms | None, processes: int | None, fresh: int = rootfs.NAMESPACES
) -> int:
    """Fork into the new namespaces `fresh`, their processes apart where those of a running one are to be shared."""
    if base is None:
        return os.fork()
    if processes is None:
        return linux.clone(fresh)
    # Entering a PID namespace holds for children and cannot be taken back: a helper does both.
    reading, writing = os.pipe()
    helper = os.fork()
    if helper == 0:
        pid = -1
        try:
            namespace = os.open(f"/proc/{processes}/ns/pid", os.O_RDONLY)
            linux.enter_namespace(namespace, linux.CLONE_NEWPID)
            pid = linux.clone(linux.CLONE_PARENT | fresh & ~linux.CLONE_NEWPID)
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


def become(
    base: rootfs.BoundPrograms | None,
    request: dict[str, Any],
    fds: list[int],
    answerer: _socket.socket | None,
    *,
    own_network: bool = False,
) -> NoReturn:
    """Turn this forked child into the program that was asked for (`answerer`: see `credentials.take`)."""
    failure, *streams = fds[:_STREAM_FDS]
    stage = "setup"
    try:
        linux.die_with_parent(signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        if "task" in request:
            file_tasks.run(*request["task"])
            os._exit(0)
        if request.get("pause") and base is not None:
            pause.become(base.folder)
        os.setsid()
        id_maps.write("/proc/self/oom_score_adj", "500")
        layout.enter(fds[_STREAM_FDS:])
        joined = _enter(base, request, own_network=own_network)
        identity = _identity(request)
        if identity is not None:
            os.write(failure, marshal.dumps(("identity", *identity)))
            request["env"].setdefault("HOME", identity.home)
        for wanted, descriptor in enumerate(streams):
            os.dup2(descriptor, wanted)
        if request["tty"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.umask(0o022)
        stage = "cwd"
        reached = _go_to(request["cwd"], last=identity is None)
        stage = "setup"
        refusal = _restrict(base, request, identity, answerer, joined=joined)
        if refusal:
            os.write(failure, marshal.dumps(("one id", refusal)))
        # Changing credentials or namespaces may have cleared it.
        linux.die_with_parent(signal.SIGKILL)
        stage = "cwd"
        if not reached:
            os.chdir(request["cwd"])
        stage = "exec"
        argv = request["argv"]
        os.execve(_program(argv[0], request["env"]), argv, request["env"])
    except accounts.AccountError as error:
        os.write(failure, marshal.dumps(("user", 0, str(error), None)))
    except OSError as error:
        os.write(failure, marshal.dumps((stage, error.errno, error.strerror, error.filename)))
    except BaseException as error:
        os.write(failure, marshal.dumps((stage, 0, repr(error), None)))
    os._exit(127)


def _go_to(folder: str, *, last: bool) -> bool:
    """Change the working directory, as root may; a later user is tried where root may not (a volume of the user's)."""
    try:
        os.chdir(folder)
    except PermissionError:
        if last:
            raise
        return False
    return True


def _enter(
    base: rootfs.BoundPrograms | None, request: dict[str, Any], *, own_network: bool
) -> bool:
    """Go into the container's view; return whether that is in a user namespace of its own."""
    if base is None:
        return False
    container = request.get("container")
    if container is None:
        rootfs.enter(base, request["view"])
        return False
    opened = [
        (os.open(f"/proc/{container}/ns/{name}", os.O_RDONLY), kind)
        for name, kind in _EXEC_NAMESPACES
        if own_network or kind != linux.CLONE_NEWNET
    ]
    users = os.open(f"/proc/{container}/ns/user", os.O_RDONLY)
    for descriptor, kind in opened:
        linux.enter_namespace(descriptor, kind)
        os.close(descriptor)
    # The last one: it ends the privileges over the others.
    joined = credentials.join(users)
    os.close(users)
    return joined


def _identity(request: dict[str, Any]) -> accounts.Identity | None:
    """Return who the program becomes; None where it stays what the spawner is."""
    if "identity" in request:
        return accounts.Identity(*request["identity"])
    wanted = request.get("user")
    return None if wanted is None else credentials.look_up(wanted, request["ids"])


def _restrict(
    base: rootfs.BoundPrograms | None,
    request: dict[str, Any],
    identity: accounts.Identity | None,
    answerer: _socket.socket | None,
    *,
    joined: bool,
) -> str:
    """Leave the program no more privileges than its container has; return what `credentials.take` does."""
    kept = request.get("capabilities")
    if kept is None and base is not None:
        kept = capabilities.usual(id_maps.ROOT)
    no_new: bool = request.get("no_new_privileges", False)
    if identity is not None:
        questions = seccomp.Questions(owners=request.get("owners", False))
        asked = credentials.Emulation(answerer, questions)
        having = frozenset(kept or ())
        return credentials.take(
            request["ids"], identity, having, asked, joined=joined, no_new=no_new
        )
    if kept is not None:
        linux.drop_capabilities(frozenset(kept))
    if no_new:
        linux.forbid_new_privileges()
    return ""


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
    _, ancillary, _, _ = link.recvmsg(64, _socket.CMSG_LEN(12), _socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i", ancillary[0][2])
    settings = _read_all(fds[0])
    os.set_inheritable(link.fileno(), False)
    spawner = Spawner(link, settings, list(fds[1:]))
    for descriptor in fds:
        os.close(descriptor)
    gc.freeze()
    gc.disable()
    try:
        spawner.serve()
    finally:
        if spawner.base is None:
            proctree.kill_marked(settings["mark"])
