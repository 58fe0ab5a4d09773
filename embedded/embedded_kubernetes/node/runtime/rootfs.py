"""What a container sees from `/`: its image and its own files, and nothing else.

The root of an image is its layers under the container's own folder (see `layers`).

An image of this machine's programs has the container's own writable folder as its root, and the host's folders
of programs are bound into it, read-only. A folder that both have (an image with `/usr/local/bin/serve`, a
volume at `/etc/shop`) is made again in the container's folder, and what the host has in it is bound entry by
entry: an overlay over these folders is refused to ordinary users on many kernels and file systems.

Runs in the spawner, between fork and exec: only `os`, `stat` and system calls.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH101, PTH102, PTH103, PTH106, PTH108, PTH110, PTH112, PTH113, PTH114, PTH115, PTH120, PTH211

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from . import syscalls as linux
from .layers import copying, overlay

if TYPE_CHECKING:
    from typing import TypedDict

    class View(TypedDict):
        """What makes one container's view (plain data: it crosses a socket)."""

        root: str
        """Folder of the container's own files; where there is no overlay, it becomes `/`."""
        layers: list[str]
        """Folders of the image's files, the lowest first."""
        host_programs: bool
        """Whether this machine's programs lie below the layers, which are copied then."""
        overlay: bool
        """Whether the layers may be mounted: otherwise they are copied too."""
        cwd: str
        """Folder of the container that is made where it is missing."""
        volumes: list[str]
        """Folders of the image that stay writable in a read-only root."""
        binds: list[tuple[str, str, bool]]
        """Host path, path in the container, read-only."""
        covers: list[tuple[str, str]]
        """Host file, existing file that it stands in front of (`/etc/hosts`)."""
        hostname: str
        """"" where its pod's namespaces have one already."""
        read_only: bool


IN_SANDBOX = linux.CLONE_NEWNS | linux.CLONE_NEWPID
"""What a container has to itself; the rest it shares with its pod, where that has a sandbox."""

NAMESPACES = IN_SANDBOX | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC

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
_MOST_LINKS = 40
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)
_READ_ONLY_PROC = ("bus", "fs", "irq", "sys", "sysrq-trigger")
_MASKED = (
    "proc/acpi",
    "proc/asound",
    "proc/interrupts",
    "proc/kcore",
    "proc/keys",
    "proc/latency_stats",
    "proc/sched_debug",
    "proc/scsi",
    "proc/timer_list",
    "proc/timer_stats",
    "sys/devices/virtual/powercap",
    "sys/firmware",
)
"""What containers do not see (`DefaultLinuxSpec` of containerd's `pkg/oci/spec.go`)."""


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
        self.empty = f"{folder}/.empty"
        self.view = f"{folder}/.view"
        for path in (self.empty, self.view):
            os.mkdir(path)
        linux.mount("tmpfs", self.empty, "tmpfs", linux.MS_RDONLY)
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
    if view["hostname"]:
        linux.set_hostname(view["hostname"])
    os.makedirs(view["root"], exist_ok=True)
    os.chmod(view["root"], 0o755)
    if view["host_programs"]:
        _lay_programs(base, view)
    else:
        _lay_image(base, view)
    _mount_kernel(base)
    for source, target, read_only in view["binds"]:
        _bind(source, _make_place(source, target), read_only=read_only)
    _cover(base, view)
    os.makedirs(inside(view["cwd"]), exist_ok=True)
    if view["read_only"]:
        linux.make_read_only(".", recursive=False)
    linux.pivot_root_here()


def _lay_programs(base: BoundPrograms, view: View) -> None:
    """Make the container's own folder the root, with this machine's programs, and go there."""
    root = view["root"]
    linux.mount(root, root, None, linux.MS_BIND)
    os.chdir(root)
    lay_skeleton(".", base.links)
    for layer in view["layers"]:
        copy_tree(layer, ".")
    for source, target, _ in view["binds"]:
        _make_place(source, target)  # before the host's folders, which nothing can be added to
    for name in base.folders:
        _lay_host(f"{base.folder}/{name}", name)


