"""Refuses to start a cluster where it could not live: wrong system, no memory, no disk."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import paths
from .errors import PlatformError, ResourceError, system

MEMORY_BYTES = 832 * 1024**2
"""What the control plane and a node take after an afternoon's use; a new cluster takes two thirds of it.

Measured by `benchmarks/afternoon.py`: 763 to 811 MB, and 510 MB new.
"""

DISK_BYTES = 300 * 1024**2
"""etcd's files, logs and images of a course."""


def require_linux(platform: str = sys.platform) -> None:
    """Raise `PlatformError` elsewhere than on Linux."""
    if platform != "linux":
        raise PlatformError(
            "Démarrer le cluster embarqué",
            f"ce système est « {platform} », et le cluster embarqué a besoin de Linux",
            "Prenez une machine sous Linux, ou une machine virtuelle.",
        )


def require_memory(available_bytes: int, needed_bytes: int = MEMORY_BYTES) -> None:
    """Raise `ResourceError` where less memory is available than a cluster needs."""
    if available_bytes < needed_bytes:
        raise ResourceError(
            "Vérifier la mémoire avant de démarrer le cluster",
            f"{available_bytes / 1024**2:.0f} Mio disponibles, il en faut {needed_bytes / 1024**2:.0f}",
            "Fermez des programmes ou d’autres notebooks, puis recommencez.",
        )


def require_disk(folder: Path, needed_bytes: int = DISK_BYTES) -> None:
    """Raise `ResourceError` where the file system of `folder` has less room than needed."""
    status = os.statvfs(folder)
    free_bytes = status.f_bavail * status.f_frsize
    if free_bytes < needed_bytes:
        raise ResourceError(
            f"Vérifier la place sur le disque dans {folder}",
            f"{free_bytes / 1024**2:.0f} Mio libres, il en faut {needed_bytes / 1024**2:.0f}",
            f"Libérez de la place, ou choisissez un autre disque avec la variable {paths.variable('HOME')}.",
        )


@contextmanager
def disk_errors(tried: str) -> Iterator[None]:
    """Turn a disk that fills up meanwhile into a `ResourceError`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ResourceError(
            tried,
            f"{system(error)} ({error.filename or 'disque'})",
            f"Libérez de la place, ou choisissez un autre disque avec la variable {paths.variable('HOME')}.",
        ) from None


def available_memory_bytes() -> int:
    """Return the memory that new processes can take here: the machine's, or less where a cgroup limits it."""
    machine = available_in_meminfo(Path("/proc/meminfo").read_text())
    limits = [left for folder in _memory_cgroups() if (left := left_in_cgroup(folder)) is not None]
    return min([machine, *limits])


def available_in_meminfo(text: str) -> int:
    """Return `MemAvailable` of `/proc/meminfo`'s text, in bytes."""
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no MemAvailable")


def left_in_cgroup(folder: Path) -> int | None:
    """Return what a memory cgroup (v2 or v1) has left, its reclaimable file cache included; None without limit."""
    for limit_name, usage_name in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        try:
            limit = int((folder / limit_name).read_text())
            usage = int((folder / usage_name).read_text())
            statistics = dict(
                line.split(None, 1) for line in (folder / "memory.stat").read_text().splitlines()
            )
        except (OSError, ValueError):
            continue
        cache = int(statistics.get("total_inactive_file", statistics.get("inactive_file", 0)))
        return max(0, limit - usage + cache)
    return None


def _memory_cgroups() -> list[Path]:
    """Return this process's memory cgroup and those above it, as far as they can be seen."""
    folders = []
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "" or "memory" in controllers.split(","):
            root = Path("/sys/fs/cgroup") if controllers == "" else Path("/sys/fs/cgroup/memory")
            here = root / path.lstrip("/")
            folders += [here, *(parent for parent in here.parents if parent.is_relative_to(root))]
    return folders
