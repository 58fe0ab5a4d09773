"""The line between the kubelet's logic and what runs processes: our small Container Runtime Interface.

`agent`, `probes`, `restarts` … stand above it and speak Kubernetes; `runtime` stands below it and speaks processes,
mounts and limits. The names are those of the upstream CRI where it has one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


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
    rootfs: Path
    """Folder that holds the image's own files, laid out from `/`."""
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = "/"
    exposed_ports: tuple[int, ...] = ()
    stop_signal: str = "SIGTERM"
    """What asks its program to end (`STOPSIGNAL`)."""
    user: str = ""
    """What `USER` says; recorded, processes are the cluster's owner's."""
    built_in: bool = False
    """Whether it stands for the host's own programs and has no files of its own."""

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
        }
        return {name: value for name, value in plain.items() if value}


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
    memory_limit_bytes: int | None = None
    cpu_limit_cores: float | None = None
    pod: str = ""
    """The pod's uid, where limits of the pod as a whole may hold it too."""
    memory_folders: tuple[Path, ...] = ()
    """File systems in memory whose files count as its memory."""
    capabilities: frozenset[int] | None = None
    """Numbers of those that it keeps; None for those that containers have here anyway."""
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

    user: dict[str, Any]
    """Who its containers run as, as `status.containerStatuses[].user` has it."""
    isolation: str
    """"namespaces" (own mount and pid namespace) or "prefix" (paths are translated, see the badge)."""

    async def start(self) -> None:
        """Start the spawner."""

    async def close(self) -> None:
        """Kill every container and stop."""

    def image(self, reference: str) -> ImageConfig | None:
        """Return an image that this cluster can run, or None."""

    def images(self) -> tuple[ImageConfig, ...]:
        """Return all images of this cluster."""

    async def mount_memory(self, folder: Path, size_bytes: int) -> None:
        """Mount a file system in memory on a folder, for containers (see `mounted`).

        Raises
        ------
        ContainerStartError
            There are no mounts here ("prefix").
        """

    def mounted(self, folder: Path) -> Path:
        """Return where this process sees what is mounted on a folder for containers."""

    async def unmount_memory(self, folder: Path) -> None:
        """Take such a file system away."""

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


def exec_failure(error: Exception) -> str:
    """Return a real runtime's words for a command that could not be run in a container."""
    command = secrets.token_hex(32)
    return (
        f'failed to exec in container: failed to start exec "{command}": OCI runtime exec failed: exec failed: '
        f"unable to start container process: {error}"
    )