def _lay_image(base: BoundPrograms, view: View) -> None:
    """Make the image's files and the container's own one tree, and go there."""
    root = view["root"]
    if not (view["overlay"] and _mount_layers(base, view)):
        copying.copy_layers(view["layers"], root)
        linux.mount(root, root, None, linux.MS_BIND)
        os.chdir(root)
    for name in ("dev", "proc", "sys"):
        if os.path.islink(name):
            raise OSError(errno.ENOTDIR, "the image has a link there", "/" + name)
        os.makedirs(name, exist_ok=True)
    linux.mount(
        "tmpfs", "dev", "tmpfs", linux.MS_NOSUID | linux.MS_STRICTATIME, "mode=755,size=65536k"
    )
    for number, volume in enumerate(view["volumes"]):
        place = inside(volume)
        os.makedirs(place, exist_ok=True)
        if view["read_only"] and not any(target == volume for _, target, _ in view["binds"]):
            fresh = f"{root}.volumes/{number}"
            os.makedirs(fresh)
            copying.copy_tree(place, fresh)
            _bind(fresh, place, read_only=False)


def _mount_layers(base: BoundPrograms, view: View) -> bool:
    work = view["root"] + ".work"
    os.mkdir(work)
    try:
        overlay.mount(view["layers"], view["root"], work, base.view)
    except OSError:
        # The container's folder, or a layer's, is on another file system than the one that was tried.
        os.rmdir(work)
        return False
    os.chdir(base.view)
    return True


def _mount_kernel(base: BoundPrograms) -> None:
    """Mount what the kernel shows: devices, processes, itself."""
    _lay_sys(f"{base.folder}/sys")
    linux.mount("proc", "proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    _lay_devices()
    for name in _READ_ONLY_PROC:
        path = "proc/" + name
        if os.path.exists(path):
            _bind(path, path, read_only=True)
    for path in _MASKED:
        if os.path.isdir(path):
            linux.mount(base.empty, path, None, linux.MS_BIND)
        elif os.path.exists(path):
            linux.mount("/dev/null", path, None, linux.MS_BIND)


def _cover(base: BoundPrograms, view: View) -> None:
    """Put the node's own files in front of the image's."""
    own = not view["host_programs"]
    covers = view["covers"]
    resolver = "/etc/resolv.conf"
    given = resolver in {place for _, place in covers} | {bind[1] for bind in view["binds"]}
    seen = not own and base.resolver.startswith("/etc/")
    if not given and not seen and os.path.exists(base.resolver):
        _bind(base.resolver, _make_place(base.resolver, resolver), read_only=True)
    for source, target in covers:
        place = inside(target)
        if not os.path.exists(place):
            try:
                _make_place(source, target)
            except OSError:
                continue  # in a folder of the host's, which takes no more files
        if os.path.isfile(place):
            _bind(source, place, read_only=False)


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
    """Copy one file's content, inside the kernel, and give it a mode."""
    copying.copy_content(source, target)
    os.chmod(target, mode)


def inside(path: str, root: str = ".") -> str:
    """Return where an absolute path of the container lies below `root`, links followed as seen from there.

    Raises
    ------
    OSError
        It goes through too many links: whoever follows the rest would follow it on this machine.
    """
    pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    done: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            done = done[:-1]
            continue
        here = "/".join((root, *done, part))
        if not os.path.islink(here):
            done.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
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


def _lay_sys(host: str) -> None:
    """Mount the `/sys` of this network namespace; the host's where that is not allowed."""
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    try:
        linux.mount("sysfs", "sys", "sysfs", flags | linux.MS_RDONLY)
    except OSError:
        linux.mount(host, "sys", None, linux.MS_BIND | linux.MS_REC)
        return
    groups = f"{host}/fs/cgroup"
    if os.path.isdir(groups):
        _bind(groups, "sys/fs/cgroup", read_only=True)


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
