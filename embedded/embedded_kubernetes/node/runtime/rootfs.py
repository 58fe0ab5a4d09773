"""What a container sees from `/`: its own files over the host's programs, read-only, and nothing else.

The root is the container's own writable folder, so that the host finds its files there. The host's folders
of programs are bound into it. A folder that both have (an image with `/usr/local/bin/serve`, a
volume at `/etc/shop`) is made again in the container's folder, and what the host has in it is bound entry by
entry: an overlay over these folders is refused to ordinary users on many kernels and file systems.

Runs in the spawner, between fork and exec: only `os`, `stat` and system calls.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH101, PTH102, PTH103, PTH108, PTH110, PTH112, PTH113, PTH114, PTH115, PTH120, PTH211

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from . import syscalls as linux

if TYPE_CHECKING:
    from typing import TypedDict

    class View(TypedDict):
        """What makes one container's view (plain data: it crosses a socket)."""

        root: str
        """Writable folder that becomes `/`."""
        image: str
        """Folder whose files are copied into it first, or ""."""
        binds: list[tuple[str, str, bool]]
        """Host path, path in the container, read-only."""
        covers: list[tuple[str, str]]
        """Host file, existing file that it stands in front of (`/etc/hosts`)."""
        hostname: str
        read_only: bool


NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWPID

_PROGRAM_FOLDERS = (
    "bin",
    "sbin",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "usr",
    "etc",
    "opt",
    "nix",
    "gnu",
)
_OWN_FOLDERS = (
    ("dev", 0o755),
    ("home", 0o755),
    ("media", 0o755),
    ("mnt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("run/lock", 0o1777),
    ("srv", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("var", 0o755),
    ("var/cache", 0o755),
    ("var/lib", 0o755),
    ("var/log", 0o755),
    ("var/tmp", 0o1777),
)
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)
_READ_ONLY_PROC = ("proc/sys", "proc/sysrq-trigger")
KEPT_CAPABILITIES = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_BIND_SERVICE": 10,
    "NET_RAW": 13,
    "SYS_CHROOT": 18,
    "AUDIT_WRITE": 29,
    "SETFCAP": 31,
}
"""Those that container engines leave (`moby/profiles`, `DefaultCapabilities`), but for mknod: no device cgroup here."""


class BoundPrograms:
    """The host's programs, bound read-only once, that every container's root is built from.

    Parameters
    ----------
    folder : str
        An empty folder to mount them on.
    extra : list of str
        Folders of programs outside the usual ones (a Python in a home directory).
    hidden : list of str
        Folders of the host that no container may see although they lie in those.
    """

    def __init__(self, folder: str, extra: list[str], hidden: list[str]) -> None:
        self.folder = folder
        self.links: list[tuple[str, str]] = []
        self.folders: list[str] = []
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755")
        for name in _PROGRAM_FOLDERS:
            if os.path.islink("/" + name):
                self.links.append((name, os.readlink("/" + name)))
            elif os.path.isdir("/" + name):
                self._bind(name)
        for path in extra:
            if not any(_lies_in(path, "/" + name) for name in self.folders):
                self._bind(path.lstrip("/"))
        for path in hidden:
            if any(_lies_in(path, "/" + name) for name in self.folders):
                linux.mount("tmpfs", folder + path, "tmpfs", linux.MS_RDONLY)
        self._bind("sys")
        self.folders.remove("sys")
        self.resolver = os.path.realpath("/etc/resolv.conf")

    def _bind(self, name: str) -> None:
        target = f"{self.folder}/{name}"
        os.makedirs(target, exist_ok=True)
        linux.mount("/" + name, target, None, linux.MS_BIND | linux.MS_REC)
        linux.make_read_only(target)
        self.folders.append(name)


