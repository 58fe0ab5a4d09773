"""Base images: what stands for `python`, `eclipse-temurin`, `busybox` … where no image can be pulled.

A base image of this cluster has no files of its own but links to the host's programs; the host's Python, Java
and shell are what runs.
"""

from __future__ import annotations

import functools
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["python", "java", "shell"]

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_RUNTIME_BIN = "/.runtime/bin"
_PAUSE = "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait $!; done"

_KINDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("java", ("java", "temurin", "openjdk", "jdk", "jre", "corretto", "maven", "liberica", "zulu")),
    ("python", ("python",)),
    ("shell", ("busybox", "alpine", "debian", "ubuntu", "scratch", "bash", "pause")),
)
_RUNNABLE: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "busybox": ("shell", ("sh",)),
    "alpine": ("shell", ("/bin/sh",)),
    "debian": ("shell", ("bash",)),
    "ubuntu": ("shell", ("bash",)),
    "bash": ("shell", ("bash",)),
    "python": ("python", ("python3",)),
    "eclipse-temurin": ("java", ("jshell",)),
    "openjdk": ("java", ("jshell",)),
    "registry.k8s.io/pause": ("shell", ("/bin/sh", "-c", _PAUSE)),
}
"""Repositories that run as they are, with the command that they run by default."""


@dataclass(frozen=True)
class HostPrograms:
    """The host's interpreters that containers run on."""

    python: Path
    python_prefix: Path
    java_home: Path | None
    maven_home: Path | None

    def folders(self) -> tuple[Path, ...]:
        """Return the folders that containers must see, wherever they are."""
        homes = (self.python_prefix, self.java_home, self.maven_home)
        return tuple(home for home in homes if home is not None)


@functools.cache
def host_programs() -> HostPrograms:
    """Find the host's interpreters; Python is the one without the course's packages."""
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    return HostPrograms(python, Path(sys.base_prefix).resolve(), _home("java"), _home("mvn"))


def _home(program: str) -> Path | None:
    place = shutil.which(program)
    return Path(place).resolve().parents[1] if place else None


@dataclass(frozen=True)
class BaseImage:
    """A base image: what `FROM` begins with."""

    kind: Kind
    env: dict[str, str]
    cmd: tuple[str, ...]
    links: dict[str, str]
    """Path in the image → path that it points to."""


def kind_of(reference: str) -> Kind | None:
    """Return which of the host's programs a base image's name asks for, or None."""
    for kind, words in _KINDS:
        if any(word in reference for word in words):
            return kind
    return None


def base(reference: str) -> BaseImage | None:
    """Return what stands for a base image in `FROM`; None where nothing of this host does."""
    kind = kind_of(reference)
    programs = host_programs()
    if kind == "java" and programs.java_home is None:
        return None
    return None if kind is None else _make(kind, ("sh",))


def runnable(repository: str) -> BaseImage | None:
    """Return what runs for an image that needs no build (`busybox`, `python` …), or None."""
    known = _RUNNABLE.get(repository)
    if known is None or (known[0] == "java" and host_programs().java_home is None):
        return None
    return _make(*known)


def runnable_names() -> tuple[str, ...]:
    """Return the repositories that run without a build here."""
    return tuple(name for name in _RUNNABLE if runnable(name) is not None)


def _make(kind: Kind, cmd: tuple[str, ...]) -> BaseImage:
    programs = host_programs()
    if kind == "python":
        python = str(programs.python)
        links = {f"{_RUNTIME_BIN}/{name}": python for name in ("python", "python3")}
        return BaseImage(
            kind, {"PATH": f"{_RUNTIME_BIN}:{_SYSTEM_PATH}", "LANG": "C.UTF-8"}, cmd, links
        )
    if kind == "java":
        home = str(programs.java_home)
        env = {"PATH": f"{home}/bin:{_SYSTEM_PATH}", "JAVA_HOME": home}
        links = {}
        if programs.maven_home is not None:
            links[f"{_RUNTIME_BIN}/mvn"] = f"{programs.maven_home}/bin/mvn"
            env["PATH"] = f"{env['PATH']}:{_RUNTIME_BIN}"
        return BaseImage(kind, env, cmd, links)
    return BaseImage(kind, {"PATH": _SYSTEM_PATH}, cmd, {})
