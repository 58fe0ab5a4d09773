"""Whether containers get namespaces of their own on this machine, tried as the node does it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .. import paths
from ..processes import run

_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Refusal:
    """What stopped a process on its way into the namespaces of a container.

    Attributes
    ----------
    number : int
        The kernel's error number (`errno`); 0 where the process ended without one.
    words : str
        The kernel's words.
    what : str
        The system call that was refused, or the path of the mount or file.
    """

    number: int
    words: str
    what: str


def python() -> Path:
    """Return the program file that asks the kernel: what a security profile must name."""
    from .runtime.spawner_link import boot_argv

    return Path(boot_argv("namespaces")[0]).resolve()


def refusal() -> Refusal | None:
    """Let the Python that runs containers go where each container goes; return what stopped it, or None.

    Raises
    ------
    CommandError
        The trial itself does not run.
    """
    from .images.bases import host_programs
    from .runtime.spawner_link import boot_argv

    with tempfile.TemporaryDirectory(prefix="trial-", dir=paths.state_dir()) as folder:
        for name in ("base", "trial"):
            (Path(folder) / name).mkdir()
        settings = {
            "prefix": False,
            "base": f"{folder}/base",
            "trial": f"{folder}/trial",
            "extra": [str(path) for path in host_programs().folders()],
            "hidden": [],
        }
        done = run(boot_argv("namespaces", json.dumps(settings)), timeout_s=_TIMEOUT_S)
    answer = json.loads(done.stdout)
    return None if answer is None else Refusal(*answer)


def variable() -> str:
    """Return the environment variable whose value `prefix` does without namespaces even where they are allowed."""
    return paths.variable("ISOLATION")


def given_up() -> bool:
    """Return whether the user asked to do without namespaces."""
    return os.environ.get(variable()) == "prefix"
