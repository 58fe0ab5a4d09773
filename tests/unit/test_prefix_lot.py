"""What the lot without namespaces stands on: everything is in it, the ordinary user's ways, the limit of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import memory_limit
import ordinary_user
import prefix_lot
import pytest

from k8s_helpers import exercises

ROOT = Path(__file__).parents[2]
ANY_TEST = "tests/notebooks/test_structure.py::test_notebooks_are_numbered_in_order"


def test_every_notebook_and_every_exercise_is_in_it() -> None:
    words = " ".join(word for item in prefix_lot.items() for word in item.arguments)
    notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert len(notebooks) >= 16
    assert all(f"notebooks/{path.name}" in words for path in notebooks)
    assert all(f"[{name}]" in words for name in exercises.exercises())


@pytest.mark.parametrize(
    ("limit", "code"), [(1000, memory_limit.TOO_MUCH), (2 * 10**9, pytest.ExitCode.OK)]
)
def test_a_run_that_takes_too_much_memory_fails(limit: int, code: int, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "pytest", "-q", "-pmemory_limit", ANY_TEST]
    done = subprocess.run(
        [*argv, "-o", f"cache_dir={tmp_path}"],
        cwd=ROOT,
        env={**os.environ, memory_limit.VARIABLE: str(limit), "K8S_HELPERS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert f" MB of {limit // 10**6} MB" in done.stdout


def test_a_child_of_the_run_counts(tmp_path: Path) -> None:
    script = "import os; data = bytearray(60_000_000); print('there', flush=True); input()"
    measure = memory_limit.Measure(tmp_path)
    measure.stop()
    alone = measure.most_bytes
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "K8S_HELPERS_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        measure.look()
        child.communicate(b"\n")
    assert measure.most_bytes - alone > 50_000_000
    assert "bytearray" in " ".join(command for _, command in measure.parts)


def test_only_what_others_may_not_enter_is_opened() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        closed, opened = Path(folder) / "closed", Path(folder) / "opened"
        for path in (closed / "a/b", closed / "c", opened / "a"):
            path.mkdir(parents=True)
        closed.chmod(0o700)
        found = ordinary_user.barriers([closed / "a/b", opened / "a", closed / "c"])
    assert found == {closed: [closed / "a/b", closed / "c"]}


def test_the_user_has_no_name_and_nothing_of_roots() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    script = "import os; print(os.getuid(), os.getgroups(), os.access('/etc/shadow', os.R_OK))"
    uid = ordinary_user.nameless_uid()
    needed = [sys.base_prefix, sys.prefix]
    argv = [sys.executable, ordinary_user.__file__, str(uid), *needed, "--"]
    done = subprocess.run(
        [*argv, sys.executable, "-c", script], cwd="/", capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(uid), "[]", "False"]
