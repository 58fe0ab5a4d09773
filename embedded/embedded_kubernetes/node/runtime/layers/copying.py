"""Layers merged by copying them, and the copying and removing of trees, whoever their files belong to.

Beside the marks of overlayfs (see `overlay`) those of the OCI layer format are understood, `.wh.NAME` and
`.wh..wh..opq`: unpacking leaves them where the devices cannot be made.

Runs in the spawner, between fork and exec: only `os`, `stat` and system calls.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH101, PTH102, PTH106, PTH108, PTH112, PTH114, PTH115, PTH116, PTH208, PTH211

from __future__ import annotations

import errno
import os
import stat

_OPAQUE = "user.overlay.opaque"
_MARK = ".wh."
_OPAQUE_MARK = ".wh..wh..opq"


def copy_layers(layers: list[str], target: str) -> None:
    """Copy layers, the lowest first, into a folder, with owners where they can be had."""
    for layer in layers:
        _copy(layer, target, {})


def copy_tree(source: str, target: str) -> None:
    """Copy one tree into a folder, with owners where they can be had."""
    _copy(source, target, {})
    _dress(os.stat(source), target)


def _copy(source: str, target: str, linked: dict[tuple[int, int], str]) -> None:
    with os.scandir(source) as scanned:
        entries = list(scanned)
    if any(entry.name == _OPAQUE_MARK for entry in entries) or _is_opaque(source):
        for name in os.listdir(target):
            remove(f"{target}/{name}")
    for entry in entries:
        path = f"{target}/{entry.name}"
        status = entry.stat(follow_symlinks=False)
        if entry.name.startswith(_MARK):
            if entry.name != _OPAQUE_MARK:
                remove(f"{target}/{entry.name[len(_MARK) :]}")
        elif stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            remove(path)
        elif stat.S_ISDIR(status.st_mode):
            if not _is_folder(path):
                remove(path)
                os.mkdir(path)
            _copy(entry.path, path, linked)
            _dress(status, path)
        else:
            remove(path)
            _copy_file(entry.path, status, path, linked)


def _copy_file(
    source: str, status: os.stat_result, target: str, linked: dict[tuple[int, int], str]
) -> None:
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), target)
        _own(status, target)
        return
    known = linked.get((status.st_dev, status.st_ino))
    if known is not None:
        os.link(known, target)
        return
    if stat.S_ISREG(status.st_mode):
        copy_content(source, target)
    elif stat.S_ISFIFO(status.st_mode):
        os.mkfifo(target)
    else:
        return  # sockets and devices have no content
    _dress(status, target)
    if status.st_nlink > 1:
        linked[status.st_dev, status.st_ino] = target


def copy_content(source: str, target: str) -> None:
    """Copy one file's content, inside the kernel."""
    reading = os.open(source, os.O_RDONLY)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            while os.sendfile(writing, reading, None, 1 << 30):
                pass
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def remove(path: str) -> None:
    """Remove a file or a tree, whatever modes its folders have; what is not there, or goes meanwhile, is no error."""
    try:
        if not _is_folder(path):
            os.unlink(path)
            return
        os.chmod(path, 0o700)
        for name in os.listdir(path):
            remove(f"{path}/{name}")
        os.rmdir(path)
    except FileNotFoundError:
        return


def _dress(status: os.stat_result, path: str) -> None:
    _own(status, path)
    os.chmod(path, stat.S_IMODE(status.st_mode))  # a change of owner takes setuid bits away


def _own(status: os.stat_result, path: str) -> None:
    try:
        os.lchown(path, status.st_uid, status.st_gid)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EINVAL):
            raise


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _is_opaque(folder: str) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE) == b"y"
    except OSError:
        return False
