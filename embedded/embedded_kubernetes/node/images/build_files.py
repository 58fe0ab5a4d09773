"""Files put into a layer: what `COPY` takes, the folders that `WORKDIR` and `VOLUME` make.

A task of plain data says what to do: where files belong to a range of ids, another process does it, which has them
(`main`). A folder that `RUN adduser` made takes files only so.
"""

from __future__ import annotations

import fnmatch
import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..runtime import rootfs
from ..runtime.users import accounts
from .build_stage import Made, give
from .containerfile import ignored
from .stack import Stack

if TYPE_CHECKING:
    from typing import TypedDict

    class Task(TypedDict):
        """What to do to a layer."""

        folder: str
        """The stage's."""
        below: list[str]
        host_programs: bool
        origin: list[str]
        """Layers that files are taken from; a context is one."""
        ignored: list[str]
        """Patterns of `.dockerignore`; an image has none."""
        sources: list[str]
        """As `COPY` names them; none makes the target a folder."""
        target: str
        """Absolute; a `/` at its end says that it is a folder."""
        mode: str
        """Of the files, octal; "" keeps theirs."""
        owner: str
        """`--chown`, "" for root."""


class AbsentError(Exception):
    """A source that is not there; its name."""


def perform(task: Task) -> None:
    """Do a task.

    Raises
    ------
    AbsentError
        A source is not there.
    AccountError
        The image knows no such owner.
    """
    _Copy(task).run()


class _Copy:
    def __init__(self, task: Task) -> None:
        self._task = task
        below = tuple(map(Path, task["below"]))
        self._made = Made(Path(task["folder"]), "", below, task["host_programs"])
        self._origin = Stack([Path(layer) for layer in task["origin"]])
        self._owner = self._resolved(task["owner"])

    def run(self) -> None:
        target, sources = self._task["target"], self._task["sources"]
        if not sources:
            self._made.make_folder(target)
            return
        paths = [path for name in sources for path in self._found(name)]
        into_folder = target.endswith("/") or len(paths) > 1 or self._made.is_folder(target)
        for path in paths:
            source = self._origin.find(path)
            if source is None:
                raise AbsentError(path)
            if source.is_dir():
                self._folder(path, target)
            else:
                name = path.rpartition("/")[2]
                mode = int(self._task["mode"], 8) if self._task["mode"] else None
                self._file(source, f"{target}/{name}" if into_folder else target, mode)

    def _resolved(self, owner: str) -> tuple[int, int] | None:
        if not owner:
            return None
        texts = [self._made.stack.find(f"/etc/{name}") for name in ("passwd", "group")]
        passwd, group = (path.read_text(errors="replace") if path else "" for path in texts)
        identity = accounts.resolve({"user": owner, "groups": [], "of_image": False}, passwd, group)
        # docs.docker.com: without a group it is the user's number
        return identity.uid, identity.gid if ":" in owner else identity.uid

    def _found(self, pattern: str) -> list[str]:
        """Return the paths that a source names, links followed; `*`, `?` and `[a-z]` are understood."""
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        paths = [] if ".." in parts else ["/"]
        for part in parts:
            paths = [found for folder in paths for found in self._children(folder, part)]
        kept = [self._origin.resolve(path) for path in paths if path == "/" or self._counts(path)]
        if not kept:
            raise AbsentError(pattern)
        return kept

    def _children(self, folder: str, pattern: str) -> list[str]:
        folder = self._origin.resolve(folder)
        names = sorted(fnmatch.filter(self._origin.entries(folder), pattern))
        return [f"{folder.rstrip('/')}/{name}" for name in names]

    def _counts(self, path: str) -> bool:
        return not ignored(self._task["ignored"], path.lstrip("/"))

    def _folder(self, path: str, aim: str) -> None:
        place = self._made.make_folder(aim, self._owner)
        for name, source in self._origin.entries(path).items():
            inside = f"{path.rstrip('/')}/{name}"
            if not self._counts(inside):
                continue
            if source.is_symlink():
                link = place / name
                link.unlink(missing_ok=True)
                link.symlink_to(source.readlink())
                give(link, self._owner)
            elif source.is_dir():
                self._folder(inside, f"{aim}/{name}")
            else:
                self._file(source, f"{aim}/{name}", None)

    def _file(self, source: Path, aim: str, mode: int | None) -> None:
        given = stat.S_IMODE(source.stat().st_mode) if mode is None else mode
        place = self._made.make_place(aim, self._owner)
        rootfs.copy_file(str(source), str(place), given)
        if self._owner is not None:
            give(place, self._owner)
            place.chmod(given)  # a change of owner takes setuid bits away


def main() -> None:
    """Do the task that is the only argument; print as JSON what hinders it: a source that is not there, or words."""
    absent, words = "", ""
    try:
        perform(json.loads(sys.argv[1]))
    except AbsentError as error:
        absent = str(error)
    except accounts.AccountError as error:
        words = str(error)
    except OSError as error:
        words = f"{error.strerror} ({error.filename})"
    print(json.dumps({"absent": absent, "words": words}))
