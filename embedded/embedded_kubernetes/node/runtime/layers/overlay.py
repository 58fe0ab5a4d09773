"""Layers mounted under a container's own folder.

They are marked as overlayfs marks them (`Documentation/filesystems/overlayfs.rst`, "whiteouts and opaque
directories"): a character device 0:0 takes a name away, the attribute `user.overlay.opaque` the content below.

Runs in the spawner, between fork and exec: only `os`, `stat` and system calls.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH102, PTH106, PTH108, PTH208

from __future__ import annotations

import errno
import os
import stat

from .. import syscalls as linux

_ALWAYS = ("userxattr",)
_FASTER = ("volatile",)
"""Nothing is synchronised when it is unmounted: a container's own files end with it."""


def mount(layers: list[str], upper: str, work: str, target: str) -> None:
    """Mount layers (the lowest first) under a container's own folder; the kernel's first choice of options that works.

    Raises
    ------
    OSError
        The kernel refuses: for ordinary users before Linux 5.11, or the folder is on a file system that cannot be one.
    """
    opened = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in (*layers, upper, work)]
    try:
        # Names of descriptors are short and hold neither commas nor colons; a page of options is all there may be.
        *lower, own, scratch = (f"/proc/self/fd/{descriptor}" for descriptor in opened)
        for more in (_FASTER, ()):
            try:
                data = options(lower, own, scratch, (*_ALWAYS, *more))
                linux.mount("overlay", target, "overlay", linux.MS_NODEV, data)
            except OSError as error:
                if error.errno != errno.EINVAL or not more:
                    raise
            else:
                return
    finally:
        for descriptor in opened:
            os.close(descriptor)


def mount_read_only(layers: list[str], target: str) -> None:
    """Mount several layers (the lowest first) as one tree that nobody writes to; `OSError` where it is refused."""
    opened = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in layers]
    try:
        lower = ":".join(f"/proc/self/fd/{descriptor}" for descriptor in reversed(opened))
        data = ",".join((f"lowerdir={lower}", *_ALWAYS))
        linux.mount("overlay", target, "overlay", linux.MS_NODEV | linux.MS_RDONLY, data)
    finally:
        for descriptor in opened:
            os.close(descriptor)


def options(layers: list[str], upper: str, work: str, flags: tuple[str, ...]) -> str:
    """Return overlayfs' mount options; it wants the topmost layer first."""
    lower = ":".join(reversed(layers))
    return ",".join((f"lowerdir={lower}", f"upperdir={upper}", f"workdir={work}", *flags))


def holds_marks(folder: str) -> bool:
    """Return whether what layers take away can be marked below a folder; where not, unpacking left other marks."""
    trial = f"{folder}/.marks-{os.getpid()}"
    try:
        os.mknod(trial, stat.S_IFCHR)
        os.unlink(trial)
        os.mkdir(trial)
        try:
            os.setxattr(trial, "user.overlay.opaque", b"y")
        finally:
            os.rmdir(trial)
    except OSError as error:
        # A folder of somebody else's was made by him, who knows; nothing can be tried there.
        return error.errno in (errno.EACCES, errno.EROFS)
    return True


def attempt(folder: str) -> None:
    """Try, in an empty folder, all that a container's overlay needs.

    Raises
    ------
    OSError
        The kernel or the file system refuses; the call is named.
    """
    low, high, own, work, seen = (f"{folder}/{name}" for name in ("l", "h", "o", "w", "m"))
    for path in (low, f"{low}/gone", f"{low}/new", f"{low}/new/old", high, own, work, seen):
        os.mkdir(path)
    os.mknod(f"{high}/gone", stat.S_IFCHR)  # what unpacking a layer needs
    mount([low, high], own, work, seen)
    os.rmdir(f"{seen}/new/old")  # a whiteout
    os.rmdir(f"{seen}/new")
    os.mkdir(f"{seen}/new")  # an opaque folder
    whole = os.listdir(seen) == ["new"] and not os.listdir(f"{seen}/new")
    linux.unmount(seen)
    if not whole:
        raise OSError(errno.ENOTSUP, "layers are not seen as one", "overlay")
