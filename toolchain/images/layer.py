"""A layer: packages and files written into one tar as they will be owned, so that no root is needed to make it."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import posixpath
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Collection
from pathlib import Path

MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders that are links into /usr on Debian."""

_LEFT_OUT = re.compile(r"usr/share/(?:doc/(?!.*/copyright$)|man/|info/|locale/|lintian/|bug/)")
_KEPT_TEXTS = ("usr/share/base-passwd/passwd.master", "usr/share/base-passwd/group.master")


class _Measured(io.RawIOBase):
    """A file that is written only, its digest and size known at the end."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._digest.hexdigest()}"


class Layer:
    """A compressed layer in a temporary file; `digest`, `size` and `diff_id` are known once it is closed.

    Parameters
    ----------
    folder : Path
        Where the temporary file is.
    own : Collection
        Paths that come from no package: theirs is left out (a layer that has a path twice is no valid layer).
    """

    def __init__(self, folder: Path, own: Collection[str] = ()) -> None:
        self.blob = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._written = _Measured(self.blob)
        self._gzip = gzip.GzipFile("", "wb", 1, self._written, mtime=0)
        self._plain = _Measured(self._gzip)  # type: ignore[arg-type]
        self._tar = tarfile.open(  # noqa: SIM115
            fileobj=self._plain, mode="w|", format=tarfile.PAX_FORMAT
        )
        self._there = {*own, *MERGED}
        self._texts: dict[str, str] = {}

    def __enter__(self) -> Layer:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()
        self._gzip.close()
        self.digest, self.size, self.diff_id = (
            self._written.digest,
            self._written.size,
            self._plain.digest,
        )
        self.blob.seek(0)

    def merged_usr(self) -> None:
        """Begin with the links that Debian has at its root: /bin, /sbin and /lib into /usr, /var/run to /run."""
        for name in ("run", "var"):
            self.folder(name)
        self.link("var/run", "/run")
        self.folder("usr")
        for name in MERGED:
            self.folder(f"usr/{name}")
            self.link(name, f"usr/{name}")

    def package(self, deb: Path) -> None:
        """Add the files of a package, without its documentation; its scripts do not run."""
        command = ["dpkg-deb", "--fsys-tarfile", os.fspath(deb)]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE) as process,
            tarfile.open(fileobj=process.stdout, mode="r|") as files,
        ):
            for member in files:
                self._member(files, member)
        if process.returncode:
            raise SystemExit(f"{deb.name}: dpkg-deb failed")

    def _member(self, files: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        member.name = _merged(member.name)
        member.pax_headers = {}
        if (
            not member.name
            or member.name in self._there
            or _LEFT_OUT.match(member.name + "/" * member.isdir())
        ):
            return
        if member.islnk():
            member.linkname = _merged(member.linkname)
        if member.isdir():
            self._there.add(member.name)
        content = files.extractfile(member) if member.isreg() else None
        if content is not None and member.name in _KEPT_TEXTS:
            data = content.read()
            self._texts[member.name] = data.decode()
            content = io.BytesIO(data)  # type: ignore[assignment]
        self._tar.addfile(member, content)

    def text(self, path: str) -> str:
        """Return a text of a package that went by."""
        return self._texts[path]

    def folder(self, path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
        """Add a folder with its owner."""
        self._there.add(path)
        self._add(path, tarfile.DIRTYPE, mode, uid=uid, gid=gid)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._there.add(path)
        self._add(path, tarfile.SYMTYPE, 0o777, linkname=target)

    def file(self, path: str, text: str, mode: int = 0o644) -> None:
        """Add a text file of root's."""
        self._add(path, tarfile.REGTYPE, mode, text.encode())

    def _add(self, path: str, kind: bytes, mode: int, data: bytes = b"", **more: object) -> None:
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.size = kind, mode, len(data)
        entry.uname = entry.gname = ""
        for name, value in more.items():
            setattr(entry, name, value)
        self._tar.addfile(entry, io.BytesIO(data))


def _merged(path: str) -> str:
    """Return a path of a package below the root, in /usr where /bin and the like are links to it."""
    path = posixpath.normpath(path).lstrip("./")
    return f"usr/{path}" if path.partition("/")[0] in MERGED and "/" in path else path
