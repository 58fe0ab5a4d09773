"""Where clusters come from: kind, the embedded cluster, or one that exists already."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from embedded_kubernetes.files import write_whole

from .. import _paths
from .._errors import UsageError
from .base import DEFAULT_NAME, Provider, ProviderName

NAMES: tuple[ProviderName, ...] = get_args(ProviderName)


def select(
    provider_name: str | None = None,
    cluster_name: str | None = None,
    *,
    kubeconfig: Path | str | None = None,
    context: str | None = None,
    namespace_prefix: str | None = None,
) -> Provider:
    """Return the cluster that is meant: by arguments, the environment, the last one started, what this machine can do.

    Parameters
    ----------
    provider_name : str, optional
        "kind", "embedded" or "existing"; otherwise `K8S_HELPERS_PROVIDER`, then that of the cluster in use
        (`recall()`), then `choose()`.
    cluster_name : str, optional
        Otherwise `K8S_HELPERS_CLUSTER`, then the cluster in use, then "cours".
    kubeconfig, context, namespace_prefix : optional
        For "existing" alone; otherwise `K8S_HELPERS_KUBECONFIG`, `K8S_HELPERS_CONTEXT` and
        `K8S_HELPERS_NAMESPACE_PREFIX`.

    Raises
    ------
    UsageError
        No such provider, or an option that it does not have.
    """
    options = {"kubeconfig": kubeconfig, "context": context, "namespace_prefix": namespace_prefix}
    given = {name: value for name, value in options.items() if value is not None}
    provider_name = provider_name or os.environ.get("K8S_HELPERS_PROVIDER") or None
    cluster_name = cluster_name or os.environ.get("K8S_HELPERS_CLUSTER") or None
    if provider_name is None and not given and (in_use := recall()) is not None:
        provider_name = in_use[0]
        cluster_name = cluster_name or in_use[1]
    return provider(provider_name or choose(given), cluster_name or DEFAULT_NAME, **given)


def provider(name: str, cluster_name: str = DEFAULT_NAME, **options: Any) -> Provider:
    """Return the provider of that name for a cluster; nothing is started.

    Parameters
    ----------
    name : str
        "kind", "embedded" or "existing".
    cluster_name : str
        The cluster's name among those of this provider.
    **options
        `kubeconfig`, `context`, `namespace_prefix` for "existing".

    Raises
    ------
    UsageError
        No such provider, or an option that it does not have.
    """
    if name not in NAMES:
        raise UsageError(
            f"Choisir le fournisseur « {name} »",
            "il n’existe pas",
            f"Choisissez parmi : {', '.join(NAMES)} (argument, ou variable K8S_HELPERS_PROVIDER).",
        )
    if options and name != "existing":
        raise UsageError(
            f"Utiliser {', '.join(sorted(options))} avec le fournisseur « {name} »",
            "ces options ne sont que pour « existing »",
            "Enlevez-les, ou choisissez le fournisseur « existing ».",
        )
    if name == "kind":
        from .kind.provider import KindProvider

        return KindProvider(cluster_name)
    if name == "embedded":
        from .embedded import EmbeddedProvider

        return EmbeddedProvider(cluster_name)
    from .existing import ExistingProvider

    return ExistingProvider(cluster_name, **options)


def choose(options: Mapping[str, Any] | None = None) -> ProviderName:
    """Return the provider that fits this machine: kind where it can work, embedded otherwise.

    In a pod (a JupyterHub server) to which a class gives namespaces, "existing": its own cluster.

    Parameters
    ----------
    options : mapping, optional
        Options given for the cluster: a kubeconfig or a context means "existing".
    """
    if options:
        return "existing"
    if _in_class():
        return "existing"
    if shutil.which("kind") is not None:
        from .kind.engine import find_engine

        if find_engine() is not None:
            return "kind"
    return "embedded"


def _in_class() -> bool:
    """Return whether this process runs in a pod whose student is in a class of the same cluster."""
    from . import in_cluster

    if not in_cluster.present():
        return False
    from .existing import class_in_pod

    return class_in_pod()


def _in_use_file() -> Path:
    return _paths.state_dir() / "current.json"


def remember(provider: Provider) -> None:
    """Make this cluster the one in use: the next command or kernel that names none means it."""
    write_whole(_in_use_file(), json.dumps({"provider": provider.kind, "name": provider.name}))


def recall() -> tuple[str, str] | None:
    """Return the provider and the name of the cluster in use; None where there is none."""
    try:
        plain = json.loads(_in_use_file().read_text())
        return str(plain["provider"]), str(plain["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(provider: Provider) -> None:
    """Take back `remember`, where it is this cluster that is in use."""
    if recall() == (provider.kind, provider.name):
        with contextlib.suppress(FileNotFoundError):
            _in_use_file().unlink()
