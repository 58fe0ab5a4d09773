"""Every notebook and every exercise's solution where no namespaces are allowed, as on Binder.

    python tests/prefix_lot.py [WORD…]     only what has one of these words in its name

Isolation `prefix`, an ordinary user (a nameless one where this is root's), an own copy of the course, a home with
nothing in it but Kubernetes' programs, and 2 GB of memory for all that one student has: cluster, kernel, and pytest
where JupyterLab would be. Two at a time, each on a cluster of its own: they wait more than they work.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import ordinary_user
from memory_limit import VARIABLE as MEMORY_VARIABLE

from k8s_helpers import _paths, exercises
from k8s_helpers.builds import images, jars

MEMORY_BYTES = 2 * 10**9
JOBS = int(os.environ.get("K8S_TESTS_PREFIX_JOBS", "2"))
EXERCISES_AT_ONCE = 8
"""How many share a cluster: its start takes as long as one of them."""

_COURSE = _paths.COURSE
_NOT_COPIED = (".git", ".venv*", ".*_cache", "__pycache__", ".ipynb_checkpoints", "build")
_ANY_TEST = "tests/notebooks/test_structure.py::test_notebooks_are_numbered_in_order"
"""Given beside a notebook, it brings `tests/conftest.py` along, and so the run's own home."""
_SOLUTION = "tests/notebooks/test_exercises.py::test_the_solution_passes"


@dataclass(frozen=True)
class Item:
    """What one run of pytest does, on one cluster."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """How it ended."""

    item: Item
    code: int
    seconds: float
    text: str

    def line(self) -> str:
        """Return it as a line."""
        memory = ", ".join(re.findall(r"^MEMORY: (.*)", self.text, re.MULTILINE)) or "not measured"
        again = " (twice)" if "once more what failed" in self.text else ""
        word = "passed" if self.code == 0 else f"FAILED (exit code {self.code})"
        return f"{self.item.name}: {word}{again}, {self.seconds:.0f} s, memory {memory}"


def items() -> Iterator[Item]:
    """Return all that is to be run; the exercises last, as small parts share out better at the end."""
    for path in sorted((_COURSE / "notebooks").glob("[0-9]*.ipynb")):
        notebook = str(path.relative_to(_COURSE))
        yield Item(path.stem, ("--nbval", "--nbval-current-env", _ANY_TEST, notebook))
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

    def run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, in the course's folder."""
        if self._uid is not None:
            needed = [Path(sys.base_prefix), Path(sys.prefix), self._cache, *_java()]
            this = [sys.executable, ordinary_user.__file__, str(self._uid)]
            argv = [*this, *map(str, needed), "--", *argv]
        return subprocess.run(
            argv,
            cwd=self.course,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

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


def main(words: Sequence[str]) -> int:
    """Run everything, or what has one of the words in its name; return 1 where something fails."""
    chosen = [one for one in items() if not words or any(word in one.name for word in words)]
    failed = 0
    # Sockets live below it, and a socket's path is short (man 7 unix): hence /tmp itself.
    with tempfile.TemporaryDirectory(prefix="k8s-p-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        student = Student(Path(folder))

        def work(item: Item) -> Done:
            began = time.monotonic()
            lot = item.name.replace(" ", "-")
            argv = [sys.executable, "tests/twice.py", lot, "-q", "-pmemory_limit"]
            ended = student.run([*argv, *item.arguments])
            return Done(item, ended.returncode, time.monotonic() - began, ended.stdout)

        with ThreadPoolExecutor(JOBS) as pool:
            for done in map(
                Future.result, as_completed([pool.submit(work, one) for one in chosen])
            ):
                print(f"prefix: {done.line()}", flush=True)
                if done.code != 0 or "(twice)" in done.line():
                    print(done.text, flush=True)
                failed += done.code != 0
    print(f"prefix: {len(chosen) - failed} of {len(chosen)} passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
