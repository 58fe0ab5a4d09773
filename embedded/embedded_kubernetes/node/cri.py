"""The line between the kubelet's logic and what runs processes: our small Container Runtime Interface.

`agent`, `probes`, `restarts` … stand above it and speak Kubernetes; `runtime` stands below it and speaks processes,
mounts and limits. The names are those of the upstream CRI where it has one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .network.sockets import Sockets


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host that a container sees at a path of its own."""

    host_path: Path
    container_path: str
    read_only: bool = False


@dataclass(frozen=True)
class ImageConfig:
    """What an image says of how to run it (OCI image configuration, `config` object)."""

    reference: str
    image_id: str
    """`sha256:…` of its content."""
    layers: tuple[Path, ...]
    """Folders of its files, each laid out from `/`, the lowest first; nobody writes into them.

    What a layer takes away is marked as overlayfs does: a character device 0:0, `user.overlay.opaque` on a folder.
    """
    host_programs: bool = False
    """Whether it runs on this machine's own programs, which then lie below its layers."""
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = "/"
    exposed_ports: tuple[int, ...] = ()
    stop_signal: str = "SIGTERM"
    """What asks its program to end (`STOPSIGNAL`)."""
    user: str = ""
    """What `USER` says: number or name, perhaps with a group."""
    volumes: tuple[str, ...] = ()
    """Folders that each container gets a fresh one for (`VOLUME`)."""
    labels: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int = 0
    """What its layers took where they came from, compressed."""
    repo_digests: tuple[str, ...] = ()
    """`docker.io/library/busybox@sha256:…` of each repository that it is known to come from."""
    built_in: bool = False
    """Whether it is made of the host's own programs and has no files of its own."""

    @property
    def status_id(self) -> str:
        """What `status.containerStatuses[].imageID` says: where it was pulled from, or its own digest."""
        return next(iter(self.repo_digests), self.image_id)

    @property
    def status_name(self) -> str:
        """What `status.containerStatuses[].image` says; "" for what the manifest says."""
        return "" if self.host_programs or "@" in self.reference else self.reference

    def to_oci(self) -> dict[str, Any]:
        """Return the `config` object that an OCI image would carry: what is empty is left out, as builders do."""
        plain = {
            "User": self.user,
            "ExposedPorts": {f"{port}/tcp": {} for port in self.exposed_ports},
            "Env": [f"{name}={value}" for name, value in self.env.items()],
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.cmd),
            "WorkingDir": self.working_dir,
            "StopSignal": self.stop_signal,
            "Volumes": {path: {} for path in self.volumes},
            "Labels": dict(self.labels),
        }
        return {name: value for name, value in plain.items() if value}


@dataclass(frozen=True)
class UserConfig:
    """Who a container is to run as; the image's own `/etc/passwd` and `/etc/group` say what names stand for."""

    user: str = ""
    """Number or name, perhaps `:GROUP`; "" for root."""
    groups: tuple[int, ...] = ()
    """Further groups: the pod's `fsGroup` and `supplementalGroups`."""
    groups_of_image: bool = True
    """Whether it is also in the groups that the image gives the user (`supplementalGroupsPolicy: Merge`)."""


@dataclass(frozen=True)
class SandboxConfig:
    """What the containers of one pod share (upstream: `PodSandboxConfig`)."""

    pod_uid: str
    hostname: str
    address: str | None
    """None for a pod that lives in its node's network."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    share_processes: bool = False
    """Whether each of its containers sees the processes of all."""


@dataclass(frozen=True)
class ContainerConfig:
    """Everything the runtime needs to start one container once."""

    hostname: str
    image: ImageConfig
    argv: tuple[str, ...]
    """Entrypoint and arguments, `$(VAR)` already expanded; never empty."""
    env: Mapping[str, str]
    """The container's whole environment: the image's, then the manifest's."""
    working_dir: str
    mounts: tuple[Mount, ...]
    log_path: Path
    """CRI log format: `2026-01-01T00:00:00.000000000Z stdout F text`."""
    hosts_path: Path
    """The file to show as `/etc/hosts`; its owner keeps it current, in place."""
    pod_uid: str = ""
    """The pod whose sandbox it lives in; "" for none."""
    target_pid: int = 0
    """Process of another container, whose processes it sees and has its own among; 0 for none."""
    resolv_path: Path | None = None
    """The file to show as `/etc/resolv.conf`; None for this machine's own."""
    memory_limit_bytes: int | None = None
    cpu_limit_cores: float | None = None
    pod: str = ""
    """The pod's uid, where limits of the pod as a whole may hold it too."""
    memory_folders: tuple[Path, ...] = ()
    """File systems in memory whose files count as its memory."""
    capabilities: frozenset[int] | None = None
    """Numbers of those that it keeps; None for those that containers have here anyway."""
    user: UserConfig = field(default_factory=UserConfig)
    no_new_privileges: bool = False
    read_only_root: bool = False
    stdin: bool = False
    tty: bool = False


@dataclass(frozen=True)
class ExitStatus:
    """How a container ended."""

    exit_code: int
    """128 + signal where a signal killed it."""
    reason: str
    """"Completed", "Error" or "OOMKilled"."""
    finished_wall_s: float
    signal: int = 0


@dataclass(frozen=True)
class Usage:
    """What a container's process tree uses now."""

    wall_s: float
    cpu_seconds: float
    """Processor time since the container's start, ended children included."""
    memory_bytes: int
    """Working set: resident anonymous and shared memory of the tree, and its files in memory."""


