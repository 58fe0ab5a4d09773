"""Run tests that use a cluster, then once more what failed: a busy machine is late once, a defect fails twice.

    python tests/twice.py LOT [OPTION…] PATH…

LOT names the folder that remembers what failed, so that lots may run at the same time. A notebook is run again from its
first cell. A test that uses no cluster, and whatever a run leaves behind, is not forgiven. The exit code is pytest's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import leftovers
import pytest

_CACHE = Path(".pytest_cache")
_HOME = "tests/notebooks/test_structure.py"
"""Given beside a notebook, it brings `tests/conftest.py` along, and so the run's own home."""

_LIVE = ("tests/cluster/", "tests/notebooks/test_exercises.py", "notebooks/")
"""What uses a cluster: the others have no reason to fail once."""


def main(lot: str, arguments: Sequence[str]) -> int:
    """Run pytest with these arguments, at most twice."""
    cache = _CACHE / lot
    code = _pytest(cache, arguments)
    if code != pytest.ExitCode.TESTS_FAILED:
        return code
    failed = _kept(cache, "cache/lastfailed", {})
    left = _kept(cache, leftovers.CACHE_KEY, [])
    if left or not failed or not all(name.startswith(_LIVE) for name in failed):
        return code
    print(
        f"\n{lot}: once more what failed ({len(failed)}).", *sorted(failed), sep="\n  ", flush=True
    )
    return _pytest(cache, _again(arguments, failed))


def _kept(cache: Path, key: str, default: Any) -> Any:
    try:
        return json.loads((cache / "v" / key).read_text())
    except FileNotFoundError:
        return default


def _again(arguments: Sequence[str], failed: Sequence[str]) -> list[str]:
    """Return the arguments that run only what failed."""
    files = {name.partition("::")[0] for name in failed}
    if not any(file.endswith(".ipynb") for file in files):
        return [*arguments, "--last-failed", "--last-failed-no-failures=none"]
    options = [one for one in arguments if one.startswith("-")]
    return [*options, *sorted(files | {_HOME})]


def _pytest(cache: Path, arguments: Sequence[str]) -> int:
    argv = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
    return subprocess.run(argv, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
