"""Debian's packages, by its own programs: which ones a set needs, in which version, and their archives."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

_CHOSEN = re.compile(r"^Inst (?P<name>\S+) \((?P<version>\S+) ", re.MULTILINE)


def _apt(out: Path, *arguments: str) -> str:
    """Run apt-get as on a machine where nothing is installed; packages go to a folder of ours."""
    archives = out / "packages"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State::status": "/dev/null",
        "Dir::Cache::archives": str(archives),
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "1",
    }
    options = [f"-o{name}={value}" for name, value in settings.items()]
    command = ["apt-get", "-qq", "-y", "--no-install-recommends", *options, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr.strip()} (try « apt-get update »)")
    return done.stdout


def resolve(names: Iterable[str], out: Path) -> dict[str, str]:
    """Return the version of each package that these need, themselves included."""
    return {
        chosen["name"]: chosen["version"]
        for chosen in _CHOSEN.finditer(_apt(out, "--simulate", "install", *names))
    }


def fetch(names: Iterable[str], out: Path) -> dict[str, Path]:
    """Return the archive of each of them, downloaded where it is not there."""
    names = list(names)
    _apt(out, "--download-only", "install", *names)
    found = {}
    for name, version in resolve(names, out).items():
        (found[name],) = (out / "packages").glob(f"{name}_{version.replace(':', '%3a')}_*.deb")
    return found


def version(package_version: str) -> str:
    """Return the upstream version, which an image's tag can hold: "1:10.11.19-0+deb12u1" is "10.11.19"."""
    return re.sub(r"[^\w.-].*", "", package_version.partition(":")[2] or package_version).partition(
        "-"
    )[0]


def key(chosen: dict[str, str], folder: Path) -> str:
    """Return what names an image made of these packages by the program in this folder."""
    digest = hashlib.sha256(repr(sorted(chosen.items())).encode())
    for source in sorted(folder.rglob("*")):
        if source.is_file() and source.suffix != ".pyc":
            digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
