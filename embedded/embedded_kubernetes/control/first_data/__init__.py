"""What etcd of a new cluster begins with: all that an API server writes at its first start, written once.

Roles, priority levels, namespaces and the like are the same in every cluster of one Kubernetes version. They are made
once by that version's own API server and kept in the cache; each new cluster gets a copy with identifiers and times of
its own. What depends on a cluster (addresses, certificates, leases) is not in it: its API server writes that.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ... import paths
from ...errors import ExplainedError
from ...progress import Progress
from . import kept

if TYPE_CHECKING:
    from ...programs.binaries import Binaries


def ensure(programs: Binaries, progress: Progress) -> kept.FirstData | None:
    """Return the data for these programs, made where they are missing or damaged; None where that does not work.

    A cluster starts without them too: its API server then writes them itself.
    """
    folder = kept.folder_of(programs)
    found = _found(folder, programs, progress)
    if found is not None:
        return found
    try:
        with _only_one(folder.parent):
            if not (folder / kept.FACTS).is_file():  # who held the lock has made them
                progress.step("Données de départ des clusters (une fois pour toutes)")
                from . import making  # not what most starts need

                making.make(programs, folder)
            return kept.read(folder, programs)
    except (OSError, ValueError, KeyError, TypeError, ExplainedError) as error:
        why = error.found if isinstance(error, ExplainedError) else error
        progress.step(f"Données de départ impossibles à faire ({why}) : le cluster s’en passe")
        return None


def _found(folder: Path, programs: Binaries, progress: Progress) -> kept.FirstData | None:
    """Return what is there; what is damaged is said, and taken away."""
    try:
        return kept.read(folder, programs)
    except FileNotFoundError as error:
        damage = str(error.filename) if folder.exists() else ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        damage = str(error)
    if damage:
        progress.step(f"Données de départ abîmées ({damage}) : elles sont refaites")
        shutil.rmtree(folder, ignore_errors=True)
    return None


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Wait until no other command makes the data; what a killed one left is taken away."""
    descriptor = os.open(
        paths.private(folder) / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left in folder.glob(f"{kept.DRAFT}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(descriptor)
