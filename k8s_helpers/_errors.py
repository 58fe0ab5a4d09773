"""The error tree.

Every error that a student can cause or meet is a `K8sHelpersError`. Its message is French, because it is
the student who reads it, and has three parts: what was tried, what was found, what to do next. What the embedded
cluster raises are the same classes: its distribution has the root of the tree.
"""

from __future__ import annotations

from embedded_kubernetes.errors import (
    BinariesError,
    BusyError,
    ComponentError,
    ImageError,
    PlatformError,
    ResourceError,
    UsageError,
    WaitTimeoutError,
)
from embedded_kubernetes.errors import ExplainedError as K8sHelpersError

__all__ = [
    "ApiRefusedError",
    "BinariesError",
    "BusyError",
    "ClusterUnreachableError",
    "ComponentError",
    "EngineError",
    "ImageError",
    "K8sHelpersError",
    "ManifestError",
    "ManifestWarning",
    "NotebookError",
    "PlatformError",
    "PoolWarning",
    "RecordingError",
    "ResourceError",
    "SpoiledError",
    "UsageError",
    "WaitTimeoutError",
]


class EngineError(K8sHelpersError):
    """The container engine or the `kind` command is missing, stopped, too old or failed."""

    exit_code = 4


class ClusterUnreachableError(K8sHelpersError):
    """No cluster, a wrong kubeconfig, or an API server that does not answer."""

    exit_code = 5


class ManifestError(K8sHelpersError):
    """A manifest that cannot be read or that the API refuses; names file and line where known."""

    exit_code = 8


class ManifestWarning(UserWarning):
    """A manifest that is taken as it is, and does something that its author may not expect."""


class PoolWarning(UserWarning):
    """A namespace of the student's own that cannot be used now; another one is."""


class ApiRefusedError(K8sHelpersError):
    """The API server refused a request: forbidden, conflict, quota, not found."""

    exit_code = 11


class RecordingError(K8sHelpersError):
    """A recording that cannot be read or lacks what a chart needs."""

    exit_code = 13


class NotebookError(K8sHelpersError):
    """A notebook that cannot be read, or one of whose cells fails."""

    exit_code = 15


class SpoiledError(K8sHelpersError):
    """A wait or a measure that something from outside made worthless: its namespace deleted, the machine suspended."""

    exit_code = 16


class LabError(K8sHelpersError):
    """A lab that does not exist, or whose folder lacks a part."""

    exit_code = 17


class ExecError(K8sHelpersError):
    """A command that fails in a pod."""

    exit_code = 18
