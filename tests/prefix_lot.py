"""Every notebook and every exercise's solution where no namespaces are allowed, as on Binder.

    python tests/prefix_lot.py [WORD…]            only what has one of these words in its name
    python tests/prefix_lot.py --exactly NAME     one item; its pytest's output and exit code

Isolation `prefix`, an ordinary user (a nameless one where this is root's), an own copy of the course, a home with
nothing in it but Kubernetes' programs, and 1.5 GB of memory for all that one student has: cluster, kernel, and pytest
where JupyterLab would be. Each has a cluster of its own; `tests/lots.py` runs several at a time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ordinary_user
from memory_limit import VARIABLE as MEMORY_VARIABLE

from k8s_helpers import _paths, exercises
from k8s_helpers.builds import images, jars

MEMORY_BYTES = 15 * 10**8
EXERCISES_AT_ONCE = 8
"""How many share a cluster: its start takes as long as one of them."""

_COURSE = _paths.COURSE
_NOT_COPIED = (".git", ".venv*", ".*_cache", "*.pyc.*", ".ipynb_checkpoints", "build")
"""Compiled Python goes along, but for what another process is writing."""
_ANY_TEST = "tests/notebooks/test_structure.py::test_notebooks_are_numbered_in_order"
"""Given beside a notebook, it brings `tests/conftest.py` along, and so the run's own home."""
_ON_ONE_PROCESSOR = "00_accueil"
_SOLUTION = "tests/notebooks/test_exercises.py::test_the_solution_passes"
_PINNED = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execv(sys.argv[2], sys.argv[2:])"
"""Goes on as another program, which never sees another processor."""


@dataclass(frozen=True)
class Item:
    """What one run of pytest does, on one cluster; `one_processor`: with all that it starts, on a machine of one."""

    name: str
    arguments: tuple[str, ...]
    one_processor: bool = False


def items() -> Iterator[Item]:
    """Return all that is to be run; the exercises last, as small parts share out better at the end."""
    for path in sorted((_COURSE / "notebooks").glob("[0-9]*.ipynb")):
        notebook = str(path.relative_to(_COURSE))
        arguments = ("--nbval", "--nbval-current-env", _ANY_TEST, notebook)
        yield Item(path.stem, arguments, one_processor=path.stem == _ON_ONE_PROCESSOR)
    names = sorted(exercises.exercises())
    for first in range(0, len(names), EXERCISES_AT_ONCE):
        some = names[first : first + EXERCISES_AT_ONCE]
        tests = tuple(f"{_SOLUTION}[{name}]" for name in some)
        yield Item(f"exercises {some[0]} … {some[-1]}", tests)


class Student:
    """An ordinary user with a folder of its own.

    Parameters
    ----------
    folder : Path
        An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.course = folder / "cours"
        self._home = folder / "home"
        self._cache = (_paths.cache_dir() / "bin").resolve().parent
        shutil.copytree(_COURSE, self.course, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        self._link_cache(self._home / "k8s" / "cache")
        self._uid = ordinary_user.nameless_uid() if os.geteuid() == 0 else None
        if self._uid is not None:
            for place, _, names in os.walk(folder):
                for path in (place, *(f"{place}/{name}" for name in names)):
                    os.chown(path, self._uid, self._uid, follow_symlinks=False)

    def _link_cache(self, cache: Path) -> None:
        """Make a cache that shows what this one holds, and where new things go elsewhere."""
        for kind in ("bin", "jars"):
            (cache / kind).mkdir(parents=True)
            for kept in self._cache.glob(f"{kind}/*"):
                if kept.is_dir() or kept.suffix == ".jar":
                    (cache / kind / kept.name).symlink_to(kept)

    def run(self, item: Item) -> int:
        """Run an item to its end, in the course's folder; return pytest's exit code."""
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-pmemory_limit"]
        argv += item.arguments
        if self._uid is not None:
            needed = [Path(sys.base_prefix), Path(sys.prefix), self._cache, *_java()]
            this = [sys.executable, ordinary_user.__file__, str(self._uid)]
            argv = [*this, *map(str, needed), "--", *argv]
        environment = self._environment()
        if item.one_processor:
            one = min(os.sched_getaffinity(0))
            argv = [sys.executable, "-c", _PINNED, str(one), *argv]
        return subprocess.run(argv, cwd=self.course, env=environment, check=False).returncode

    def _environment(self) -> dict[str, str]:
        ours = ("K8S_HELPERS_", "XDG_", "JUPYTER", "IPYTHON", "KUBE", "PYTEST_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        for name in ("TMPDIR", "USER", "LOGNAME", "PYTHONPATH"):
            kept.pop(name, None)
        spring = jars.cached(_COURSE / "apps" / images.SPRING).is_file()
        return kept | {
            "HOME": str(self._home),
            "PYTEST_DEBUG_TEMPROOT": str(self._temporary),
            "PYTHONPATH": str(self.course),
            "K8S_HELPERS_HOME": str(self._home / "k8s"),
            "K8S_HELPERS_PROVIDER": "embedded",
            "K8S_HELPERS_ISOLATION": "prefix",
            images.SPRING_VARIABLE: "real" if spring else "standin",
            MEMORY_VARIABLE: str(MEMORY_BYTES),
        }


def _java() -> list[Path]:
    found = shutil.which("java")
    return [Path(found).resolve().parents[1]] if found else []


def run(item: Item) -> int:
    """Run an item as a student of its own; return pytest's exit code."""
    # Sockets live below it, and a socket's path is short (man 7 unix): hence /tmp itself.
    with tempfile.TemporaryDirectory(prefix="k8s-p-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        return Student(Path(folder)).run(item)


def main(words: Sequence[str]) -> int:
    """Run everything, or what has one of the words in its name; return 1 where something fails."""
    if words[:1] == ["--exactly"]:
        (item,) = (item for item in items() if item.name == words[1])
        return run(item)
    chosen = [item for item in items() if not words or any(word in item.name for word in words)]
    failed = [item.name for item in chosen if run(item) != 0]
    print(f"prefix: {len(chosen) - len(failed)} of {len(chosen)} passed", *failed, sep="\n  ")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
