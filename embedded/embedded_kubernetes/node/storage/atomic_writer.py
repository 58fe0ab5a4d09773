"""Files of a ConfigMap, Secret or projected volume, replaced all at once.

The files lie in a folder named by its time; the link `..data` points to it, and what the container sees are links
through `..data`. Renaming one link changes all files in one step.
(source: `pkg/volume/util/atomic_writer.go`)
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_DATA = "..data"
_NEW_DATA = "..data_tmp"


@dataclass(frozen=True)
class File:
    """Content and permissions of one file."""

    content: bytes
    mode: int


def write(folder: Path, files: Mapping[str, File]) -> bool:
    """Make a volume's folder show exactly these files; return whether anything changed.

    Parameters
    ----------
    folder : Path
        The volume; made where missing.
    files : mapping
        Relative path → file.
    """
    fresh = prepare(folder, files)
    if fresh is not None:
        reveal(folder, fresh, files)
    return fresh is not None


def is_written(folder: Path) -> bool:
    """Return whether a volume shows files."""
    return (folder / _DATA).is_symlink()


def prepare(folder: Path, files: Mapping[str, File]) -> Path | None:
    """Write files into a new folder of a volume, which `reveal` shows; None where it shows exactly these already."""
    folder.mkdir(parents=True, exist_ok=True)
    if _shown(folder) == files:
        return None
    stamp = time.strftime("..%Y_%m_%d_%H_%M_%S", time.gmtime())
    fresh = folder / f"{stamp}.{time.time_ns() % 10**9:09d}"
    fresh.mkdir()
    for path, file in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)
    return fresh


def reveal(folder: Path, fresh: Path, files: Mapping[str, File]) -> None:
    """Let a volume show what `prepare` has written, and delete what it showed before."""
    old = folder / (folder / _DATA).readlink() if (folder / _DATA).is_symlink() else None
    (folder / _NEW_DATA).unlink(missing_ok=True)
    (folder / _NEW_DATA).symlink_to(fresh.name)
    (folder / _NEW_DATA).rename(folder / _DATA)
    _link(folder, {path.partition("/")[0] for path in files})
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _link(folder: Path, names: set[str]) -> None:
    for entry in os.scandir(folder):
        if not entry.name.startswith("..") and entry.name not in names:
            Path(entry.path).unlink()
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"{_DATA}/{name}")


def _shown(folder: Path) -> dict[str, File] | None:
    """Return the files that a volume shows; None where it was never written."""
    data = folder / _DATA
    if not data.is_symlink():
        return None
    entries = {}
    for place, _, names in os.walk(data):
        for name in names:
            path = Path(place) / name
            entries[str(path.relative_to(data))] = File(
                path.read_bytes(), path.stat().st_mode & 0o7777
            )
    return entries
