"""Another revision of this repository, beside the one that is checked out, and an interpreter that imports it."""

from __future__ import annotations

import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_kubernetes.processes import run
from k8s_helpers import _paths


@contextmanager
def interpreter(revision: str, folder: Path) -> Iterator[str]:
    """Give the Python of an environment in which a revision is installed, with this environment's other packages."""
    checkout, environment = folder / "checkout", folder / "environment"
    git = ["git", "-C", str(_paths.COURSE)]
    run([*git, "worktree", "add", "--detach", str(checkout), revision], timeout_s=60)
    try:
        venv.create(environment, with_pip=False, symlinks=True)
        site = environment / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
        paths = (checkout, checkout / "embedded", sysconfig.get_path("purelib"))
        (site / "revision.pth").write_text("\n".join(map(str, paths)) + "\n")
        python = str(environment / "bin" / "python")
        run([python, "-m", "compileall", "-q", str(checkout)], timeout_s=120, check=False)
        yield python
    finally:
        run([*git, "worktree", "remove", "--force", str(checkout)], timeout_s=60, check=False)
