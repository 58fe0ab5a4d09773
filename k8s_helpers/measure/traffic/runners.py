"""Where the generator runs: as a process of this machine, or in the course's pod in the cluster. Both talk alike."""

from __future__ import annotations

import contextlib
import functools
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from embedded_kubernetes import processes

from ...kube.http import InsideAddress

_GENERATOR = Path(__file__).with_name("generator")
_WAIT_S = 5.0

_MAIN = "from generator.sender import main\n\nmain()\n"

_BOOT = """
import os, runpy, sys, tempfile
left, parts = int(sys.argv[1]), []
while left:
    parts.append(os.read(0, left))
    left -= len(parts[-1]) or sys.exit()
with tempfile.NamedTemporaryFile(suffix=".pyz") as file:
    file.write(b"".join(parts))
    file.flush()
    sys.argv = [file.name]
    runpy.run_path(file.name, run_name="__main__")
"""
"""Reads the zip from standard input, where the rest of it is the generator's, and runs it."""


class Runner(Protocol):
    """A generator that runs, to be talked to by lines of JSON.

    Attributes
    ----------
    remote : bool
        Its clock is another one than ours.
    where : str
        In French, for errors.
    """

    remote: bool
    where: str

    def send(self, line: str) -> None:
        """Write a line to it; nothing happens once it has ended."""

    def lines(self) -> Iterator[bytes]:
        """Yield each line that it writes, until its end; called once, by one thread."""

    def complaint(self) -> str:
        """Return what it has said of its end; "" where nothing."""

    def close(self) -> None:
        """End it at once, whatever it does."""


class LocalRunner:
    """The generator as a process of this machine.

    It ends when its input closes, hence with us: PR_SET_PDEATHSIG would tie it to the calling thread. A session of its
    own keeps a notebook's interrupt from it.
    """

    remote = False
    where = "un processus à part"

    def __init__(self) -> None:
        self.process = processes.spawn(
            [sys.executable, "-m", "k8s_helpers.measure.traffic.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            die_with_parent=False,
            new_session=True,
        )

    def send(self, line: str) -> None:
        """Write a line to it."""
        assert self.process.stdin is not None
        # Where it has ended, who reads its lines sees that.
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def lines(self) -> Iterator[bytes]:
        """Yield each line that it writes."""
        assert self.process.stdout is not None
        with self.process.stdout as output:
            yield from output

    def complaint(self) -> str:
        """Return nothing: its error output is dropped."""
        return ""

    def close(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()


class PodRunner:
    """The generator in a pod of the cluster, by exec.

    Parameters
    ----------
    address : InsideAddress
        Which has the pod.
    """

    remote = True
    where = "un pod du cluster"

    def __init__(self, address: InsideAddress) -> None:
        program = bundle()
        argv = ["python3", "-I", "-S", "-c", _BOOT, str(len(program))]
        self._dialogue = address.run(argv)
        self._dialogue.send(program)

    def send(self, line: str) -> None:
        """Write a line to it."""
        self._dialogue.send(line.encode() + b"\n")

    def lines(self) -> Iterator[bytes]:
        """Yield each line that it writes."""
        begun = b""
        for data in self._dialogue.output():
            *whole, begun = (begun + data).split(b"\n")
            yield from whole

    def complaint(self) -> str:
        """Return what it, or the cluster, has said of its end."""
        return self._dialogue.complaint

    def close(self) -> None:
        """Cut the connection: it ends when its input closes."""
        self._dialogue.close()


@functools.cache
def bundle() -> bytes:
    """Return the generator as a zip that any `python3` (3.9 or newer) runs."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", _MAIN)
        for file in sorted(_GENERATOR.glob("*.py")):
            archive.write(file, f"generator/{file.name}")
    return packed.getvalue()
