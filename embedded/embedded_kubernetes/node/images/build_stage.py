"""A stage of a build: its folder and what its instructions have set so far."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ..runtime import rootfs
from . import bases


@dataclass
class Made:
    """What a stage has come to so far."""

    folder: Path
    kind: bases.Kind
    env: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    """`ARG`s in force."""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = "/"
    ports: list[int] = field(default_factory=list)
    stop_signal: str = "SIGTERM"
    user: str = ""

    def all_variables(self) -> dict[str, str]:
        """Return what `$NAME` means: `ENV` wins over `ARG`."""
        return {**self.variables, **self.env}

    def place(self, path: str) -> Path:
        """Return where a path of the image lies, through the host's `/bin -> usr/bin` and the like."""
        first, _, rest = path.lstrip("/").partition("/")
        host = Path("/" + first)
        if first and host.is_symlink():
            path = f"/{host.readlink()}/{rest}"
        return Path(rootfs.inside(path, str(self.folder / "rootfs")))

    def absolute(self, path: str) -> str:
        """Return a path of the image as seen from the working directory."""
        return os.path.normpath(Path(self.working_dir) / path)


def lay_base(base: bases.BaseImage, folder: Path) -> None:
    """Make the folder of a base image: its links to the host's programs."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, aim in base.links.items():
        place = Path(f"{folder}{path}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(aim)
