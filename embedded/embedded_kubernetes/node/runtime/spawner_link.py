"""The node's end of the spawner (see `spawner.py` for the other one and what they say)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import itertools
import logging
import marshal
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...control.watchdog import Watchdog
from ...processes import spawn
from ..cri import ContainerCreateError, ContainerStartError
from .users.accounts import Identity

_log = logging.getLogger(__name__)

_PACKAGE = Path(__file__).resolve().parents[2]
_BOOT = f"""
import sys, types
name, path = "embedded_kubernetes", {str(_PACKAGE)!r}
for step in ("", *"node.{{package}}".split(".")):
    name, path = (name + "." + step, path + "/" + step) if step else (name, path)
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [path]
from embedded_kubernetes.node.{{package}}.{{module}} import main
main()
"""
"""Imports a module of this package without running the packages' own `__init__`: memory counts."""

_STAGES = {"setup": "preparing the container's file system", "cwd": "chdir to working directory"}


def boot_argv(module: str, *arguments: str, package: str = "runtime") -> list[str]:
    """Return the command line that runs `main` of a module of a package of the node in a bare interpreter."""
    code = _BOOT.replace("{module}", module).replace("{package}", package)
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


@dataclass(frozen=True)
class Ended:
    """How a child of the spawner ended."""

    exit_code: int
    """128 + signal where a signal killed it."""
    signal: int
    wall_s: float
    cpu_s: float
    """Processor time of the program and of the children that it waited for."""


@dataclass(frozen=True)
class Child:
    """A program that the spawner forked."""

    pid: int
    start: int
    """When it was forked (clock ticks since boot): tells it from a later process with its number."""
    ended: asyncio.Future[Ended]
    identity: Identity | None = None
    """Who it has become; None where it stays what the spawner is."""
    one_id_refusal: str = ""
    """Why it can become nobody else, where there is one id and it is root; "" where it can, or need not."""

    async def wait(self) -> Ended:
        """Return how it ended; any number of callers may wait, and give up."""
        return await asyncio.shield(self.ended)


