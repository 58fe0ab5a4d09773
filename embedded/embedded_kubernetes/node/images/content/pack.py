"""An unpacked layer as a tar again, as the OCI layer format has it: what was taken away is a file `.wh.NAME`.

`main` takes one argument, JSON: `folder` (the layer), `archive` (the file to write), `own` (whether the owners of files
are those that the image means). It prints the SHA-256 of what it wrote. A program of its own: where files belong to
several users, it runs where they are seen as the image's own.
(source: image-spec, `layer.md`)
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tarfile
from typing import IO

_OPAQUE = ("user.overlay.opaque", ".wh..wh..opq")
_CAPABILITY = "security.capability"


class _Hashed:
    """A file that is written once, from its beginning, with the digest of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write and count in."""
        self.digest.update(data)
        return self._file.write(data)


def pack(folder: str, file: IO[bytes], *, own: bool) -> str:
    """Write a layer as a tar; return its SHA-256, in hexadecimal.

    The same layer gives the same bytes: entries are in order, and nothing but what the layer holds is written.
    """
    target = _Hashed(file)
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        _add(tar, folder, "", own=own)
    return target.digest.hexdigest()


def _add(tar: tarfile.TarFile, folder: str, name: str, *, own: bool) -> None:
    with os.scandir(f"{folder}/{name}") as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    for entry in entries:
        inside = f"{name}/{entry.name}".lstrip("/")
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            tar.addfile(tarfile.TarInfo(f"{name}/.wh.{entry.name}".lstrip("/")))
            continue
        info = tar.gettarinfo(
            entry.path, inside
        )  # a second name of a file becomes a link to the first
        if info is None:
            continue  # a socket
        info.uname = info.gname = ""
        if not own:
            info.uid = info.gid = 0
        if not info.isreg():
            tar.addfile(info)
        else:
            info.pax_headers = _capability(entry.path)
            with open(entry.path, "rb") as content:  # noqa: PTH123
                tar.addfile(info, content)
        if info.isdir():
            if _is_opaque(entry.path):
                tar.addfile(tarfile.TarInfo(f"{inside}/{_OPAQUE[1]}"))
            _add(tar, folder, inside, own=own)


def _capability(path: str) -> dict[str, str]:
    """Return a program's capabilities as archives hold them (`SCHILY.xattr.…`)."""
    try:
        value = os.getxattr(path, _CAPABILITY, follow_symlinks=False)
    except OSError:
        return {}
    return {f"SCHILY.xattr.{_CAPABILITY}": value.decode("utf-8", "surrogateescape")}


def _is_opaque(folder: str) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE[0]) == b"y"
    except OSError:
        return False


def main() -> None:
    """Do the task of the only argument."""
    task = json.loads(sys.argv[1])
    with open(task["archive"], "wb") as file:  # noqa: PTH123
        print(pack(task["folder"], file, own=task["own"]))