def enter(base: BoundPrograms, view: View) -> None:
    """Make the view and go into it: host name, new root, fresh `/proc`.

    The caller is the first process of new namespaces (`NAMESPACES`). `OSError` where the kernel refuses.
    """
    linux.set_hostname(view["hostname"])
    root = view["root"]
    os.makedirs(root, exist_ok=True)
    linux.mount(root, root, None, linux.MS_BIND)
    os.chdir(root)
    lay_skeleton(".", base.links)
    if view["image"]:
        copy_tree(view["image"], ".")
    for source, target, _ in view["binds"]:
        _make_place(source, target)  # before the host's folders, which nothing can be added to
    for name in base.folders:
        _lay_host(f"{base.folder}/{name}", name)
    linux.mount(f"{base.folder}/sys", "sys", None, linux.MS_BIND | linux.MS_REC)
    linux.mount("proc", "proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    _lay_devices()
    for name in filter(os.path.exists, _READ_ONLY_PROC):
        _bind(name, name, read_only=True)
    for source, target, read_only in view["binds"]:
        _bind(source, _make_place(source, target), read_only=read_only)
    if not base.resolver.startswith("/etc/") and os.path.exists(base.resolver):
        _bind(base.resolver, _make_place(base.resolver, "/etc/resolv.conf"), read_only=True)
    for source, target in view["covers"]:
        place = inside(target)
        if os.path.isfile(place):
            _bind(source, place, read_only=False)
    if view["read_only"]:
        linux.make_read_only(".", recursive=False)
    linux.pivot_root_here()


def copy_tree(source: str, target: str) -> None:
    """Copy a folder's content with modes and symbolic links; what `target` has already is kept or replaced."""
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            if entry.is_symlink():
                if os.path.lexists(path):
                    os.unlink(path)
                os.symlink(os.readlink(entry.path), path)
            elif entry.is_dir():
                if not os.path.isdir(path):
                    os.mkdir(path)
                copy_tree(entry.path, path)
                os.chmod(path, stat.S_IMODE(entry.stat().st_mode))
            else:
                copy_file(entry.path, path, stat.S_IMODE(entry.stat().st_mode))


def copy_file(source: str, target: str, mode: int) -> None:
    """Copy one file's content, inside the kernel."""
    reading = os.open(source, os.O_RDONLY)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            while os.sendfile(writing, reading, None, 1 << 30):
                pass
            os.fchmod(writing, mode)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def inside(path: str, root: str = ".") -> str:
    """Return where an absolute path of the container lies below `root`, links followed as seen from there."""
    pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    done: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            done = done[:-1]
            continue
        here = "/".join((root, *done, part))
        if not os.path.islink(here) or links > 40:
            done.append(part)
            continue
        links += 1
        aim = os.readlink(here)
        if aim.startswith("/"):
            done = []
        pending += [step for step in reversed(aim.split("/")) if step not in ("", ".")]
    return "/".join((root, *done))


def lay_skeleton(root: str, links: list[tuple[str, str]]) -> None:
    """Make below `root` the folders that every system has."""
    for name, mode in _OWN_FOLDERS:
        path = f"{root}/{name}"
        if not os.path.isdir(path):
            os.mkdir(path)
            os.chmod(path, mode)
    for name, aim in (*links, ("var/run", "../run")):
        if not os.path.lexists(f"{root}/{name}"):
            os.symlink(aim, f"{root}/{name}")


def _make_place(source: str, target: str) -> str:
    place = inside(target)
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    elif not os.path.exists(place):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o644))
    return place


def _lay_host(source: str, target: str) -> None:
    """Bind a folder of the host where the container has none; otherwise what is in it, entry by entry."""
    if not os.path.lexists(target):
        os.makedirs(target)
        _bind(source, target, read_only=False)
        return
    if not os.path.isdir(target) or os.path.islink(target):
        return
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            if entry.is_symlink():
                if not os.path.lexists(path):
                    os.symlink(os.readlink(entry.path), path)
            elif entry.is_dir():
                _lay_host(entry.path, path)
            elif not os.path.lexists(path) and entry.is_file():
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
                _bind(entry.path, path, read_only=False)


def _lay_devices() -> None:
    for name in _DEVICES:
        path = "dev/" + name
        if not os.path.exists(path):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))
        linux.mount("/" + path, path, None, linux.MS_BIND)
    for name, aim in _DEVICE_LINKS:
        if not os.path.lexists("dev/" + name):
            os.symlink(aim, "dev/" + name)
    for name in ("shm", "pts"):
        if not os.path.isdir("dev/" + name):
            os.mkdir("dev/" + name)
    linux.mount("tmpfs", "dev/shm", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=1777")
    linux.mount(
        "devpts", "dev/pts", "devpts", linux.MS_NOSUID, "newinstance,ptmxmode=0666,mode=0620"
    )


def _bind(source: str, target: str, *, read_only: bool) -> None:
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    if read_only:
        linux.make_read_only(target)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
