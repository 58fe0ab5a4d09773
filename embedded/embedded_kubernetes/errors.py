"""The errors that are raised on purpose. A message has three parts: what was tried, what was found, what to do next."""

from __future__ import annotations

import errno
from typing import ClassVar

_SYSTEM = {
    errno.ENOENT: "rien de ce nom n’existe",
    errno.EISDIR: "c’est un dossier, pas un fichier",
    errno.ENOTDIR: "ce n’est pas un dossier",
    errno.EACCES: "l’accès est refusé",
    errno.EPERM: "cela n’est pas permis",
    errno.EROFS: "ce disque est en lecture seule",
    errno.ENOSPC: "il n’y a plus de place sur le disque",
    errno.EDQUOT: "votre quota de disque est atteint",
    errno.ENOMEM: "il n’y a plus de mémoire",
    errno.EMFILE: "trop de fichiers sont ouverts",
    errno.ECONNREFUSED: "la connexion est refusée",
    errno.EADDRINUSE: "l’adresse est déjà prise",
    errno.EADDRNOTAVAIL: "cette adresse n’existe pas ici",
}


def system(error: OSError) -> str:
    """Return in French what the system refused; in its own words where they are rare ones."""
    return _SYSTEM.get(error.errno or 0) or error.strerror or str(error)


class ExplainedError(Exception):
    """Root of all errors raised on purpose.

    Parameters
    ----------
    tried : str
        What was attempted, in French ("Démarrer le cluster « cours » avec kind").
    found : str
        What was observed, in French or verbatim from the tool that failed.
    advice : str
        What to do next, in French, as an instruction.

    Attributes
    ----------
    exit_code : int
        What a command exits with when this error reaches the command line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, tried: str, found: str, advice: str) -> None:
        super().__init__(tried, found, advice)
        self.tried = tried
        self.found = found
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.tried}\n  Constaté : {self.found}\n  À faire : {self.advice}"

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook (IPython's hook): a traceback teaches a student nothing."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(ExplainedError):
    """An argument that makes no sense: a bad name, a negative rate."""

    exit_code = 2


class PlatformError(ExplainedError):
    """The operating system or the machine cannot do it (macOS)."""

    exit_code = 3


class BinariesError(ExplainedError):
    """Kubernetes' binaries could not be found, fetched, verified or built."""

    exit_code = 6


class ResourceError(ExplainedError):
    """The machine lacks something: a free port, memory, disk."""

    exit_code = 7


class ImageError(ExplainedError):
    """An image that cannot be built, found or loaded into the cluster."""

    exit_code = 9


class WaitTimeoutError(ExplainedError):
    """What was waited for did not happen in the time given."""

    exit_code = 10


class BusyError(ExplainedError):
    """Another command is at work on the same cluster."""

    exit_code = 12


class ComponentError(ExplainedError):
    """A component of the cluster does not start or died for good."""

    exit_code = 14
