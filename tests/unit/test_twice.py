"""What is tried again, and what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import leftovers
import pytest
import twice

FAILS_ONCE = """
from pathlib import Path

def test_it():
    here = Path(__file__).with_suffix(".seen")
    first = not here.exists()
    here.touch()
    assert not first
"""
LEAVES = f"""
def pytest_sessionfinish(session):
    session.config.cache.set("{leftovers.CACHE_KEY}", ["process 1: sleep"])
    session.exitstatus = 1
"""


def code_of(folder: Path, tests: str, *, leaves: bool = False) -> int:
    """Return how the runner ends for a test of a folder that fails the first time."""
    (folder / tests).mkdir(parents=True)
    (folder / tests / "test_once.py").write_text(FAILS_ONCE)
    (folder / "pytest.ini").write_text("[pytest]\n")
    if leaves:
        (folder / "conftest.py").write_text(LEAVES)
    argv = [sys.executable, twice.__file__, "lot", "-q", "-p", "no:nbval", tests]
    return subprocess.run(argv, cwd=folder, capture_output=True, check=False).returncode


def test_a_test_with_a_cluster_may_fail_once(tmp_path: Path) -> None:
    assert code_of(tmp_path, "tests/cluster") == 0


@pytest.mark.parametrize("tests", ["tests/unit", "tests/notebooks"])
def test_a_test_without_one_may_not(tmp_path: Path, tests: str) -> None:
    assert code_of(tmp_path, tests) == 1


def test_what_the_first_run_left_counts(tmp_path: Path) -> None:
    assert code_of(tmp_path, "tests/cluster", leaves=True) == 1