class SpawnerLink:
    """Starts the spawner and asks it for processes.

    Parameters
    ----------
    settings : dict
        What `spawner.Spawner` takes.
    log : Path
        Where the spawner's own complaints go.
    on_lost : callable
        Called once when the spawner ends without having been asked to.
    joined : sequence of int
        Descriptors of the namespaces that it goes into (see `spawner.Spawner`); they stay open here.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        log: Path,
        on_lost: Callable[[], None],
        joined: Sequence[int] = (),
    ) -> None:
        self.isolation = ""
        self.detail = ""
        self.overlay_refusal = ""
        """Why the layers of images cannot be mounted and are copied; "" where they are."""
        self._settings = settings
        self._log_path = log
        self._on_lost = on_lost
        self._joined = joined
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._socket: socket.socket | None = None
        self._requests = itertools.count(1)
        self._forked: dict[int, asyncio.Future[Child]] = {}
        self._mounts: dict[int, asyncio.Future[None]] = {}
        self._children: dict[int, Child] = {}
        self._ready: asyncio.Future[None] | None = None
        self._watchdog = Watchdog()

    async def start(self) -> None:
        """Start the spawner; `isolation` and `detail` are known afterwards.

        Raises
        ------
        ContainerStartError
            It ended at once.
        """
        self._ready = asyncio.get_running_loop().create_future()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = spawn(
                boot_argv("spawner", str(theirs.fileno())),
                log=self._log_path,
                new_session=True,
                pass_fds=(theirs.fileno(),),
            )
        self._pid = self._process.pid
        ours.setblocking(False)
        self._socket = ours
        self._send(self._settings, self._joined)
        asyncio.get_running_loop().add_reader(ours, self._receive)
        await self._ready

    @property
    def pid(self) -> int:
        """The number of the process that forks containers: a child of the one that was started, with namespaces."""
        return self._pid

    def knows(self, pid: int) -> bool:
        """Whether a process is one that was asked for and runs."""
        return pid in self._children

    @property
    def alive(self) -> bool:
        """Whether the spawner can be asked."""
        return self._socket is not None

    async def run(
        self, request: dict[str, Any], streams: Sequence[int], sandbox: Sequence[int] = ()
    ) -> Child:
        """Fork a program with `streams` as its descriptors 0, 1, 2 (this process may close them then).

        It goes into the namespaces of `sandbox` first, where there are any (see `layout.POD_NAMESPACES`).

        Raises
        ------
        ContainerStartError
            It cannot be executed; the text says why, in runc's words.
        """
        loop = asyncio.get_running_loop()
        number = next(self._requests)
        forked: asyncio.Future[Child] = loop.create_future()
        self._forked[number] = forked
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._send(
                {"do": "start", "id": number, "sandbox": bool(sandbox), **request},
                (writing, *streams, *sandbox),
            )
        except BaseException:
            os.close(reading)
            del self._forked[number]
            raise
        finally:
            os.close(writing)
        try:
            child = await forked
            try:
                said = await _read_to_end(reading)
            except asyncio.CancelledError:
                self.signal(child.pid, signal.SIGKILL)
                raise
        finally:
            os.close(reading)
        become, failure = _understood(said)
        if failure is not None:
            await child.wait()
            raise _error(failure, request["argv"][0])
        return replace(child, **become)

    async def work(self, task: Sequence[str | int]) -> None:
        """Have a task of `users.file_tasks` done by a child of the spawner.

        Raises
        ------
        OSError
            It could not be done.
        """
        child = await self.run({"task": list(task), "argv": [""], "tty": False}, ())
        ended = await child.wait()
        if ended.exit_code:
            raise OSError(errno.EIO, "not done", str(task[1]))

    async def pause(self) -> Child:
        """Fork the first process of a PID namespace that containers share.

        Raises
        ------
        ContainerStartError
            There is no spawner, or the kernel refuses.
        """
        nothing = os.open(os.devnull, os.O_RDWR)
        try:
            return await self.run({"pause": True, "argv": ["/pause"]}, [nothing] * 3)
        finally:
            os.close(nothing)

    def fork_network(self, quick: int, slow: int) -> None:
        """Fork a network process that serves on two descriptors (see `pod_network.process`).

        Raises
        ------
        OSError
            There is no spawner.
        """
        try:
            self._send({"do": "network"}, (quick, slow))
        except ContainerStartError as error:
            raise OSError(errno.ENETDOWN, str(error)) from None

    async def mount(self, folder: str, size_bytes: int | None) -> None:
        """Mount a file system in memory on a folder, of a size, or take it away (None).

        Raises
        ------
        ContainerStartError
            It cannot be done; the text says why.
        """
        number = next(self._requests)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._mounts[number] = done
        try:
            self._send({"do": "mount", "id": number, "folder": folder, "size": size_bytes}, ())
            await done
        finally:
            self._mounts.pop(number, None)

    def signal(self, pid: int, number: int, *, group: bool = False) -> None:
        """Signal a child, or its process group, unless it has ended."""
        if pid in self._children:
            with contextlib.suppress(OSError, ContainerStartError):
                self._send({"do": "signal", "pid": pid, "signal": int(number), "group": group}, ())

    def check(self, elapsed_s: float) -> str:
        """Ask for a sign of life, and kill a spawner that has given none for long; say so in French ("" otherwise)."""
        if self._socket is None or self._process is None:
            return ""
        pid, watchdog = self._pid, self._watchdog
        watchdog.look(pid, elapsed_s)
        if watchdog.hung:
            self._process.kill()
            return f"lanceur de conteneurs {watchdog.words()}, tué : les conteneurs repartent"
        # A full socket is what a hung spawner leaves.
        with contextlib.suppress(OSError, ContainerStartError):
            self._send({"do": "ping"}, ())
        return ""

    async def close(self) -> None:
        """End the spawner, and with it every child."""
        if self._socket is None or self._process is None:
            return
        self._drop_socket()
        process = self._process
        process.send_signal(signal.SIGCONT)  # one that is suspended sees nothing end
        await asyncio.get_running_loop().run_in_executor(None, process.wait)
        self._end_all()

    def _send(self, message: dict[str, Any], fds: Sequence[int]) -> None:
        if self._socket is None:
            raise ContainerStartError("the spawner of this node is not running")
        memory = os.memfd_create("request", os.MFD_CLOEXEC)
        try:
            os.write(memory, marshal.dumps(message))
            socket.send_fds(self._socket, [b"r"], [memory, *fds])
        except BlockingIOError:
            raise ContainerStartError("the spawner of this node takes no more requests") from None
        finally:
            os.close(memory)

    def _receive(self) -> None:
        assert self._socket is not None
        while self._socket is not None:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return
            except ConnectionError:
                data = b""
            if not data:
                self._lose()
                return
            self._take(marshal.loads(data))

    def _take(self, message: tuple[Any, ...]) -> None:
        match message:
            case ("ready", isolation, detail, overlay_refusal, pid):
                self._pid = pid
                self.isolation, self.detail = isolation, detail
                self.overlay_refusal = overlay_refusal
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(None)
            case ("forked", number, pid, start):
                child = Child(pid, start, asyncio.get_running_loop().create_future())
                self._children[pid] = child
                waiting = self._forked.pop(number)
                if waiting.done():  # whoever wanted it has gone meanwhile
                    self.signal(pid, signal.SIGKILL)
                else:
                    waiting.set_result(child)
            case ("refused", number, text):
                waiting = self._forked.pop(number)
                if not waiting.done():
                    waiting.set_exception(ContainerStartError(text))
            case ("mounted", number, text):
                done = self._mounts.get(number)
                if done is not None and not done.done():
                    if text:
                        done.set_exception(ContainerStartError(text))
                    else:
                        done.set_result(None)
            case ("pong",):
                self._watchdog.heard()
            case ("ended", pid, status, wall_s, cpu_s):
                self._children.pop(pid).ended.set_result(_ended(status, wall_s, cpu_s))

    def _lose(self) -> None:
        self._drop_socket()
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)  # one that is suspended sees nothing end
        self._process.wait()
        _log.error("spawner ended (status %s): its containers are gone", self._process.returncode)
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(ContainerStartError(f"spawner failed, see {self._log_path}"))
        self._on_lost()
        self._end_all()

    def _drop_socket(self) -> None:
        assert self._socket is not None
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None

    def _end_all(self) -> None:
        killed = Ended(128 + signal.SIGKILL, signal.SIGKILL, time.time(), 0.0)
        for child in self._children.values():
            child.ended.set_result(killed)
        self._children.clear()
        asked: list[asyncio.Future[Any]] = [*self._forked.values(), *self._mounts.values()]
        for waiting in asked:
            if not waiting.done():
                waiting.set_exception(ContainerStartError("the spawner of this node ended"))
        self._forked.clear()


def _ended(status: int, wall_s: float, cpu_s: float) -> Ended:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return Ended(128 + number, number, wall_s, cpu_s)
    return Ended(os.WEXITSTATUS(status), 0, wall_s, cpu_s)


async def _read_to_end(descriptor: int) -> bytes:
    """Read a pipe that carries a few short messages or nothing."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    said = b""
    try:
        while True:
            await readable.wait()
            readable.clear()
            try:
                part = os.read(descriptor, 4096)
            except BlockingIOError:
                continue
            if not part:
                return said
            said += part
    finally:
        loop.remove_reader(descriptor)


def _understood(said: bytes) -> tuple[dict[str, Any], tuple[Any, ...] | None]:
    """Return what a child says on its way to its program: fields of `Child`, and what stopped it."""
    stream, become = io.BytesIO(said), dict[str, Any]()
    while stream.tell() < len(said):
        match marshal.load(stream):
            case ("identity", *fields):
                become["identity"] = Identity(*fields)
            case ("one id", refusal):
                become["one_id_refusal"] = refusal
            case failure:
                return become, failure
    return become, None


def _error(failure: tuple[Any, ...], program: str) -> ContainerStartError:
    stage, number, text, path = failure
    if stage == "user":
        place = f"/var/lib/containerd/tmpmounts/containerd-mount{secrets.randbits(31)}"
        return ContainerCreateError(
            f"failed to create containerd container: mount callback failed on {place}: {text}"
        )
    if stage == "exec":
        place = f"stat {program}: " if "/" in program and number == errno.ENOENT else ""
        return ContainerStartError(f'exec: "{program}": {place}{text[:1].lower()}{text[1:]}')
    where = f" {path}" if path else ""
    return ContainerStartError(f"{_STAGES[stage]}:{where}: {text} (errno {number})")
