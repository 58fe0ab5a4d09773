"""What an app needs to be made on this machine before its image: compiled Java, or the stand-in where there is no Java.

Images of Java programs hold a runtime only, so that one Containerfile serves every provider.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from embedded_kubernetes.processes import CommandError, run

from .. import _french
from .._errors import ImageError
from .._progress import Progress

STAND_IN = "standin"
"""Folder of an app that holds a program in Python with the same contract, and its Containerfile."""

_RELEASE = "17"
"""Oldest Java that the course's Java programs run on."""
_JAVAC_TIMEOUT_S = 120.0


def prepare(app: Path, progress: Progress) -> Path:
    """Make what an app's image copies, and return the folder that the image is built from.

    Parameters
    ----------
    app : Path
        A folder of `apps/`.
    progress : Progress
        Told each step.

    Returns
    -------
    Path
        The app's own folder; that of its stand-in where it is in Java and this machine has none.

    Raises
    ------
    ImageError
        The compiler or Maven refuses the program, Maven is not there, or the folder cannot be written.
    """
    if is_stand_in(app):
        return app / STAND_IN
    if _sources(app):
        _javac(app, progress)
    elif built_by_maven(app):
        from . import jars  # what measures imports little

        jars.ensure(app, progress)
    return app


def built_by_maven(app: Path) -> bool:
    """Return whether an app's folder holds a program that Maven builds."""
    return (app / "pom.xml").is_file()


def is_stand_in(app: Path) -> bool:
    """Return whether the stand-in of an app would be built here, for lack of Java."""
    return bool(_sources(app)) and not all(map(shutil.which, ("javac", "java")))


def _sources(app: Path) -> list[Path]:
    return sorted((app / "src").glob("*.java"))


def _javac(app: Path, progress: Progress) -> None:
    """Compile the sources of `src/` into `target/classes`, unless what is there is newer."""
    sources = _sources(app)
    classes = app / "target" / "classes"
    made = [path.stat().st_mtime for path in classes.glob("*.class")]
    if made and min(made) >= max(path.stat().st_mtime for path in sources):
        return
    progress.step(f"Compilation de « {app.name} » (javac)")
    tried = f"Compiler « {app.name} » avec javac"
    try:
        classes.parent.mkdir(exist_ok=True)
        # Beside its place, then moved: whoever builds the image meanwhile sees all classes or none.
        with tempfile.TemporaryDirectory(dir=classes.parent) as scratch:
            fresh = Path(scratch) / "classes"
            argv = ["javac", "--release", _RELEASE, "-d", str(fresh), *map(str, sources)]
            run(argv, timeout_s=_JAVAC_TIMEOUT_S)
            shutil.rmtree(classes, ignore_errors=True)
            fresh.replace(classes)
    except CommandError as error:
        raise ImageError(
            tried,
            error.found,
            f"Il faut un JDK {_RELEASE} ou plus récent : « javac -version » dit lequel est là.",
        ) from None
    except OSError as error:
        raise ImageError(
            tried, _french.system(error), f"Vérifiez que {app} peut être écrit."
        ) from None
