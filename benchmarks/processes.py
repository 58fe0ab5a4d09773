"""The processes of an embedded cluster, and what they take of the machine (`man 5 proc`)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded_kubernetes.control import lifecycle

from .harness import NAME

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
CPU_WINDOW_S = 20.0
_MAPPING = re.compile(
    r"^[0-9a-f]+-[0-9a-f]+ \S+ (?P<offset>\S+) (?P<file>\S+ [0-9]+)(?P<facts>.*(?:\n[A-Z].*)*)",
    re.MULTILINE,
)


def components(cluster: str = NAME) -> Mapping[str, int]:
    """Return the process of each component of a cluster, by name; of the benchmarks' own by default."""
    return {name: facts["pid"] for name, facts in lifecycle.status(cluster).components.items()}


def control_plane() -> list[int]:
    """Return the processes of Kubernetes' four programs."""
    pids = components()
    return [pids[name] for name in CONTROL_PLANE]


def node_with_helpers(cluster: str = NAME) -> list[int]:
    """Return the first node and those of its children that are the course's own (its spawner), not containers."""
    node = components(cluster)[f"{cluster}-node-1"]
    children = Path(f"/proc/{node}/task/{node}/children").read_text().split()
    return [node, *(int(pid) for pid in children if b"embedded_kubernetes" in _command(pid))]


def _command(pid: str) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def resident_mb(pids: Sequence[int]) -> float:
    """Return the resident memory of processes, shared pages counted once for each (statm)."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def proportional_mb(pids: Sequence[int]) -> float:
    """Return the memory of processes, each page divided among all processes of the machine that share it (Pss)."""
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(_kib(text, "Pss") for text in rollups) * 1024 / 1e6


def distinct_mb(pids: Sequence[int]) -> float:
    """Return the memory of processes, each page counted once in all, whoever else shares it.

    `Pss` is less where something else on the machine has mapped the same files: another cluster's programs, another
    Java. Of each part of a file, what the process that has most of it holds is counted. A process that has just ended
    counts for nothing.
    """
    private_kib = 0
    files_kib: dict[tuple[str, str], int] = {}
    for pid in pids:
        folder = Path(f"/proc/{pid}")
        try:
            rollup, mappings = (folder / "smaps_rollup").read_text(), (folder / "smaps").read_text()
            private_kib += _kib(rollup, "Pss_Anon")
        except (OSError, IndexError):
            continue
        for found in _MAPPING.finditer(mappings):
            held_kib = _kib(found["facts"], "Rss") - _kib(found["facts"], "Anonymous")
            part = found["file"], found["offset"]
            files_kib[part] = max(files_kib.get(part, 0), held_kib)
    return (private_kib + sum(files_kib.values())) * 1024 / 1e6


def _kib(text: str, name: str) -> int:
    return int(re.findall(rf"^{name}: +(\d+)", text, re.MULTILINE)[0])


def cpu_percent(pids: Sequence[int]) -> float:
    """Return how much of one core processes use by themselves, over `CPU_WINDOW_S`."""
    before_s = cpu_s(pids)
    time.sleep(CPU_WINDOW_S)
    return 100 * (cpu_s(pids) - before_s) / CPU_WINDOW_S


def cpu_s(pids: Sequence[int]) -> float:
    """Return the processor time that processes have used since they started."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime, stime
    return ticks / os.sysconf("SC_CLK_TCK")
