"""Kubernetes' own programs for the embedded cluster, all of one pinned version.

They are looked for in our cache, then on the `PATH`, then downloaded from the official releases, then compiled. Each
way works in a scratch folder; only a complete set is moved into the cache, by one rename.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import paths
from ..errors import BinariesError, ExplainedError
from ..preflight import disk_errors
from ..processes import run
from ..progress import Progress
from . import compilation, downloads

KUBERNETES_VERSION = "v1.37.0"
"""The pinned version; `toolchain/go.mod` beside this module pins the same one."""

ETCD_VERSION = "v3.7.0"
"""The etcd that this Kubernetes is built and tested with."""

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")

_POLL_S = 0.2
_LAST_WRITES_S = 10.0
_SCRATCH = "scratch-"
_COPY = "copy-"


@dataclass(frozen=True)
class Binaries:
    """A complete set of programs.

    Attributes
    ----------
    folder : Path
        Holds every one of `PROGRAMS`.
    kubernetes_version : str
        What they say they are: the pinned version, or on a `PATH` another patch of the same minor.
    """

    folder: Path
    kubernetes_version: str


def cached() -> Binaries | None:
    """Return the set in our cache; None where it is not there or not whole."""
    folder = _cache_folder() / KUBERNETES_VERSION
    if not all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
        return None
    try:
        version = (folder / "VERSION").read_text().strip()
    except FileNotFoundError:
        version = KUBERNETES_VERSION
    return Binaries(folder, version)


def ensure(progress: Progress) -> Binaries:
    """Return the programs, fetched or compiled where they are missing.

    Parameters
    ----------
    progress : Progress
        Told each step: a compilation lasts minutes.

    Raises
    ------
    BinariesError
        No way works; the message says what each one met.
    """
    programs = cached()
    if programs is not None:
        return programs
    with _only_one(progress), disk_errors("Installer les programmes de Kubernetes"):
        programs = cached()  # the one that held the lock has made them
        return programs if programs is not None else _obtain(progress)


def install(folder: Path, progress: Progress) -> Binaries:
    """Move a complete set that `folder` holds into the cache, in the place of the one that is there.

    Raises
    ------
    BinariesError
        They are of another version than the pinned minor, or do not run here.
    """
    with _only_one(progress), disk_errors("Installer les programmes de Kubernetes"):
        try:
            return _install(folder, _check(folder))
        except downloads.WayFailedError as error:
            raise BinariesError(
                "Installer les programmes de Kubernetes",
                str(error),
                "Prenez ceux de la même version du cours.",
            ) from None


def copy(folder: Path, progress: Progress) -> Binaries:
    """Copy a complete set that `folder` holds into the cache; see `install` for the errors."""
    cache = paths.cache_dir()
    with (
        disk_errors(f"Copier {folder}"),
        tempfile.TemporaryDirectory(prefix=_COPY, dir=cache) as scratch,
    ):
        for program in PROGRAMS:
            shutil.copy2(folder / program, Path(scratch) / program)
        return install(Path(scratch), progress)


def _cache_folder() -> Path:
    return paths.cache_dir() / "bin"


def _obtain(progress: Progress) -> Binaries:
    failures: list[str] = []
    for name, way in _WAYS.items():
        with _scratch() as scratch:
            try:
                folder = way(scratch, progress)
                return _install(folder, _check(folder))
            except (downloads.WayFailedError, ExplainedError) as error:
                reason = error.found if isinstance(error, ExplainedError) else str(error)
                failures.append(f"{name} : {reason}")
                progress.step(f"{name} : impossible, autre moyen")
    raise BinariesError(
        f"Obtenir les programmes de Kubernetes {KUBERNETES_VERSION} ({', '.join(PROGRAMS)})",
        "aucun moyen n’a marché.\n    - " + "\n    - ".join(failures),
        "Donnez un accès à internet ou à un registre (PyPI et modules Go), installez Go, ou copiez les programmes "
        f"d’une autre machine dans {_cache_folder() / KUBERNETES_VERSION}.",
    )


def _from_path(scratch: Path, progress: Progress) -> Path:
    """Copy the programs on `PATH`, where all are there and of the pinned minor."""
    progress.step("Recherche de Kubernetes sur cette machine")
    places = {program: shutil.which(program) for program in PROGRAMS}
    missing = [program for program, place in places.items() if place is None]
    if missing:
        raise downloads.WayFailedError("il manque " + ", ".join(missing))
    for program, place in places.items():
        assert place is not None
        if program != "etcd" and (version := _version_of(Path(place))) and not same_minor(version):
            raise downloads.WayFailedError(
                f"{place} est en version {version}, il faut {minor(KUBERNETES_VERSION)}"
            )
        shutil.copy2(place, scratch / program)
    return scratch


def _from_releases(scratch: Path, progress: Progress) -> Path:
    return downloads.fetch(scratch, KUBERNETES_VERSION, ETCD_VERSION, downloads.sources(), progress)


def _from_sources(scratch: Path, progress: Progress) -> Path:
    return compilation.build(scratch, KUBERNETES_VERSION, progress)


_WAYS: dict[str, Callable[[Path, Progress], Path]] = {
    "Programmes déjà installés (PATH)": _from_path,
    "Téléchargement des versions officielles": _from_releases,
    "Compilation avec Go": _from_sources,
}


def minor(version: str) -> str:
    """Return "v1.37" of "v1.37.4"."""
    return ".".join(version.split(".")[:2])


def same_minor(version: str) -> bool:
    """Return whether a version is a patch of the pinned minor."""
    return minor(version) == minor(KUBERNETES_VERSION)


def _version_of(program: Path) -> str:
    """Return what a program of Kubernetes says of itself ("v1.37.0")."""
    arguments = ("version", "--client") if program.name == "kubectl" else ("--version",)
    answer = run([str(program), *arguments], timeout_s=20).stdout
    version = re.search(r"v\d+\.\d+\.\d+\S*", answer)
    if version is None:
        raise downloads.WayFailedError(f"{program} ne dit pas sa version : {answer[:80]!r}")
    return version.group()


def _check(folder: Path) -> str:
    """Return the version of a set after having run it: it must be for this machine and of the pinned minor."""
    run([str(folder / "etcd"), "--version"], timeout_s=20)
    version = _version_of(folder / "kube-apiserver")
    if not same_minor(version):
        raise downloads.WayFailedError(f"version {version} au lieu de {KUBERNETES_VERSION}")
    return version


def _install(folder: Path, version: str) -> Binaries:
    """Move a complete set into the cache in one step."""
    target = _cache_folder() / KUBERNETES_VERSION
    staged = _cache_folder() / f".{KUBERNETES_VERSION}.new"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o755)
    for program in PROGRAMS:
        shutil.move(folder / program, staged / program)
        (staged / program).chmod(0o755)
    (staged / "VERSION").write_text(version + "\n")
    shutil.rmtree(target, ignore_errors=True)
    staged.replace(target)
    return Binaries(target, version)


@contextmanager
def _scratch() -> Iterator[Path]:
    """Give an empty folder beside the cache; it goes away, as do those that killed commands left.

    To be called by the holder of the lock only.
    """
    for left in paths.cache_dir().glob(f"{_SCRATCH}*"):
        _delete(left)
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=paths.cache_dir()))
    try:
        yield scratch
    finally:
        _delete(scratch)


def _delete(folder: Path) -> None:
    """Delete a folder in which interrupted compilers may still write for a moment."""
    end_s = time.monotonic() + _LAST_WRITES_S
    while folder.exists() and time.monotonic() < end_s:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(_POLL_S)


@contextmanager
def _only_one(progress: Progress) -> Iterator[None]:
    """Wait until no other command fetches or compiles."""
    folder = _cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress.step("Une autre commande prépare déjà les programmes de Kubernetes")
                time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)
