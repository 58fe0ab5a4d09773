"""The runtime: containers as plain processes of an ordinary user (see `cri.Runtime`)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import resource
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...config import ISOLATION_FILE, REMOVER_FILE, ClusterConfig
from ..cri import (
    Container,
    ContainerConfig,
    ContainerCreateError,
    ContainerStartError,
    ImageConfig,
    Mount,
    NetworkRefusedError,
    SandboxConfig,
)
from ..images.bases import host_programs
from ..images.store import Store
from ..isolation import given_up, variable
from ..network.sockets import HostSockets, PodSockets, Sockets
from ..storage.disk import used_bytes
from . import prefix, proctree
from .container import ProcessContainer
from .execution import Streams
from .layers import overlay
from .limits import Limiter, LimitWatch, java_options
from .pod_network.sandboxes import Sandboxes
from .spawner_link import Child, SpawnerLink
from .users import id_maps, ranges

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
        self.ids = ""
        self.limiter = Limiter()
        self.store = Store(config.path / "images")
        self._config = config
        self._node = config.path / "nodes" / node_name
        self._log_path = config.path / "logs" / f"spawner-{node_name}.log"
        self._mark = f"{self._node}/"
        self._tasks: set[asyncio.Task[None]] = set()
        self._restart = asyncio.Lock()
        self._marked: dict[Path, bool] = {}
        """Folders of layers → whether overlayfs' marks can be made in them."""
        self._in_memory: dict[Path, int] = {}
        """File systems in memory → their size (bytes)."""
        self._joined: dict[Path, tuple[Path, ...]] = {}
        self.link = self._new_link(())
        self.network: str = config.network
        self.sockets: Sockets = HostSockets()
        self._pauses: dict[str, Child | None] = {}
        """Pods whose containers share their processes → the first of these, once there is one."""
        self._sandboxes: Sandboxes | None = None
        if config.network == "pods":
            self._sandboxes = Sandboxes(config, node_name, self._fork_network)
            self.sockets = PodSockets(self._sandboxes.link.sockets, self._network_of)

    async def start(self) -> None:
        """Start the spawner, after killing what a former one may have left.

        Raises
        ------
        ContainerStartError
            The spawner does not start, or the kernel refuses what the cluster's network needs.
        """
        _raise_open_files()
        for name in ("containers", "base", "trial"):
            (self._node / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(self._clear)
        await self._start_link()
        self.isolation = self.link.isolation
        self.ids = "" if self.isolation == "prefix" else ranges.name()
        (self._node / ISOLATION_FILE).write_text(self.isolation)
        if self.ids not in ("", id_maps.ROOT, id_maps.SINGLE):
            (self._config.path / REMOVER_FILE).write_text(json.dumps(ranges.remover()))
        if self.isolation == "prefix":
            _log.warning("no namespaces for containers: %s", self.link.detail)

    def _clear(self) -> None:
        proctree.kill_marked(self._mark)
        for folder in (self._node / "containers", self._node / "trial"):
            for left in folder.iterdir():
                ranges.delete(left)

    async def close(self) -> None:
        """Kill every container and stop."""
        self.limiter.close()
        if self._sandboxes is not None:
            await self._sandboxes.close()
        if isinstance(self.sockets, PodSockets):
            self.sockets.close()
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
        if self.isolation == "prefix" and not config.image.host_programs:
            raise ContainerCreateError(
                f'image "{config.image.reference}" brings its own root file system, which needs a mount namespace: '
                f"{self.link.detail}"
            )
        container_id = os.urandom(32).hex()
        folder = self._node / "containers" / container_id
        folder.mkdir(mode=0o700)
        container = ProcessContainer(
            self, config, container_id, folder, self._env(config), config.working_dir or "/"
        )
        streams = Streams.open(stdin=config.stdin, tty=config.tty)
        try:
            container.hold_layers(self.store.shared)
            self._prepare(container)
            request = self.request(container, config.argv, tty=config.tty)
            if self.isolation == "namespaces":
                request["view"] = self._view(container)
                # A server whose image declares a data folder may insist on owning it.
                request["owners"] = bool(config.image.volumes)
            container.processes = await self._shared_processes(config)
            if container.processes:
                request["processes"] = container.processes
            child = await self.link.run(request, streams.child, self._sandbox_of(config))
        except BaseException:
            streams.close_ours()
            container.remove()
            raise
        finally:
            streams.close_childs()
        await container.adopt(child, streams)
        return container

    def in_network(self, argv: Sequence[str]) -> tuple[str, ...] | None:
        """Return the command line that runs a program in the pods' network (see `cri.Runtime`)."""
        return None if self._sandboxes is None else self._sandboxes.command(argv)

    async def run_sandbox(self, config: SandboxConfig) -> None:
        """Make a pod's sandbox, unless it is there (see `cri.Runtime`)."""
        if config.share_processes and self.isolation == "namespaces":
            self._pauses.setdefault(config.pod_uid, None)
        if self._sandboxes is not None:
            await self._ensure_spawner()
            await self._sandboxes.run(config)

    async def stop_sandbox(self, pod_uid: str) -> None:
        """Let go of a pod's sandbox, if it has one."""
        pause = self._pauses.pop(pod_uid, None)
        if pause is not None:
            self.link.signal(pause.pid, signal.SIGKILL)
        if self._sandboxes is not None:
            self._sandboxes.stop(pod_uid)

    async def _shared_processes(self, config: ContainerConfig) -> int:
        """Return a process of the PID namespace that a container goes into; 0 for one of its own."""
        if config.target_pid or config.pod_uid not in self._pauses:
            return config.target_pid
        pause = self._pauses[config.pod_uid]
        if pause is None or pause.ended.done():
            pause = self._pauses[config.pod_uid] = await self.link.pause()
        return pause.pid

    def _sandbox_of(self, config: ContainerConfig) -> tuple[int, ...]:
        if self._sandboxes is None or not config.pod_uid:
            return ()
        return self._sandboxes.namespaces(config.pod_uid)

    def _network_of(self, pod_uid: str) -> int:
        assert self._sandboxes is not None
        try:
            return self._sandboxes.namespaces(pod_uid)[0]
        except ContainerStartError as error:
            raise OSError(errno.ENETUNREACH, str(error)) from None

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
        """Mount a file system in memory on a folder, for containers (see `mounted`), unless it is there.

        Raises
        ------
        ContainerStartError
            There are no mounts here ("prefix").
        """
        await self._ensure_spawner()
        if folder not in self._in_memory:
            await self.link.mount(str(folder), size_bytes)
            self._in_memory[folder] = size_bytes

    def mounted(self, folder: Path) -> Path:
        """Return where this process sees what is mounted on a folder for containers."""
        return Path(f"/proc/{self.link.pid}/root{folder}")

    async def unmount(self, folder: Path) -> None:
        """Take such a file system away."""
        self._in_memory.pop(folder, None)
        self._joined.pop(folder, None)
        with contextlib.suppress(ContainerStartError):
            await self.link.mount(str(folder), None)

    def use_layers(self, layers: Sequence[Path]) -> contextlib.AbstractContextManager[None]:
        """Keep an image's layers from being removed meanwhile (see `ContentStore.used`)."""
        return self.store.shared.used(layers)

    async def join_layers(self, folder: Path, layers: tuple[Path, ...]) -> None:
        """Let a folder show layers as one tree, for containers (see `mounted`); `unmount` takes it away.

        Raises
        ------
        OSError
            It cannot be done.
        """
        try:
            await self._ensure_spawner()
            await self.link.work(("join", str(folder), *map(str, layers)))
        except ContainerStartError as error:
            raise OSError(0, str(error), str(folder)) from None
        self._joined[folder] = layers

    async def give_to_group(
        self, folder: Path, group: int, *, writable: bool, only_if_new: bool
    ) -> None:
        """Give a volume's files to a group; nothing where there is but one (see `file_tasks.give`).

        Raises
        ------
        OSError
            It cannot be done.
        """
        if self.ids in ("", id_maps.SINGLE):
            return
        try:
            await self._ensure_spawner()
            await self.link.work(("give", str(folder), group, writable, only_if_new))
        except ContainerStartError as error:
            raise OSError(0, str(error), str(folder)) from None

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
        } | (self._of_user(config) if self.isolation == "namespaces" else {})

    @staticmethod
    def _of_user(config: ContainerConfig) -> dict[str, Any]:
        user = config.user
        wanted = {
            "user": user.user,
            "groups": list(user.groups),
            "of_image": user.groups_of_image,
        }
        return {"user": wanted, "ids": ranges.id_map()}

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold a reference to a task until it is over."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def orphans(self, container: ProcessContainer) -> dict[int, int]:
        """Return the processes of a container that left its tree, with their start (see `Child.start`).

        A PID namespace lets none do so, unless it is shared: then the view of files tells them apart.
        """
        if self.isolation == "namespaces":
            if not container.processes:
                return {}
            left = proctree.seeing(container.view, container.processes)
        else:
            mark = self._mark_of(container)
            adopted = (pid for pid in proctree.children(self.link.pid) if not self.link.knows(pid))
            left = [pid for pid in adopted if proctree.is_marked(pid, mark)]
        trees = {pid: proctree.descent(pid) for pid in left}
        return {pid: known[1] for pid, known in trees.items() if known is not None}

    async def sweep(self, container: ProcessContainer) -> None:
        """Kill what a container's main process leaves behind; a PID namespace does it by itself."""
        if self.isolation == "prefix":
            await asyncio.to_thread(proctree.kill_marked, self._mark_of(container))
        elif container.view:
            await asyncio.to_thread(proctree.kill_seeing, container.view, container.processes)

    async def _start_link(self) -> None:
        if self._sandboxes is None:
            self.link = self._new_link(())
            await self.link.start()
            return
        async with self._sandboxes.joining() as joined:
            self.link = self._new_link(joined)
            await self.link.start()
            if self.link.isolation != "namespaces":
                asked = f"{variable()}=prefix" if given_up() else self.link.detail
                raise NetworkRefusedError(_refused(asked))
            self._sandboxes.hold(self.link.pid)
        try:
            self._sandboxes.start()
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise ContainerStartError(_refused(reason)) from None

    def _fork_network(self, quick: int, slow: int) -> None:
        self.link.fork_network(quick, slow)

    def _new_link(self, joined: tuple[int, ...]) -> SpawnerLink:
        programs = host_programs()
        settings = {
            "base": str(self._node / "base"),
            "trial": str(self._node / "trial"),
            "extra": [str(folder) for folder in programs.folders()],
            "hidden": [str(self._config.path)],
            "prefix": given_up(),
            "network": self._config.network == "pods",
            "mark": self._mark,
            "ids": ranges.id_map(),
        }
        return SpawnerLink(settings, self._log_path, self._on_lost, joined)

    def _on_lost(self) -> None:
        # Where namespaces hold containers together, the kernel has killed them already.
        if self.isolation == "prefix":
            proctree.kill_marked(self._mark)
        if self.network == "pods" and self.link.isolation:
            # Whoever waits for a socket cannot wait for a spawner.
            self.keep(asyncio.create_task(self._ensure_spawner()))

    async def _ensure_spawner(self) -> None:
        async with self._restart:
            if not self.link.alive:
                await self._start_link()
                # A pod that goes meanwhile takes its volumes away.
                for folder, size_bytes in tuple(self._in_memory.items()):
                    if folder in self._in_memory:
                        await self.link.mount(str(folder), size_bytes)
                for folder, layers in tuple(self._joined.items()):
                    if folder in self._joined:
                        await self.link.work(("join", str(folder), *map(str, layers)))

    def _env(self, config: ContainerConfig) -> dict[str, str]:
        env = {"PATH": _DEFAULT_PATH, "HOSTNAME": config.hostname, **config.env}
        if self.isolation == "prefix":
            env.setdefault("HOME", "/root")  # elsewhere the account's own
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
                container.root, config.image.layers, (*covers, *config.mounts), container.cwd
            )

    @staticmethod
    def _covers(container: ProcessContainer) -> tuple[tuple[Path, str], ...]:
        """Return the files that stand in front of the image's, and where; a volume that is mounted there wins."""
        resolv_path = container.config.resolv_path
        files = (
            (container.config.hosts_path, "/etc/hosts"),
            (container.folder / "hostname", "/etc/hostname"),
            *(() if resolv_path is None else ((resolv_path, "/etc/resolv.conf"),)),
        )
        mounted = {mount.container_path.rstrip("/") for mount in container.config.mounts}
        return tuple((host, place) for host, place in files if place not in mounted)

    def _may_mount(self, image: ImageConfig) -> bool:
        """Return whether an image's layers can be mounted, and mean then what they say."""
        parents = {layer.parent for layer in image.layers}
        self._marked |= {
            path: overlay.holds_marks(str(path)) for path in parents - self._marked.keys()
        }
        return not self.link.overlay_refusal and all(self._marked[path] for path in parents)

    def _view(self, container: ProcessContainer) -> dict[str, Any]:
        config = container.config
        return {
            "root": str(container.root),
            "layers": [str(layer) for layer in config.image.layers],
            "binds": [
                (str(mount.host_path), mount.container_path, mount.read_only)
                for mount in sorted(
                    config.mounts, key=lambda candidate: candidate.container_path.count("/")
                )
            ],
            "covers": [(str(host), place) for host, place in self._covers(container)],
            "hostname": "" if self._sandbox_of(config) else config.hostname,
            "read_only": config.read_only_root,
            "host_programs": config.image.host_programs,
            "overlay": self._may_mount(config.image),
            "cwd": container.cwd,
            "volumes": list(config.image.volumes),
        }


def _refused(detail: str) -> str:
    return (
        "les espaces de noms dont le réseau de ce cluster a besoin sont maintenant refusés : "
        f"{detail} (« doctor » dit comment les permettre ; supprimé puis recréé, le cluster s’en passe)"
    )


def _raise_open_files() -> None:
    """Allow as many descriptors as the system lets: each container takes two or three."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
