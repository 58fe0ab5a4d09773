"""What a test run may leave behind on the machine, and how it is found: processes, listening ports, files, containers.

Everything that the course starts under test runs with a home folder of its own (`K8S_HELPERS_HOME`), whose path is
the marker: whatever process knows that path, in its environment, arguments, working folder or mounts, is ours.
"""

from __future__ import annotations

import ipaddress
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"  # the state of a listening socket in /proc/net/tcp (include/net/tcp_states.h)


@dataclass(frozen=True)
class OurProcess:
    """A process that knows the marker."""

    pid: int
    command: str
    listens: frozenset[str]
    """What it listens on, as "127.0.0.1:8080"."""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _knows(process: Path, marker: bytes, own_mounts: str) -> bool:
    if marker in _read(process / "environ") or marker in _read(process / "cmdline"):
        return True
    if marker.decode() in _link(process / "cwd"):
        return True
    return _link(process / "ns/mnt") not in ("", own_mounts) and marker in _read(
        process / "mountinfo"
    )


def _listening() -> dict[str, str]:
    """Return the TCP addresses that are listened on, by the inode of their socket."""
    addresses: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        for line in _read(Path("/proc/net") / table).decode().splitlines()[1:]:
            cells = line.split()
            if cells[3] == _LISTEN:
                addresses[cells[9]] = _address(cells[1])
    return addresses


def _address(cell: str) -> str:
    """Return "127.0.0.1:8080" for the kernel's "0100007F:1F90": words of four bytes in this machine's order."""
    host, _, port = cell.partition(":")
    words = [bytes.fromhex(host[at : at + 8]) for at in range(0, len(host), 8)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return f"{ipaddress.ip_address(b''.join(words))}:{int(port, 16)}"


def _sockets(process: Path) -> Iterator[str]:
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        target = _link(descriptor)
        if target.startswith("socket:["):
            yield target[len("socket:[") : -1]


def our_processes(marker: Path) -> list[OurProcess]:
    """Return the living processes that know the folder `marker`, this one and its ancestors apart."""
    listening = _listening()
    found = []
    for pid, command in marked(marker).items():
        sockets = _sockets(Path(f"/proc/{pid}"))
        listens = frozenset(listening[inode] for inode in sockets if inode in listening)
        found.append(OurProcess(pid, command, listens))
    return found


def marked(marker: Path) -> dict[int, str]:
    """Return number and command of the living processes that know the folder `marker`, as `our_processes` does."""
    skipped = _ancestors()
    own_mounts = _link(Path("/proc/self/ns/mnt"))
    found = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) in skipped:
            continue
        if _knows(process, os.fsencode(marker), own_mounts):
            command = (
                _read(process / "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
            )
            if command:  # a zombie has none; it is its parent's to bury
                found[int(process.name)] = command
    return found


def _ancestors() -> set[int]:
    pids, pid = set(), os.getpid()
    while pid > 0:
        pids.add(pid)
        stat = _read(Path(f"/proc/{pid}/stat")).decode(errors="replace")
        pid = int(stat.rpartition(")")[2].split()[1]) if stat else 0
    return pids


def listening() -> set[str]:
    """Return every TCP address ("127.0.0.1:8080") that some process of this machine listens on."""
    return set(_listening().values())


def settled(find: Callable[[], list[str]], *, within_s: float = 10.0) -> list[str]:
    """Return what `find` still finds after giving it `within_s` seconds to become empty."""
    deadline = time.monotonic() + within_s
    while (found := find()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def files_in(folder: Path) -> list[str]:
    """Return the paths of everything that is left in a folder, folders that hold nothing apart."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
