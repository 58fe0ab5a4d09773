"""The course's Java programs: built once by Maven on this machine, kept in the cache by the content of their sources.

An image takes the jar as it is, so nothing is fetched while the course runs, and neither kind nor the embedded
cluster needs an image with Maven.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_kubernetes.processes import CommandError, run

from .. import _paths
from .._errors import ImageError
from .._progress import Progress

JAVA_VERSION = 17
"""What the programs are compiled for, and what runs them at least."""

_MAVEN_S = 1200.0
_ANSWER_S = 20.0
_SHOWN_LINES = 6
_INSTALL = (
    "Installez Maven et un JDK 17 ou plus récent : « apt install maven openjdk-17-jdk-headless », ou avec conda "
    "« conda install maven openjdk=17 »."
)
_NO_NETWORK = ("could not transfer", "could not resolve", "non-resolvable", "offline mode")
_NO_COMPILER = ("no compiler is provided", "release version", "invalid target release")


class MachineError(ImageError):
    """A machine that cannot build or run a Java program: no Maven, no JDK, no network; the sources are innocent."""


def cached(app: Path) -> Path:
    """Return where the jar of an app's present sources is kept, whether it is there or not."""
    return _paths.cache_dir() / "jars" / f"{app.name}-{_digest(app)}.jar"


def ensure(app: Path, progress: Progress) -> Path:
    """Put the jar of an app's present sources into its `target` folder, and return its path.

    Maven runs only where neither that folder nor the cache has it.

    Parameters
    ----------
    app : Path
        Its folder, with `pom.xml` and `src/`.
    progress : Progress
        Told that Maven works.

    Raises
    ------
    MachineError
        No Maven, no compiler, no network.
    ImageError
        A build that fails for another reason.
    """
    kept, jar = cached(app), app / "target" / f"{app.name}.jar"
    with _locked():
        if not kept.is_file():
            _build(app, kept, progress)
        if not jar.is_file() or sha256(jar) != sha256(kept):
            jar.parent.mkdir(exist_ok=True)
            _replace(kept, jar)
    return jar


def install(jar: Path) -> Path:
    """Keep a jar that another machine built under its name, which tells its sources; return where."""
    with _locked():
        kept = _paths.cache_dir() / "jars" / jar.name
        _replace(jar, kept)
    return kept


def java_version() -> int | None:
    """Return the major version of the `java` on the PATH, or None where there is none."""
    return _version(["java", "-version"], r'version "(?:1\.)?(\d+)')


def compiler_version() -> int | None:
    """Return the major version of the `javac` on the PATH, or None where there is none."""
    return _version(["javac", "-version"], r"javac (?:1\.)?(\d+)")


def has_maven() -> bool:
    """Return whether the `mvn` command is there."""
    return shutil.which("mvn") is not None


def _version(argv: list[str], pattern: str) -> int | None:
    try:
        done = run(argv, timeout_s=_ANSWER_S)
    except CommandError:
        return None
    match = re.search(pattern, done.stderr + done.stdout)
    return int(match[1]) if match else None


def _digest(app: Path) -> str:
    """Return a digest of all that decides what the jar holds."""
    digest = hashlib.sha256()
    sources = [path for path in (app / "src").rglob("*") if path.is_file()]
    for path in sorted([app / "pom.xml", *sources]):
        digest.update(f"{path.relative_to(app).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _locked() -> Iterator[None]:
    folder = _paths.cache_dir() / "jars"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(source: Path, target: Path) -> None:
    """Copy so that nobody ever sees half a file."""
    scratch = target.with_suffix(".part")
    shutil.copyfile(source, scratch)
    scratch.replace(target)


def _build(app: Path, kept: Path, progress: Progress) -> None:
    tried = f"Construire le programme Java « {app.name} » avec Maven"
    progress.step(f"{tried} (une minute la première fois)")
    with tempfile.TemporaryDirectory(prefix="maven-", dir=_paths.cache_dir()) as folder:
        argv = ["mvn", "--batch-mode", "--quiet", f"-Dbuild.folder={folder}", "package"]
        try:
            done = run(argv, timeout_s=_MAVEN_S, cwd=app, check=False)
        except CommandError as error:
            raise MachineError(tried, error.found, _INSTALL) from None
        if done.returncode != 0:
            raise _explained(tried, done.stdout + done.stderr)
        made = Path(folder) / f"{app.name}.jar"
        if not made.is_file():
            raise ImageError(
                tried,
                f"Maven n’a pas fait {made.name}",
                "Le pom.xml doit garder <finalName> et <directory>${build.folder}</directory>.",
            )
        _replace(made, kept)


def _explained(tried: str, written: str) -> ImageError:
    """Say what stopped Maven: the machine, the network or the sources."""
    errors = [line for line in written.splitlines() if line.startswith("[ERROR]")]
    reason = "\n".join((errors or written.strip().splitlines())[:_SHOWN_LINES])
    low = written.lower()
    if any(mark in low for mark in _NO_COMPILER):
        return MachineError(tried, reason, _INSTALL)
    if any(mark in low for mark in _NO_NETWORK):
        advice = (
            "Vérifiez la connexion à repo.maven.apache.org, ou prenez le jar d’une archive "
            "(« k8s-lab bundle load »)."
        )
        return MachineError(tried, reason, advice)
    return ImageError(tried, reason, "Corrigez les sources là où Maven le dit.")
