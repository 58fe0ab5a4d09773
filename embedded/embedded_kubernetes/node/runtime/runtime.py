"""The runtime: containers as plain processes of an ordinary user (see `cri.Runtime`)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...config import ISOLATION_FILE, ClusterConfig
from ..cri import Container, ContainerConfig, ContainerStartError, ImageConfig, Mount
from ..images.bases import host_programs
from ..images.store import Store
from ..isolation import given_up
from ..storage.disk import used_bytes
from . import prefix, proctree
from .container import ProcessContainer
from .execution import Streams
from .limits import Limiter, LimitWatch, java_options
from .spawner_link import SpawnerLink

_log = logging.getLogger(__name__)

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ProcessRuntime:
    """Runs the containers of one node.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    node_name : str
        The node; its files are in `nodes/<node>/containers`.
    """

    def __init__(self, config: ClusterConfig, node_name: str) -> None:
        self.isolation = ""
        self.user: dict[str, Any] = {}
        self.limiter = Limiter()
        self.store = Store(config.path / "images")
        self._config = config
        self._node = config.path / "nodes" / node_name
        self._log_path = config.path / "logs" / f"spawner-{node_name}.log"
        self._mark = f"{self._node}/"
        self._tasks: set[asyncio.Task[None]] = set()
        self._restart = asyncio.Lock()
        self._in_memory: dict[Path, int] = {}
        """File systems in memory → their size (bytes)."""
        self.link = self._new_link()

    async def start(self) -> None:
        """Start the spawner, after killing what a former one may have left.

        Raises
        ------
        ContainerStartError
            The spawner does not start.
        """
        _raise_open_files()
        for name in ("containers", "base", "trial"):
            (self._node / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(self._clear)
        await self.link.start()
        self.isolation = self.link.isolation
        own = self.isolation == "prefix"
        group = os.getegid() if own else 0
        self.user = {
            "linux": {
                "uid": os.geteuid() if own else 0,
                "gid": group,
                "supplementalGroups": [group],
            }
        }
        (self._node / ISOLATION_FILE).write_text(self.isolation)
        if self.isolation == "prefix":
            _log.warning("no namespaces for containers: %s", self.link.detail)

    def _clear(self) -> None:
        proctree.kill_marked(self._mark)
        for folder in (self._node / "containers", self._node / "trial"):
            for left in folder.iterdir():
                shutil.rmtree(left, ignore_errors=True)

    async def close(self) -> None:
        """Kill every container and stop."""
        self.limiter.close()
        await self.link.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def check_spawner(self, elapsed_s: float) -> str:
        """See whether the spawner still works, `elapsed_s` seconds after the last look; kill one that hangs.

        Its containers end with it and are started again; what happened is returned in French, "" where it was nothing.
        """
        return self.link.check(elapsed_s)

    def image(self, reference: str) -> ImageConfig | None:
        """Return an image that this cluster can run, or None."""
        return self.store.get(reference)

    def images(self) -> tuple[ImageConfig, ...]:
        """Return all images of this cluster."""
        return self.store.all()

    async def run(self, config: ContainerConfig) -> Container:
        """Start a container.

        Raises
        ------
        ContainerStartError
            The program is not there or cannot be executed.
        """
        await self._ensure_spawner()
        container_id = os.urandom(32).hex()
        folder = self._node / "containers" / container_id
        folder.mkdir(mode=0o700)
        container = ProcessContainer(
            self, config, container_id, folder, self._env(config), config.working_dir or "/"
        )
        streams = Streams.open(stdin=config.stdin, tty=config.tty)
        try:
            self._prepare(container)
            request = self.request(container, config.argv, tty=config.tty)
            if self.isolation == "namespaces":
                request["view"] = self._view(container)
            child = await self.link.run(request, streams.child)
        except BaseException:
            streams.close_ours()
            container.remove()
            raise
        finally:
            streams.close_childs()
        await container.adopt(child, streams)
        return container

    def limit_pod(
        self,
        pod: str,
        containers: Sequence[Container],
        *,
        memory_limit_bytes: int | None,
        cpu_limit_cores: float | None,
    ) -> None:
        """Hold some containers together to limits, or to new ones, or to none.

        Over the memory limit the largest of them is killed, as the kernel chooses by size.
        """
        ours = [container for container in containers if isinstance(container, ProcessContainer)]
        if not ours:
            self.limiter.forget(pod)
            self.limiter.forget_group(pod)
            return
        watch = LimitWatch(
            members=lambda: [pid for container in ours for pid in container.members()],
            owns=lambda pid: any(container.owns(pid) for container in ours),
            on_oom=lambda: max(
                ours, key=lambda container: container.usage().memory_bytes
            ).run_out_of_memory(),
            memory_limit_bytes=memory_limit_bytes,
            cpu_limit_cores=cpu_limit_cores,
            files_bytes=lambda: sum(
                used_bytes(self.mounted(folder))
                for folder in {
                    path for container in ours for path in container.config.memory_folders
                }
            ),
        )
        self.limiter.watch(pod, watch, pod)

    async def mount_memory(self, folder: Path, size_bytes: int) -> None:
        """Mount a file system in memory on a folder, for containers (see `mounted`).

        Raises
        ------
        ContainerStartError
            There are no mounts here ("prefix").
        """
        await self._ensure_spawner()
        await self.link.mount(str(folder), size_bytes)
        self._in_memory[folder] = size_bytes

    def mounted(self, folder: Path) -> Path:
        """Return where this process sees what is mounted on a folder for containers."""
        return Path(f"/proc/{self.link.pid}/root{folder}")

    async def unmount_memory(self, folder: Path) -> None:
        """Take such a file system away."""
        self._in_memory.pop(folder, None)
        with contextlib.suppress(ContainerStartError):
            await self.link.mount(str(folder), None)

    def request(
        self, container: ProcessContainer, argv: Sequence[str], *, tty: bool
    ) -> dict[str, Any]:
        """Return what the spawner needs to run a program in a container."""
        env, cwd = dict(container.env), container.cwd
        argv = list(argv)
        if tty:
            env.setdefault("TERM", "xterm")
        if self.isolation == "prefix":
            assert container.translator is not None
            argv = container.translator.argv(argv)
            env = container.translator.env(env)
            env |= {
                "K8S_ROOT": str(container.root),
                "TMPDIR": f"{container.root}/tmp",
                "HOME": f"{container.root}{container.env['HOME']}",
                "K8S_HOSTS": str(container.config.hosts_path),
                "PYTHONPATH": prefix.python_path(env.get("PYTHONPATH", "")),
            }
            env[proctree.MARK] = self._mark_of(container)
            cwd = f"{container.root}{cwd}"
        config = container.config
        return {
            "argv": argv,
            "env": env,
            "cwd": cwd,
            "tty": tty,
            "capabilities": None if config.capabilities is None else list(config.capabilities),
            "no_new_privileges": config.no_new_privileges,
        }

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold a reference to a task until it is over."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def orphans(self, container: ProcessContainer) -> dict[int, int]:
        """Return the processes of a container that left its tree, with their start (see `Child.start`).

        A PID namespace lets none do so.
        """
        if self.isolation == "namespaces":
            return {}
        mark = self._mark_of(container)
        adopted = (pid for pid in proctree.children(self.link.pid) if not self.link.knows(pid))
        trees = {pid: proctree.descent(pid) for pid in adopted if proctree.is_marked(pid, mark)}
        return {pid: known[1] for pid, known in trees.items() if known is not None}

    async def sweep(self, container: ProcessContainer) -> None:
        """Kill what a container's main process leaves behind; a PID namespace does it by itself."""
        if self.isolation == "prefix":
            await asyncio.to_thread(proctree.kill_marked, self._mark_of(container))

    def _new_link(self) -> SpawnerLink:
        programs = host_programs()
        settings = {
            "base": str(self._node / "base"),
            "trial": str(self._node / "trial"),
            "extra": [str(folder) for folder in programs.folders()],
            "hidden": [str(self._config.path)],
            "prefix": given_up(),
            "mark": self._mark,
        }
        return SpawnerLink(settings, self._log_path, self._on_lost)

    def _on_lost(self) -> None:
        # Where namespaces hold containers together, the kernel has killed them already.
        if self.isolation == "prefix":
            proctree.kill_marked(self._mark)

    async def _ensure_spawner(self) -> None:
        async with self._restart:
            if not self.link.alive:
                self.link = self._new_link()
                await self.link.start()
                for folder, size_bytes in self._in_memory.items():
                    await self.link.mount(str(folder), size_bytes)

    def _env(self, config: ContainerConfig) -> dict[str, str]:
        env = {"PATH": _DEFAULT_PATH, "HOME": "/root", "HOSTNAME": config.hostname, **config.env}
        if "JAVA_HOME" in env or config.argv[0].rpartition("/")[2] == "java":
            options = java_options(
                env, config.memory_limit_bytes, config.cpu_limit_cores, config.argv
            )
            if options is not None:
                env["JAVA_TOOL_OPTIONS"] = options
        return env

    def _mark_of(self, container: ProcessContainer) -> str:
        return f"{self._mark}{container.container_id}"

    def _prepare(self, container: ProcessContainer) -> None:
        (container.folder / "hostname").write_text(container.config.hostname + "\n")
        if self.isolation == "prefix":
            config = container.config
            covers = [Mount(host, place) for host, place in self._covers(container)]
            container.translator = prefix.lay(
                container.root, config.image.rootfs, (*covers, *config.mounts), container.cwd
            )

    @staticmethod
    def _covers(container: ProcessContainer) -> tuple[tuple[Path, str], ...]:
        """Return the files that stand in front of the host's, and where."""
        return (
            (container.config.hosts_path, "/etc/hosts"),
            (container.folder / "hostname", "/etc/hostname"),
        )

    def _view(self, container: ProcessContainer) -> dict[str, Any]:
        config = container.config
        return {
            "root": str(container.root),
            "image": str(config.image.rootfs),
            "binds": [
                (str(mount.host_path), mount.container_path, mount.read_only)
                for mount in sorted(
                    config.mounts, key=lambda candidate: candidate.container_path.count("/")
                )
            ],
            "covers": [(str(host), place) for host, place in self._covers(container)],
            "hostname": config.hostname,
            "read_only": config.read_only_root,
        }


def _raise_open_files() -> None:
    """Allow as many descriptors as the system lets: each container takes two or three."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
