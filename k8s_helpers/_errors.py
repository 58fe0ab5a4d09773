"""The error tree.

Every error that a student can cause or meet is a `K8sHelpersError`. Its message is French, because it is
the student who reads it, and has three parts: what was tried, what was found, what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class K8sHelpersError(Exception):
    """Root of all errors raised on purpose by `k8s_helpers`.

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
        What `k8s-lab` exits with when this error reaches the command line.
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


class UsageError(K8sHelpersError):
    """An argument that makes no sense: unknown strategy, negative rate, unknown provider."""

    exit_code = 2


class PlatformError(K8sHelpersError):
    """The operating system or the machine cannot do it (embedded on macOS)."""

    exit_code = 3


class EngineError(K8sHelpersError):
    """The container engine or the `kind` command is missing, stopped, too old or failed."""

    exit_code = 4


class ClusterUnreachableError(K8sHelpersError):
    """No cluster, a wrong kubeconfig, or an API server that does not answer."""

    exit_code = 5


class BinariesError(K8sHelpersError):
    """Kubernetes' binaries could not be found, fetched, verified or built."""

    exit_code = 6


class ResourceError(K8sHelpersError):
    """The machine lacks something: a free port, memory, disk."""

    exit_code = 7


class ManifestError(K8sHelpersError):
    """A manifest that cannot be read or that the API refuses; names file and line where known."""

    exit_code = 8


class ManifestWarning(UserWarning):
    """A manifest that is taken as it is, and does something that its author may not expect."""


class ImageError(K8sHelpersError):
    """An image that cannot be built, found or loaded into the cluster."""

    exit_code = 9


class WaitTimeoutError(K8sHelpersError):
    """What was waited for did not happen in the time given."""

    exit_code = 10


class ApiRefusedError(K8sHelpersError):
    """The API server refused a request: forbidden, conflict, quota, not found."""

    exit_code = 11


class BusyError(K8sHelpersError):
    """Another command is at work on the same cluster."""

    exit_code = 12


class RecordingError(K8sHelpersError):
    """A recording that cannot be read or lacks what a chart needs."""

    exit_code = 13


class ComponentError(K8sHelpersError):
    """A component of the embedded cluster does not start or died for good."""

    exit_code = 14


class NotebookError(K8sHelpersError):
    """A notebook that cannot be read, or one of whose cells fails."""

    exit_code = 15


class SpoiledError(K8sHelpersError):
    """A wait or a measure that something from outside made worthless: its namespace deleted, the machine suspended."""

    exit_code = 16
