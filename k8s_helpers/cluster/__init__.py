"""One way to a cluster, whatever provides it: `connect()`, then namespaces, objects, waits, logs."""

from __future__ import annotations

import os
import sys
from typing import Any

from .. import providers
from .._errors import ClusterUnreachableError
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..kube.http import ServiceAddress
from . import contexts
from .clusters import Cluster, own_environment
from .namespaces import Namespace

__all__ = ["Cluster", "Namespace", "ServiceAddress", "connect", "current_cluster"]

_current: Cluster | None = None


@stoppable
def connect(
    provider: str | None = None,
    name: str | None = None,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> Cluster:
    """Return the course's cluster; it is started where it does not run, and found again where it does.

    Its kubeconfig becomes `KUBECONFIG` of this process, after a small one of this process's own (see `Namespace.use`),
    so that `!kubectl` and the official client (`kubernetes.config.load_kube_config()`) speak to it; `~/.kube/config`
    is neither read (but by the provider "existing") nor written.

    Parameters
    ----------
    provider : str, optional
        "kind", "embedded" or "existing"; otherwise `K8S_HELPERS_PROVIDER`, then that of the cluster started
        last, then what this machine can do.
    name : str, optional
        The cluster's name; otherwise `K8S_HELPERS_CLUSTER`, then "cours".
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).
    **options
        `kubeconfig`, `context` and `namespace_prefix`, for "existing".

    Raises
    ------
    UsageError
        No such provider, or options that are not its own.
    K8sHelpersError
        What keeps the cluster from running, in French.
    """
    global _current
    chosen = providers.select(provider, name, **options)
    with reporting(progress) as shown:
        chosen.up(shown)
        cluster = Cluster(chosen)
        cluster.sweep(shown)
    providers.remember(chosen)
    contexts.attach(chosen.kubeconfig)
    os.environ.update(own_environment(chosen))
    _tell_official_client(os.environ["KUBECONFIG"])
    if _current is not None:
        _current.close()
    _current = cluster
    return cluster


def _tell_official_client(kubeconfig: str) -> None:
    """Let `kubernetes.config.load_kube_config()` find the cluster that `!kubectl` finds.

    The official client reads `KUBECONFIG` once, when it is imported, and a notebook may have imported it before.
    """
    for name in ("kubernetes.config", "kubernetes.config.kube_config"):
        if (module := sys.modules.get(name)) is not None:
            vars(module)["KUBE_CONFIG_DEFAULT_LOCATION"] = kubeconfig


def current_cluster() -> Cluster:
    """Return the cluster that `connect` last returned.

    Raises
    ------
    ClusterUnreachableError
        Where there has been none yet.
    """
    if _current is None:
        raise ClusterUnreachableError(
            "Utiliser le cluster en cours",
            "cette session n’est encore connectée à aucun cluster",
            "Exécutez d’abord « cluster = k8s_helpers.connect() ».",
        )
    return _current
