"""Run pytest, then once more what failed: a busy machine is late once, a defect fails twice.

    python tests/twice.py LOT [OPTION…] PATH…

LOT names the folder that remembers what failed, so that lots may run at the same time. A notebook is run again from its
first cell. The exit code is pytest's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_CACHE = Path(".pytest_cache")
_HOME = "tests/notebooks/test_structure.py"
"""Given beside a notebook, it brings `tests/conftest.py` along, and so the run's own home."""


def main(lot: str, arguments: Sequence[str]) -> int:
    """Run pytest with these arguments, at most twice."""
    cache = _CACHE / lot
    code = _pytest(cache, arguments)
    if code != pytest.ExitCode.TESTS_FAILED:
        return code
    failed = json.loads((cache / "v/cache/lastfailed").read_text())
    print(
        f"\n{lot}: once more what failed ({len(failed)}).", *sorted(failed), sep="\n  ", flush=True
    )
    return _pytest(cache, _again(arguments, failed))


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
