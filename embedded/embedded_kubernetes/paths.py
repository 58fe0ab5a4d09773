"""Where things are kept: one function a place, nothing is created at import.

The variable `EMBEDDED_KUBERNETES_HOME`, when set, names the folder that holds everything, and
`EMBEDDED_KUBERNETES_CACHE` the one of what can be fetched again; otherwise it is the user's own cache, state and
runtime directories as the platform names them. An application that has embedded clusters of its
own calls `belong_to` first: folders, variables and advice then bear its name.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from .errors import ResourceError

_SOCKET_FOLDER_BYTES = 80
"""Leaves room for the sockets' own names in the 107 bytes of a unix socket's path."""


class Application(NamedTuple):
    """The program whose clusters these are.

    Attributes
    ----------
    name : str
        Names its folders.
    command : str
        What a user types, with the commands `up`, `down`, `status` and `doctor`: error messages name it.
    variables : str
        What its environment variables begin with, before `_HOME`, `_CACHE`, `_ISOLATION`, `_RESOLV_CONF`,
        `_RELEASES_URL`, `_ETCD_URL`.
    """

    name: str
    command: str
    variables: str


_INHERITED = "EMBEDDED_KUBERNETES_APPLICATION"

_application = Application(
    *os.environ.get(
        _INHERITED, "embedded-kubernetes embedded-kubernetes EMBEDDED_KUBERNETES"
    ).split()
)


def belong_to(application: Application) -> None:
    """Name the application that this process works for, before anything else is called."""
    global _application
    _application = application


def environment() -> dict[str, str]:
    """Return the variables by which a cluster's own processes know the application."""
    return {_INHERITED: " ".join(_application)}


def command() -> str:
    """Return the application's command."""
    return _application.command


def variable(suffix: str) -> str:
    """Return the name of one of the application's environment variables ("HOME")."""
    return f"{_application.variables}_{suffix}"


def _home(kind: str) -> Path | None:
    home = os.environ.get(variable("HOME"))
    return Path(home).expanduser().resolve() / kind if home else None


def private(path: Path) -> Path:
    """Make a folder that only its owner can enter, where it is missing, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def cache_dir() -> Path:
    """Return the folder of what can be fetched or built again."""
    import platformdirs

    named = os.environ.get(variable("CACHE"))
    own = Path(named).expanduser().resolve() if named else _home("cache")
    return private(own or Path(platformdirs.user_cache_dir(_application.name)))


def state_dir() -> Path:
    """Return the folder of what must last."""
    import platformdirs

    return private(_home("state") or Path(platformdirs.user_state_dir(_application.name)))


def runtime_dir(name: str) -> Path:
    """Return a private folder with a short path for the unix sockets of cluster `name`.

    A unix socket's path is at most 107 bytes (`man 7 unix`), which a home directory may exceed.

    Raises
    ------
    ResourceError
        The folder belongs to another user.
    """
    home = _home("run")
    if home is not None and len(os.fsencode(home / name)) <= _SOCKET_FOLDER_BYTES:
        return private(home / name)
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        parent = Path(base) / _application.command
    else:
        parent = Path(tempfile.gettempdir()) / f"{_application.command}-{os.getuid()}"
    path = parent / name
    for folder in (parent, path):  # /tmp is everybody's: another user may have made the parent
        if private(folder).stat().st_uid != os.getuid():
            raise ResourceError(
                f"Placer les sockets du cluster dans {path}",
                f"{folder} appartient à un autre compte",
                "Donnez un dossier à vous à la variable XDG_RUNTIME_DIR ou TMPDIR.",
            )
    return path
