"""Work on files that belong to the ids of containers: removing them, giving volumes to a group, joining layers.

Runs where those ids are: in a child of the spawner, or by `ranges.remover` with the task as JSON.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH101, PTH116

from __future__ import annotations

import json
import os
import stat
import sys

from ..layers import copying, overlay

READABLE = 0o440
"""What the group of a volume may do at least."""
_WRITABLE = 0o660
_FOLDER = 0o2110


def run(name: str, *arguments: str | int | bool) -> None:
    """Do a task: `remove PATH`, `measure PATH`, `join PATH LAYER…` or `give PATH GROUP WRITABLE ONLY_IF_NEW`."""
    if name == "remove":
        copying.remove(str(arguments[0]))
        return
    if name == "measure":
        print(written(str(arguments[0]))[0])
        return
    if name == "join":
        folder, *layers = map(str, arguments)
        join(folder, layers)
        return
    path, group, writable, only_if_new = arguments
    give(str(path), int(group), writable=bool(writable), only_if_new=bool(only_if_new))


def join(path: str, layers: list[str]) -> None:
    """Make a folder show layers, the lowest first, as one tree: mounted, or copied where that is refused."""
    try:
        overlay.mount_read_only(layers, path)
    except OSError:
        copying.copy_layers(layers, path)


def give(path: str, group: int, *, writable: bool, only_if_new: bool) -> None:
    """Give a volume to a group (`fsGroup`): its files are the group's, and so is what is made in its folders.

    (source: `SetVolumeOwnership` of `pkg/volume/volume_linux.go`)

    Parameters
    ----------
    path : str
        The volume's folder.
    group : int
        The group's id.
    writable : bool
        Whether its members may write, or only read.
    only_if_new : bool
        Nothing is done where the folder itself is as it should be (`fsGroupChangePolicy: OnRootMismatch`).
    """
    mask = _WRITABLE if writable else READABLE
    status = os.stat(path)
    wanted = stat.S_IMODE(status.st_mode) | mask | _FOLDER
    if only_if_new and status.st_gid == group and stat.S_IMODE(status.st_mode) == wanted:
        return
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            _give(f"{folder}/{name}", group, mask)
        _give(folder, group, mask)


def written(folder: str) -> tuple[int, bool]:
    """Return the disk space of the files in a folder, links not followed, and whether all of it could be seen."""
    total, complete = 0, True
    pending = [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except PermissionError:
            complete = False
        except OSError:
            continue  # it went away meanwhile
    return total, complete


def _give(path: str, group: int, mask: int) -> None:
    status = os.lstat(path)
    os.lchown(path, -1, group)
    if stat.S_ISLNK(status.st_mode):
        return
    more = mask | (_FOLDER if stat.S_ISDIR(status.st_mode) else 0)
    os.chmod(path, stat.S_IMODE(status.st_mode) | more)


def main() -> None:
    """Do the task that is the only argument (JSON)."""
    run(*json.loads(sys.argv[1]))
