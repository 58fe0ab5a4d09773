"""What a test run may leave behind on the machine, and how it is found: processes, listening ports, files, containers.

Everything that the course starts under test runs with a home folder of its own (`K8S_HELPERS_HOME`), whose path is
the marker: whatever process knows that path, in its environment, arguments, working folder or mounts, is ours.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

HOMES = "/tmp/k8s-t-"
"""How the path of every run's home begins."""


@dataclass(frozen=True)
class OurProcess:
    """A process that knows the marker."""

    pid: int
    command: str
    listens: frozenset[str]
    """What it listens on, as "127.0.0.1:8080"."""


def our_processes(marker: Path) -> list[OurProcess]:
    """Return the living processes that know the folder `marker`, this one and its ancestors apart."""
    listens = _listening()
    return [
        OurProcess(pid, command, frozenset(listens[pid])) for pid, command in marked(marker).items()
    ]


def marked(marker: Path) -> dict[int, str]:
    """Return number and command of the living processes that know the folder `marker`, as `our_processes` does."""
    skipped = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    own_mounts = _mounts("self")
    found = {}
    for process in psutil.process_iter():
        if process.pid not in skipped and _knows(process, str(marker), own_mounts):
            command = " ".join(_asked(process.cmdline))
            if command:  # a zombie has none; it is its parent's to bury
                found[process.pid] = command
    return found


def listening(marker: Path) -> set[str]:
    """Return the TCP addresses ("127.0.0.1:8080") that processes of this machine listen on, those of other runs apart.

    Lots run at the same time: the address that one has just given back is the first that the next cluster takes.
    """
    own_mounts = _mounts("self")
    return {
        address
        for pid, addresses in _listening().items()
        if pid is None or not _is_of_another_run(pid, marker, own_mounts)
        for address in addresses
    }


def _is_of_another_run(pid: int, marker: Path, own_mounts: str) -> bool:
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return False
    return _knows(process, HOMES, own_mounts) and not _knows(process, str(marker), own_mounts)


def _listening() -> defaultdict[int | None, set[str]]:
    """Return the TCP addresses that are listened on, by process; None where that is not ours to see."""
    found: defaultdict[int | None, set[str]] = defaultdict(set)
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN:
            found[connection.pid].add(f"{connection.laddr.ip}:{connection.laddr.port}")
    return found


def _knows(process: psutil.Process, marker: str, own_mounts: str) -> bool:
    texts = [*_asked(lambda: process.environ().values()), *_asked(process.cmdline)]
    texts += _asked(lambda: [process.cwd()])
    mounts = _mounts(process.pid)
    if mounts != own_mounts:
        texts.append(mounts)
    return any(marker in text for text in texts)


def _asked(question: Callable[[], Iterable[str]]) -> list[str]:
    """Return what a process tells; nothing where it has ended meanwhile, or is somebody else's."""
    try:
        return list(question())
    except psutil.Error:
        return []


def _mounts(pid: int | str) -> str:
    """Return the mounts that a process sees (psutil knows this machine's only)."""
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text(errors="replace")
    except OSError:
        return ""


def settled(find: Callable[[], list[str]], *, within_s: float = 10.0) -> list[str]:
    """Return what `find` still finds after giving it `within_s` seconds to become empty."""
    deadline = time.monotonic() + within_s
    while (found := find()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def files_in(folder: Path) -> list[str]:
    """Return the paths of everything that is left in a folder, folders that hold nothing apart."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
