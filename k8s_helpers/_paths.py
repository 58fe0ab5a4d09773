"""Where things are kept: one function a place, nothing is created at import.

`K8S_HELPERS_HOME`, when set, holds everything (a computer room, a test); otherwise the user's own
cache, state and runtime directories as the platform names them.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from ._errors import ResourceError

_APP = "k8s-helpers"

PACKAGE = Path(__file__).resolve().parent
"""The folder of the package itself."""

_SOCKET_FOLDER_BYTES = 80
"""Leaves room for the sockets' own names in the 107 bytes of a unix socket's path."""

COURSE = PACKAGE.parent
"""The checkout: `notebooks`, `apps`, `exercises`, `toolchain` and `recordings` are in it."""


def _home(kind: str) -> Path | None:
    home = os.environ.get("K8S_HELPERS_HOME")
    return Path(home).expanduser().resolve() / kind if home else None


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def cache_dir() -> Path:
    """Return the folder of what can be fetched or built again (binaries, images)."""
    return _private(_home("cache") or Path(platformdirs.user_cache_dir(_APP)))


def state_dir() -> Path:
    """Return the folder of what must last (clusters, progress, predictions)."""
    return _private(_home("state") or Path(platformdirs.user_state_dir(_APP)))


def cluster_dir(provider: str, name: str) -> Path:
    """Return the private folder of one cluster, mode 0700, made where missing."""
    return _private(state_dir() / "clusters" / provider / name)


def runtime_dir(name: str) -> Path:
    """Return a private folder with a short path for the unix sockets of cluster `name`.

    A unix socket's path is at most 107 bytes (`man 7 unix`), which a home directory may exceed.
    """
    home = _home("run")
    if home is not None and len(os.fsencode(home / name)) <= _SOCKET_FOLDER_BYTES:
        return _private(home / name)
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        parent = Path(base) / "k8s-lab"
    else:
        parent = Path(tempfile.gettempdir()) / f"k8s-lab-{os.getuid()}"
    path = parent / name
    for folder in (parent, path):  # /tmp is everybody's: another user may have made the parent
        if _private(folder).stat().st_uid != os.getuid():
            raise ResourceError(
                f"Placer les sockets du cluster dans {path}",
                f"{folder} appartient à un autre compte",
                "Donnez un dossier à vous à la variable XDG_RUNTIME_DIR ou TMPDIR.",
            )
    return path
