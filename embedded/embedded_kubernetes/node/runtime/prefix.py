"""Paths where no mount namespace is allowed: the container's files lie under a folder of the host.

Command lines, environment and working directory are rewritten here, so that a program that takes its paths from there
finds its files; one that opens a path of its own opens the host's (`K8S_ROOT` is what to put before it).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..cri import Mount
from . import rootfs

_TREE = {
    "": "bin dev etc home lib lib64 media mnt opt proc root run sbin srv sys usr var",
    "/usr": "bin lib local sbin share",
    "/usr/local": "bin lib sbin share",
    "/var": "cache lib log run tmp",
}
SHARED_FOLDERS = frozenset(
    {"/"} | {f"{parent}/{name}" for parent, names in _TREE.items() for name in names.split()}
)
"""Folders that the host has too: an image owns what it puts in them, not the folders."""

ALWAYS_OWNED = ("/tmp",)

_PYTHON = Path(__file__).parent / "prefix_python"
"""What a Python program imports before its own modules, to find its pod's names."""


def python_path(own: str) -> str:
    """Return a container's `PYTHONPATH`: what finds names, then its own."""
    return os.pathsep.join(filter(None, (str(_PYTHON), own)))


def owned_paths(layer: Path) -> tuple[str, ...]:
    """Return the paths that belong to a layer of an image, each the topmost of its own."""
    paths: list[str] = []

    def walk(folder: str) -> None:
        with os.scandir(f"{layer}{folder}") as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = f"{folder}/{entry.name}"
                if path not in SHARED_FOLDERS:
                    paths.append(path)
                elif entry.is_dir(follow_symlinks=False):
                    walk(path)

    walk("")
    return tuple(paths)


class Translator:
    """Rewrites a container's paths to the host's.

    Parameters
    ----------
    root : str
        Folder that stands for the container's `/`.
    owned : iterable of str
        Absolute paths of the container that are rewritten, with all below them.
    """

    def __init__(self, root: str, owned: Iterable[str]) -> None:
        self._root = root
        longest_first = sorted({*owned, *ALWAYS_OWNED}, key=len, reverse=True)
        names = "|".join(re.escape(path.rstrip("/")) for path in longest_first if path != "/")
        self._pattern = re.compile(rf"(?<![\w./~-])(?:{names})(?![\w.-])")

    def text(self, text: str) -> str:
        """Rewrite every owned path in a text (an argument, a shell line, a value).

        A path ends at its last name, so `/app` is found in `/app/x` and in `--root=/app`, not in
        `/application` nor in `http://host/app`.
        """
        return self._pattern.sub(lambda match: self._root + match.group(), text)

    def argv(self, argv: Sequence[str]) -> list[str]:
        """Rewrite each argument."""
        return [self.text(argument) for argument in argv]

    def env(self, env: Mapping[str, str]) -> dict[str, str]:
        """Rewrite each value."""
        return {name: self.text(value) for name, value in env.items()}


def lay(
    root: Path, layers: Sequence[Path], mounts: Sequence[Mount], working_dir: str
) -> Translator:
    """Lay out a container's folder and return what rewrites its paths.

    Parameters
    ----------
    root : Path
        The folder to make.
    layers : sequence of Path
        The image's files, copied, the lowest first.
    mounts : sequence of Mount
        Each becomes a link to its place on the host.
    working_dir : str
        Made where missing.
    """
    root.mkdir()
    rootfs.lay_skeleton(str(root), [])
    for layer in layers:
        rootfs.copy_tree(str(layer), str(root))
    for mount in sorted(mounts, key=lambda candidate: candidate.container_path.count("/")):
        place = Path(rootfs.inside(mount.container_path, str(root)))
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        _show(mount.host_path, place)
    Path(rootfs.inside(working_dir, str(root))).mkdir(parents=True, exist_ok=True)
    owned = (path for layer in layers for path in owned_paths(layer))
    own = {*owned, working_dir} - SHARED_FOLDERS
    # A volume covers the whole of its folder, even of one that the host has too (`/opt`, `/mnt`).
    return Translator(str(root), own | {mount.container_path for mount in mounts})


def _show(source: Path, place: Path) -> None:
    """Make `place` show a file or folder of the host, as a bind mount would.

    A bind mount of a file shows that very file for good, whatever becomes of its name: a ConfigMap's file mounted by
    `subPath` keeps its first content when the ConfigMap changes and the folder that it came from goes. Only a hard
    link does the same; a file of another file system, or of another user, gets a symbolic one.
    """
    if source.is_file():
        try:
            place.hardlink_to(source)
        except OSError:
            pass
        else:
            return
    place.symlink_to(source)
