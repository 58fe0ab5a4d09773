"""Built-in images: this machine's own programs, under names that say so (`host/python`, `host/java`, `host/shell`).

They have no files of their own but links to the host's programs, need no download and start at once. Nothing here
answers to the name of an image that it is not: `python:3.12` is the one of a registry or of an archive, or it is
not there.
"""

from __future__ import annotations

import functools
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["python", "java", "shell", "pause"]

PREFIX = "host/"
"""What their names begin with."""

BASE_NAME_LABEL = "org.opencontainers.image.base.name"
"""Label that names the image that another was built on.

Source: https://github.com/opencontainers/image-spec/blob/main/annotations.md
"""

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_RUNTIME_BIN = "/.runtime/bin"
_PAUSE = "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait $!; done"
_LATEST = "latest"

_COMMANDS: dict[Kind, tuple[str, ...]] = {
    "python": ("python3",),
    "java": ("jshell",),
    "shell": ("sh",),
    "pause": ("/bin/sh", "-c", _PAUSE),
}
"""What each runs by default; `host/pause` does nothing until it is asked to end."""


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
    """A built-in image.

    Attributes
    ----------
    reference : str
        Its name with the version of this machine ("host/python:3.11.2").
    env : dict
        Its environment.
    cmd : tuple of str
        What it runs by default.
    links : dict
        Path in the image → path that it points to.
    """

    reference: str
    env: dict[str, str]
    cmd: tuple[str, ...]
    links: dict[str, str]


def is_host(reference: str) -> bool:
    """Return whether a normalised reference is of this family, which no registry is asked for."""
    return reference.startswith(PREFIX)


def find(reference: str) -> BaseImage | None:
    """Return the built-in image of a normalised reference, or None where there is none of that name or version.

    A version may be as short as one likes: `host/python:3` and `host/python:3.11` are Python 3.11.2.
    """
    name, _, tag = reference.partition(":")
    kind = _kind(name)
    if kind is None or (there := version(kind)) is None:
        return None
    if tag != _LATEST and there != tag and not there.startswith(f"{tag}."):
        return None
    return _make(kind, f"{name}:{there or _LATEST}")


def refusal(reference: str) -> tuple[str, str]:
    """Return why there is no built-in image of a normalised reference, and what to write instead (French)."""
    name, _, tag = reference.partition(":")
    kind, known = _kind(name), ", ".join(names())
    if kind is None:
        return (
            f"« {name} » n’est pas une image de cette machine",
            f"Les images {PREFIX}… sont : {known}.",
        )
    there = version(kind)
    if there is None:
        return (
            "il n’y a pas de Java sur cette machine",
            "Installez un JDK, ou prenez une autre image.",
        )
    said = f"elle a la version {there}" if there else "elle n’a pas de version"
    return (
        f"{name} est faite des programmes de cette machine, et {said}, pas « {tag} »",
        f"Écrivez « {name} »"
        + (
            "."
            if not there
            else f" ou « {name}:{there} » ; une autre version se prend dans un registre."
        ),
    )


def names() -> tuple[str, ...]:
    """Return the built-in images of this machine, with their versions."""
    kinds: tuple[Kind, ...] = ("python", "java", "shell", "pause")
    made = (find(f"{PREFIX}{kind}:{_LATEST}") for kind in kinds)
    return tuple(base.reference.removesuffix(f":{_LATEST}") for base in made if base is not None)


@functools.cache
def version(kind: Kind) -> str | None:
    """Return the version of this machine's program, "" where it has none to speak of, None where it is not there."""
    if kind == "python":
        return platform.python_version()
    if kind != "java":
        return ""
    home = host_programs().java_home
    return None if home is None else _java_version(home)


def _java_version(home: Path) -> str:
    """Read what every JDK and JRE says of itself (`release`, JEP 223); some lack that file."""
    try:
        text = (home / "release").read_text()
    except OSError:
        return ""
    match = re.search(r'^JAVA_VERSION="([^"]+)"', text, re.MULTILINE)
    return match[1] if match else ""


def _kind(name: str) -> Kind | None:
    kinds: dict[str, Kind] = {f"{PREFIX}{kind}": kind for kind in _COMMANDS}
    return kinds.get(name)


def _make(kind: Kind, reference: str) -> BaseImage:
    programs = host_programs()
    cmd = _COMMANDS[kind]
    if kind == "python":
        python = str(programs.python)
        links = {f"{_RUNTIME_BIN}/{name}": python for name in ("python", "python3")}
        return BaseImage(
            reference, {"PATH": f"{_RUNTIME_BIN}:{_SYSTEM_PATH}", "LANG": "C.UTF-8"}, cmd, links
        )
    if kind == "java":
        home = str(programs.java_home)
        env = {"PATH": f"{home}/bin:{_SYSTEM_PATH}", "JAVA_HOME": home}
        links = {}
        if programs.maven_home is not None:
            links[f"{_RUNTIME_BIN}/mvn"] = f"{programs.maven_home}/bin/mvn"
            env["PATH"] = f"{env['PATH']}:{_RUNTIME_BIN}"
        return BaseImage(reference, env, cmd, links)
    return BaseImage(reference, {"PATH": _SYSTEM_PATH}, cmd, {})
