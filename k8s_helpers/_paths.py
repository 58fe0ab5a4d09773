"""Where things are kept: one function a place, nothing is created at import.

`K8S_HELPERS_HOME`, when set, holds everything (a computer room, a test); otherwise the user's own
cache, state and runtime directories as the platform names them.
"""

from __future__ import annotations

from pathlib import Path

from embedded_kubernetes import paths
from embedded_kubernetes.paths import cache_dir as cache_dir
from embedded_kubernetes.paths import state_dir as state_dir

PACKAGE = Path(__file__).resolve().parent
"""The folder of the package itself."""

COURSE = PACKAGE.parent
"""The checkout: `notebooks`, `apps`, `exercises` and `recordings` are in it."""

paths.belong_to(paths.Application("k8s-helpers", "k8s-lab", "K8S_HELPERS"))


def cluster_dir(provider: str, name: str) -> Path:
    """Return the private folder of one cluster, mode 0700, made where missing."""
    return paths.private(state_dir() / "clusters" / provider / name)
