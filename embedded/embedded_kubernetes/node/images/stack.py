"""Unpacked layers laid on each other, read as the one tree that a container sees.

What a layer takes away is written as overlayfs writes it: a character device 0:0, and the attribute
`user.overlay.opaque` on a folder whose former content is gone; where a device could not be made, as in the archive
(`.wh.NAME`, `.wh..wh..opq`).
(source: docs.kernel.org/filesystems/overlayfs.html, "whiteouts and opaque directories"; OCI image-spec, layer.md)
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

WHITEOUT = ".wh."
OPAQUE_FILE = ".wh..wh..opq"
OPAQUE_ATTRIBUTE = "user.overlay.opaque"
_LINKS = 40


class Stack:
    """Layers as one tree; paths are the image's own, from `/`.

    Parameters
    ----------
    layers : sequence of Path
        Lowest first.
    """

    def __init__(self, layers: Sequence[Path]) -> None:
        self.layers = tuple(layers)

    def find(self, path: str) -> Path | None:
        """Return where the topmost file of a path lies, links not followed; None where there is none."""
        return next(self._seen(_parts(path)), None)

    def entries(self, path: str) -> dict[str, Path]:
        """Return what is in a folder, by name; links not followed."""
        entries: dict[str, Path] = {}
        gone: set[str] = set()
        for folder in self._seen(_parts(path)):
            if not _is_folder(folder):
                break
            names = sorted(path.name for path in folder.iterdir())
            for name in names:
                if name not in entries and name not in gone and not name.startswith(WHITEOUT):
                    if is_whiteout(folder / name):
                        gone.add(name)
                    else:
                        entries[name] = folder / name
            gone |= {name.removeprefix(WHITEOUT) for name in names if name.startswith(WHITEOUT)}
        return entries

    def resolve(self, path: str) -> str:
        """Return the path that a path leads to, links followed as seen from inside; what is not there yet is kept."""
        pending = list(reversed(_parts(path)))
        done: list[str] = []
        links = 0
        while pending:
            part = pending.pop()
            if part == "..":
                done = done[:-1]
                continue
            here = self.find("/".join((*done, part)))
            if here is None or not here.is_symlink() or links >= _LINKS:
                done.append(part)
                continue
            links += 1
            aim = str(here.readlink())
            if aim.startswith("/"):
                done = []
            pending += reversed(_parts(aim))
        return "/" + "/".join(done)

    def _seen(self, parts: Sequence[str]) -> Iterator[Path]:
        """Yield what each layer has at a path, topmost first, as far as no layer above hides it."""
        for layer in reversed(self.layers):
            here, hides, there = layer, False, True
            for number, part in enumerate(parts):
                if is_whiteout(here / part) or _exists(here / f"{WHITEOUT}{part}"):
                    hides, there = True, False
                    break
                here = here / part
                if not _exists(here):
                    there = False
                    break
                if not _is_folder(here):
                    hides, there = True, number == len(parts) - 1
                    break
                hides = hides or is_opaque(here)
            if there:
                yield here
            if hides:
                return


def is_whiteout(path: Path) -> bool:
    """Return whether a file stands for one that a layer takes away."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(folder: Path) -> bool:
    """Return whether a folder hides what lower layers have in it."""
    try:
        return os.getxattr(folder, OPAQUE_ATTRIBUTE) == b"y"
    except OSError:
        return _exists(folder / OPAQUE_FILE)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
