"""Whether containers get namespaces of their own on this machine, tried as the node does it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .. import paths
from ..config import Network
from ..files import write_whole
from ..processes import spawn

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


@dataclass(frozen=True)
class Refusals:
    """What a trial met; None for nothing.

    Attributes
    ----------
    files : Refusal or None
        What stops a container on its way into namespaces.
    network : Refusal or None
        What stops a network for each pod; the same where `files` is refused already.
    layers : str
        What stops layers of images from being mounted, in the kernel's words; each container has a copy of them then.
    """

    files: Refusal | None
    network: Refusal | None
    layers: str = ""


def python() -> Path:
    """Return the program file that asks the kernel: what a security profile must name."""
    from .runtime.spawner_link import boot_argv

    return Path(boot_argv("namespaces")[0]).resolve()


class Trial:
    """Lets the Python that runs containers go where each container goes, while this process does something else.

    Use it as a context; the trial begins with it, and ends with it at the latest.
    """

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        from .images.bases import host_programs
        from .runtime.spawner_link import boot_argv
        from .runtime.users.ranges import id_map

        self._folder = tempfile.TemporaryDirectory(prefix="trial-", dir=paths.state_dir())
        folder = self._folder.name
        for name in ("base", "trial"):
            (Path(folder) / name).mkdir()
        settings = {
            "prefix": False,
            "network": False,
            "base": f"{folder}/base",
            "trial": f"{folder}/trial",
            "extra": [str(path) for path in host_programs().folders()],
            "hidden": [],
            "ids": id_map(),
        }
        argv = boot_argv("namespaces", json.dumps(settings))
        self._process = spawn(argv, stdout=subprocess.PIPE)
        return self

    def refusals(self) -> Refusals:
        """Wait for the end of the trial and return what it met.

        Raises
        ------
        OSError
            The trial itself does not run.
        """
        assert self._process is not None
        try:
            said, _ = self._process.communicate(timeout=_TIMEOUT_S)
            *met, layers = json.loads(said)
            files, network = (None if each is None else Refusal(*each) for each in met)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise OSError(0, f"l’essai ne répond pas ({error})") from None
        return Refusals(files, network, layers)

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._folder is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._folder.cleanup()


def refusals() -> Refusals:
    """Make the trial; see `Trial.refusals`."""
    with Trial() as trial:
        return trial.refusals()


@contextlib.contextmanager
def network_chosen() -> Iterator[Callable[[], Network]]:
    """Find out in the background which network a new cluster's pods can have; the result waits for the answer.

    What the kernel has allowed once it goes on allowing until the machine starts anew, or until a node meets the
    contrary (`forget_trial`): it is not asked again.
    """
    if given_up():
        yield lambda: "host"
        return
    if _known() == _circumstances():
        yield lambda: "pods"
        return
    with Trial() as trial:

        def chosen() -> Network:
            try:
                refused = trial.refusals().network
            except OSError:
                return "host"
            if refused is not None:
                return "host"
            with contextlib.suppress(OSError):  # it is asked again then
                write_whole(_memory(), _circumstances())
            return "pods"

        yield chosen


def forget_trial() -> None:
    """Ask the kernel again at the next start: it has refused a node what it had allowed before."""
    _memory().unlink(missing_ok=True)


def _memory() -> Path:
    """Return the file that says under which circumstances pods could have a network each."""
    return paths.state_dir() / "network-trial"


def _known() -> str:
    try:
        return _memory().read_text()
    except OSError:
        return ""


def _circumstances() -> str:
    """Return what the kernel's answer depends on: this boot, this user, this Python."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.geteuid()} {python()}"


def why_single() -> str | None:
    """Return in French why containers have one user only, or None where they can have as many as an image wants."""
    from .runtime.users import ranges

    return ranges.why_single()


def missing_for_internet() -> str:
    """Return the program or device that pods with a network of their own lack for the internet; "" for nothing."""
    from .runtime.pod_network.internet import missing

    return missing()


def variable() -> str:
    """Return the environment variable whose value `prefix` does without namespaces even where they are allowed."""
    return paths.variable("ISOLATION")


def given_up() -> bool:
    """Return whether the user asked to do without namespaces."""
    return os.environ.get(variable()) == "prefix"
