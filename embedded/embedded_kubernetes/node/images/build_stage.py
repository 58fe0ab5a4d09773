"""A stage of a build: the layer that it makes and what its instructions have set so far."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from . import bases
from .stack import OPAQUE_ATTRIBUTE, Stack, is_whiteout


@dataclass
class Made:
    """What a stage has come to so far.

    Attributes
    ----------
    folder : Path
        Its own; the new layer is in it.
    base : str
        What it is built on, by a name that tells ("host/python:3.11.2"), "" for nothing at all.
    below : tuple of Path
        The layers that it stands on, lowest first.
    host_programs : bool
        Whether this machine's programs lie below all of them.
    variables : dict
        `ARG`s in force.
    own_ids : bool
        Whether its files get the ids of images where there are such; otherwise their owner does not matter.
    """

    folder: Path
    base: str
    below: tuple[Path, ...]
    host_programs: bool
    env: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = "/"
    ports: list[int] = field(default_factory=list)
    stop_signal: str = "SIGTERM"
    user: str = ""
    volumes: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    own_ids: bool = True

    @property
    def layer(self) -> Path:
        """The folder of what this stage adds."""
        return self.folder / "rootfs"

    @property
    def stack(self) -> Stack:
        """All that it consists of, but for this machine's programs."""
        return Stack((*self.below, self.layer))

    def all_variables(self) -> dict[str, str]:
        """Return what `$NAME` means: `ENV` wins over `ARG`."""
        return {**self.variables, **self.env}

    def absolute(self, path: str) -> str:
        """Return a path of the image as seen from the working directory."""
        return os.path.normpath(Path(self.working_dir) / path)

    def is_folder(self, path: str) -> bool:
        """Return whether a path of the image leads to a folder, among its own files."""
        there = self.stack.find(self._resolved(path))
        return there is not None and there.is_dir()

    def make_folder(self, path: str, owner: tuple[int, int] | None = None) -> Path:
        """Make a folder and those above it, links followed; return where it lies in the new layer.

        What a lower layer has as a folder keeps its mode and owner: the new layer's copy stands in front of it. Others
        are given to `owner`, as far as there are such ids here.
        """
        place, inside = self.layer, ""
        for part in self._resolved(path).split("/")[1:]:
            if not part:
                continue
            inside, place = f"{inside}/{part}", place / part
            if place.is_dir() and not place.is_symlink():
                continue
            there = self.stack.find(inside)
            hidden = is_whiteout(place)
            place.unlink(missing_ok=True)
            place.mkdir()
            if there is not None and there.is_dir():
                status = there.stat()
                give(place, (status.st_uid, status.st_gid))
                place.chmod(stat.S_IMODE(status.st_mode))
                continue
            give(place, owner)
            if hidden:
                os.setxattr(place, OPAQUE_ATTRIBUTE, b"y")
        return place

    def make_place(self, path: str, owner: tuple[int, int] | None = None) -> Path:
        """Return where a file of that path shall lie in the new layer, links followed; nothing is there then."""
        folder, _, name = self._resolved(path).rpartition("/")
        place = self.make_folder(folder, owner) / name
        place.unlink(missing_ok=True)
        return place

    def _resolved(self, path: str) -> str:
        """Follow the image's links, and with them the host's `/bin -> usr/bin` and the like where it lies below."""
        first, _, rest = path.lstrip("/").partition("/")
        host = Path("/" + first)
        if self.host_programs and first and self.stack.find(first) is None and host.is_symlink():
            path = f"/{host.readlink()}/{rest}"
        return self.stack.resolve(path)


def give(path: Path, owner: tuple[int, int] | None) -> None:
    """Give a file to a user and a group; with one id only, whoever runs the image is the owner of all."""
    if owner is not None:
        with contextlib.suppress(PermissionError):
            os.lchown(path, *owner)


def lay_base(base: bases.BaseImage, folder: Path) -> None:
    """Make the folder of a built-in image: its links to the host's programs."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, aim in base.links.items():
        place = Path(f"{folder}{path}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(aim)