class ExecProcess(Protocol):
    """A command that runs inside a container (exec, exec probes, hooks)."""

    stdin: asyncio.StreamWriter | None
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader | None
    """None with a terminal, where both streams are one."""

    async def wait(self) -> int:
        """Return the exit code (128 + signal)."""

    def kill(self) -> None:
        """Kill the command and its children."""

    def resize(self, columns: int, rows: int) -> None:
        """Set the terminal's size."""


class Container(Protocol):
    """One started container."""

    config: ContainerConfig
    container_id: str
    pid: int
    started_wall_s: float

    @property
    def user(self) -> dict[str, Any]:
        """Who its programs are, as `status.containerStatuses[].user` has it."""

    @property
    def one_id_refusal(self) -> str:
        """Why its root can become no other user, where there is one id; "" where it can, or need not."""

    async def wait(self) -> ExitStatus:
        """Return how it ended; any number of callers may wait."""

    def running(self) -> bool:
        """Whether its main process lives."""

    async def stop(self, grace_s: float) -> ExitStatus:
        """SIGTERM to the main process, then SIGKILL to the whole tree after `grace_s` seconds."""

    async def exec(
        self, argv: Sequence[str], *, stdin: bool = False, tty: bool = False
    ) -> ExecProcess:
        """Run a command in the container's view of files, environment and limits."""

    async def attach(self) -> ExecProcess:
        """Return the main process's own streams from now on."""

    def usage(self) -> Usage:
        """Return what its tree uses now."""

    def set_limits(self, *, memory_limit_bytes: int | None, cpu_limit_cores: float | None) -> None:
        """Change the limits in place (resize)."""

    def host_path(self, container_path: str) -> Path:
        """Return where a path of the container lies on the host (termination message, `kubectl cp`)."""

    def written_bytes(self) -> int:
        """Return the disk space of what it has written into its own files."""

    def remove(self) -> None:
        """Delete its writable files; its log stays."""


class Runtime(Protocol):
    """Starts containers and knows images."""

    isolation: str
    """"namespaces" (own mount and pid namespace) or "prefix" (paths are translated, see the badge)."""
    ids: str
    """The ids that containers have: `root`, `range-…`, `single` (see `runtime.users.id_maps`); "" with "prefix"."""
    network: str
    """"pods" (each pod has a network of its own) or "host" (all are on this machine's loopback network)."""
    sockets: Sockets
    """Sockets of the network that pods are in."""

    async def start(self) -> None:
        """Start the spawner."""

    async def close(self) -> None:
        """Kill every container and stop."""

    def image(self, reference: str) -> ImageConfig | None:
        """Return an image that this cluster can run, or None."""

    def images(self) -> tuple[ImageConfig, ...]:
        """Return all images of this cluster."""

    async def mount_memory(self, folder: Path, size_bytes: int) -> None:
        """Mount a file system in memory on a folder, for containers (see `mounted`), unless it is there.

        Raises
        ------
        ContainerStartError
            There are no mounts here ("prefix").
        """

    def mounted(self, folder: Path) -> Path:
        """Return where this process sees what is mounted on a folder for containers."""

    def use_layers(self, layers: Sequence[Path]) -> AbstractContextManager[None]:
        """Keep an image's layers from being removed meanwhile; `FileNotFoundError` where one has just been."""

    async def join_layers(self, folder: Path, layers: tuple[Path, ...]) -> None:
        """Let a folder show layers, the lowest first, as one tree, for containers (see `mounted`).

        Raises
        ------
        OSError
            It cannot be done.
        """

    async def unmount(self, folder: Path) -> None:
        """Take away what was mounted on a folder."""

    async def give_to_group(
        self, folder: Path, group: int, *, writable: bool, only_if_new: bool
    ) -> None:
        """Give a volume's files to a group, as far as there are groups here (see `runtime.users.file_tasks.give`).

        Raises
        ------
        OSError
            It cannot be done.
        """

    def in_network(self, argv: Sequence[str]) -> tuple[str, ...] | None:
        """Return the command line that runs a program in the pods' network; None where that is this machine's."""

    async def run_sandbox(self, config: SandboxConfig) -> None:
        """Make a pod's sandbox, unless it is there (upstream: `RunPodSandbox`).

        Raises
        ------
        ContainerStartError
            It cannot be made.
        """

    async def stop_sandbox(self, pod_uid: str) -> None:
        """Let go of a pod's sandbox, if it has one, once none of its containers runs (upstream: `StopPodSandbox`)."""

    def limit_pod(
        self,
        pod: str,
        containers: Sequence[Container],
        *,
        memory_limit_bytes: int | None,
        cpu_limit_cores: float | None,
    ) -> None:
        """Hold some containers together to limits, or to new ones, or to none."""

    async def run(self, config: ContainerConfig) -> Container:
        """Start a container.

        Raises
        ------
        ContainerStartError
            The program is not there or cannot be executed; kubelet's `RunContainerError`/`StartError`.
        """


class ContainerStartError(Exception):
    """The runtime could not start the container's program."""


class ContainerCreateError(ContainerStartError):
    """The container cannot be made as it is asked for: kubelet's `CreateContainerError`."""


class NetworkRefusedError(ContainerStartError):
    """The kernel refuses what the network of a cluster's pods needs, which it allowed when the cluster was made."""


def exec_failure(error: Exception) -> str:
    """Return a real runtime's words for a command that could not be run in a container."""
    command = secrets.token_hex(32)
    return (
        f'failed to exec in container: failed to start exec "{command}": OCI runtime exec failed: exec failed: '
        f"unable to start container process: {error}"
    )
