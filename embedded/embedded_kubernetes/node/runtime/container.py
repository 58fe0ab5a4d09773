"""One container: its processes, streams, limits and files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cri import ContainerConfig, ContainerCreateError, ExecProcess, ExitStatus, Usage
from ..storage.disk import used_bytes, written_bytes
from . import pipes, proctree, rootfs
from .execution import Attachment, Execution, Streams
from .limits import LimitWatch
from .logs import LogFile, Pump
from .prefix import Translator
from .spawner_link import Child, Ended
from .users import ranges
from .users.accounts import Identity

if TYPE_CHECKING:
    from ..images.content.content_store import ContentStore
    from .runtime import ProcessRuntime

_DRAIN_S = 1.0
"""How long the last lines may take to come after the program's end."""


class ProcessContainer:
    """A container that was started (see `cri.Container`).

    Parameters
    ----------
    runtime : ProcessRuntime
        What started it.
    config : ContainerConfig
        What was asked for.
    container_id : str
        64 hexadecimal digits.
    folder : Path
        Its own folder: `root` holds its files.
    env : mapping
        What its programs get.
    cwd : str
        Working directory as the kernel knows it.
    """

    def __init__(
        self,
        runtime: ProcessRuntime,
        config: ContainerConfig,
        container_id: str,
        folder: Path,
        env: Mapping[str, str],
        cwd: str,
    ) -> None:
        self.config = config
        self.container_id = container_id
        self.pid = 0
        self.started_wall_s = 0.0
        self.env = env
        self.cwd = cwd
        self.folder = folder
        self.translator: Translator | None = None
        """Rewrites paths where no mount namespace does."""
        self.processes = 0
        """The first process of the PID namespace that it shares with others; 0 where it has one of its own."""
        self.view = ""
        """What names its mount namespace, where it shares its processes."""
        self._runtime = runtime
        self._layers = contextlib.ExitStack()
        self._status: asyncio.Future[ExitStatus] = asyncio.get_running_loop().create_future()
        self._pumps: dict[str, Pump] = {}
        self._log: LogFile | None = None
        self._input: asyncio.StreamWriter | None = None
        self._terminal: int | None = None
        self._roots: dict[int, int] = {}
        """Main program and commands that run in it: number → start (see `Child.start`)."""
        self._identity: Identity | None = None
        self.one_id_refusal = ""
        self._ended_execs_cpu_s = 0.0
        self._cpu_s = 0.0
        self._oom = False

    @property
    def root(self) -> Path:
        """The host's folder that is (or, with prefix, stands for) the container's `/`."""
        return self.folder / "root"

    @property
    def user(self) -> dict[str, Any]:
        """Who its programs are, as `status.containerStatuses[].user` has it."""
        identity = self._identity
        if identity is None:
            identity = Identity(os.geteuid(), os.getegid(), (os.getegid(),), "")
        uid, gid, groups, _ = identity
        return {"linux": {"uid": uid, "gid": gid, "supplementalGroups": list(groups)}}

    @property
    def overlay_work(self) -> Path:
        """What overlayfs needs beside `root`; there only where the image's layers are mounted, not copied."""
        return self.folder / "root.work"

    async def adopt(self, child: Child, streams: Streams) -> None:
        """Take over the program that the spawner started."""
        self.pid = child.pid
        self._identity = child.identity
        self.one_id_refusal = child.one_id_refusal
        self._roots[child.pid] = child.start
        if self.processes:
            self.view = proctree.mount_namespace(child.pid)
        self.started_wall_s = time.time()
        self._log = LogFile(self.config.log_path)
        self._pumps = {
            name: Pump(descriptor, "stderr" if name == "stderr" else "stdout", self._log)
            for name, descriptor in streams.outputs.items()
        }
        self._terminal = streams.terminal
        if streams.stdin is not None:
            self._input = await pipes.writer(streams.stdin)
        self.set_limits(
            memory_limit_bytes=self.config.memory_limit_bytes,
            cpu_limit_cores=self.config.cpu_limit_cores,
        )
        self._runtime.keep(asyncio.create_task(self._follow(child)))

    async def _follow(self, child: Child) -> None:
        ended = await child.wait()
        self._runtime.limiter.forget(self.container_id)
        await self._runtime.sweep(self)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                for pump in self._pumps.values():
                    await pump.ended.wait()
        for pump in self._pumps.values():
            pump.close()
        if self._input is not None:
            self._input.close()
        if self._log is not None:
            self._log.close()
        self._status.set_result(self._exit_status(ended))

    def _exit_status(self, ended: Ended) -> ExitStatus:
        if self._oom:
            return ExitStatus(137, "OOMKilled", ended.wall_s, signal.SIGKILL)
        reason = "Completed" if ended.exit_code == 0 else "Error"
        return ExitStatus(ended.exit_code, reason, ended.wall_s, ended.signal)

    async def wait(self) -> ExitStatus:
        """Return how it ended."""
        return await asyncio.shield(self._status)

    def running(self) -> bool:
        """Whether its main process lives."""
        return not self._status.done() and self._runtime.link.knows(self.pid)

    async def stop(self, grace_s: float) -> ExitStatus:
        """Ask the main process to end, then kill the whole tree after `grace_s` seconds."""
        if grace_s > 0 and not self._status.done():
            name = self.config.image.stop_signal
            self._runtime.link.signal(self.pid, _signal_number(name))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    return await self.wait()
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """Kill the main process; the rest of the tree goes with it."""
        self._runtime.link.signal(self.pid, signal.SIGKILL)

    async def exec(
        self, argv: Sequence[str], *, stdin: bool = False, tty: bool = False
    ) -> ExecProcess:
        """Run a command in the container's view of files, environment and limits.

        Raises
        ------
        ContainerStartError
            It cannot be executed, or the container has ended.
        """
        streams = Streams.open(stdin=stdin, tty=tty)
        request = self._runtime.request(self, argv, tty=tty)
        request["container"] = self.pid
        if self._identity is not None:
            request["identity"] = list(self._identity)
        try:
            child = await self._runtime.link.run(request, streams.child)
        except BaseException:
            streams.close_ours()
            raise
        finally:
            streams.close_childs()
        self._roots[child.pid] = child.start
        self._runtime.limiter.touch(self.container_id)
        child.ended.add_done_callback(lambda ended: self._end_exec(child.pid, ended))
        return await Execution.make(self._runtime.link, child, streams)

    def _end_exec(self, pid: int, ended: asyncio.Future[Ended]) -> None:
        self._roots.pop(pid, None)
        if not ended.cancelled():
            self._ended_execs_cpu_s += ended.result().cpu_s

    async def attach(self) -> ExecProcess:
        """Return the main process's own streams from now on."""
        return Attachment(self, self._input, self._pumps, self._terminal)

    def members(self) -> list[int]:
        """Return the host's numbers of all its processes."""
        if not self.running():
            return []
        members = proctree.tree([*self._roots, *self._runtime.orphans(self)])
        return list(dict.fromkeys(members))

    def owns(self, pid: int) -> bool:
        """Return whether a process is one of its own, whatever others had its number before."""
        return proctree.belongs(pid, self._roots | self._runtime.orphans(self))

    def usage(self) -> Usage:
        """Return what its tree uses now."""
        pids = self.members()
        used = self._ended_execs_cpu_s
        for pid in pids:
            used += (proctree.cpu_clock_s(pid) or 0.0) + proctree.ended_children_cpu_s(pid)
        self._cpu_s = max(self._cpu_s, used)  # an orphan's end takes its time away
        if len(pids) > 1:
            memory = sum(map(proctree.shared_out_memory_bytes, pids))
        else:
            memory = sum(map(proctree.memory_bytes, pids))
        return Usage(time.time(), self._cpu_s, memory + self._files_bytes())

    def _files_bytes(self) -> int:
        """Return what its files in memory take."""
        return sum(
            used_bytes(self._runtime.mounted(folder)) for folder in self.config.memory_folders
        )

    def set_limits(self, *, memory_limit_bytes: int | None, cpu_limit_cores: float | None) -> None:
        """Change the limits in place."""
        watch = LimitWatch(
            self.members,
            self.owns,
            self.run_out_of_memory,
            memory_limit_bytes,
            cpu_limit_cores,
            files_bytes=self._files_bytes,
        )
        self._runtime.limiter.watch(self.container_id, watch, self.config.pod)

    def run_out_of_memory(self) -> None:
        """Kill it for the memory that it, or its pod, has taken."""
        self._oom = True
        self.kill()

    def host_path(self, container_path: str) -> Path:
        """Return where a path of the container lies on the host."""
        for mount in sorted(
            self.config.mounts, key=lambda candidate: -len(candidate.container_path)
        ):
            place = mount.container_path.rstrip("/")
            if container_path == place or container_path.startswith(place + "/"):
                return Path(f"{mount.host_path}{container_path[len(place) :]}")
        own = Path(rootfs.inside(container_path, str(self.root)))
        host = Path(container_path)
        # The places where the host's programs are bound are empty seen from here.
        return host if _is_empty(own) and host.exists() and not _is_empty(host) else own

    def written_bytes(self) -> int:
        """Return the disk space of what it has written into its own files: not those that came with its image."""
        if self.overlay_work.exists():
            return written_bytes(self.root)
        brought = sum(map(written_bytes, self.config.image.layers))
        return max(0, written_bytes(self.root) - brought)

    def hold_layers(self, store: ContentStore) -> None:
        """Keep the layers of its image from being removed as long as it is there.

        Raises
        ------
        ContainerCreateError
            They have just been removed.
        """
        try:
            self._layers.enter_context(store.used(self.config.image.layers))
        except FileNotFoundError:
            words = f'failed to create containerd container: image "{self.config.image.reference}": not found'
            raise ContainerCreateError(words) from None

    def remove(self) -> None:
        """Delete its writable files; its log stays."""
        ranges.delete(self.folder)
        self._layers.close()


def _signal_number(name: str) -> int:
    if name.isdigit():
        return int(name)
    return signal.Signals["SIG" + name.removeprefix("SIG")]


def _is_empty(path: Path) -> bool:
    try:
        return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0
    except OSError:
        return True
