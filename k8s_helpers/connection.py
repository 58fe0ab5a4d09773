"""`connect` as notebooks call it: the cluster also says which of the course's experiments it cannot show."""

from __future__ import annotations

from typing import Any

from . import cluster, labs
from ._interruption import stoppable
from ._progress import Progress
from .cluster.badge import NotShown
from .journal import sharing


@stoppable
def connect(
    provider: str | None = None,
    name: str | None = None,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> cluster.Cluster:
    """Return the course's cluster, started where it does not run; see `k8s_helpers.cluster.connect`.

    Parameters
    ----------
    provider : str, optional
        "kind", "embedded" or "existing"; otherwise what was chosen before, then what this machine can do.
    name : str, optional
        The cluster's name, "cours" by default.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).
    **options
        `kubeconfig`, `context` and `namespace_prefix`, for "existing".

    Raises
    ------
    K8sHelpersError
        What keeps the cluster from running, in French.
    """
    connected = cluster.connect(provider, name, progress=progress, **options)
    connected.not_shown = [
        NotShown(lab.title, limit.reason, limit.instead)
        for lab in map(labs.get, labs.LABS)
        for limit in lab.limits
        if limit.provider == connected.provider.kind
    ]
    sharing.begin(connected)
    return connected
