"""Whether containers get namespaces of their own on this machine, tried as the node does it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .. import _paths
from .._run import run

_TIMEOUT_S = 20.0

VARIABLE = "K8S_HELPERS_ISOLATION"
"""`prefix` does without namespaces even where they are allowed."""


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
    from .node.spawner_link import boot_argv

    return Path(boot_argv("isolation")[0]).resolve()


def refusal() -> Refusal | None:
    """Let the Python that runs containers go where each container goes; return what stopped it, or None.

    Raises
    ------
    CommandError
        The trial itself does not run.
    """
    from .node.bases import host_programs
    from .node.spawner_link import boot_argv

    with tempfile.TemporaryDirectory(prefix="trial-", dir=_paths.state_dir()) as folder:
        for name in ("base", "trial"):
            (Path(folder) / name).mkdir()
        settings = {
            "prefix": False,
            "base": f"{folder}/base",
            "trial": f"{folder}/trial",
            "extra": [str(each) for each in host_programs().folders()],
            "hidden": [],
        }
        done = run(boot_argv("isolation", json.dumps(settings)), timeout_s=_TIMEOUT_S)
    found = json.loads(done.stdout)
    return None if found is None else Refusal(*found)


def given_up() -> bool:
    """Return whether the user asked to do without namespaces."""
    return os.environ.get(VARIABLE) == "prefix"
