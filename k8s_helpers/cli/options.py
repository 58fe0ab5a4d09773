"""The options that several commands share: which cluster, and how to open it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import ClusterUnreachableError, UsageError
from .._progress import reporting

if TYPE_CHECKING:
    from ..providers.base import Provider

_OPTIONS = (
    click.option("--provider", metavar="P", help="kind, embedded ou existing ; sinon choisi."),
    click.option("--name", metavar="NOM", help="Nom du cluster (« cours » sinon)."),
    click.option(
        "--kubeconfig",
        metavar="FICHIER",
        type=click.Path(path_type=Path),
        help="Pour existing : le fichier à lire.",
    ),
    click.option("--context", metavar="CONTEXTE", help="Pour existing : le contexte à y prendre."),
    click.option(
        "--namespace-prefix",
        metavar="PRÉFIXE",
        help="Pour existing : début du nom de vos espaces de noms, si le cluster est partagé.",
    ),
)


@dataclass(frozen=True)
class Selection:
    """Which cluster the student means; None where it is for the course to choose."""

    provider: str | None = None
    name: str | None = None
    kubeconfig: Path | None = None
    context: str | None = None
    namespace_prefix: str | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that make a notebook's `connect()` choose the same cluster."""
        values = {
            "K8S_HELPERS_PROVIDER": self.provider,
            "K8S_HELPERS_CLUSTER": self.name,
            "K8S_HELPERS_KUBECONFIG": self.kubeconfig and str(self.kubeconfig.absolute()),
            "K8S_HELPERS_CONTEXT": self.context,
            "K8S_HELPERS_NAMESPACE_PREFIX": self.namespace_prefix,
        }
        return {name: value for name, value in values.items() if value}

    def chosen(self) -> dict[str, Any]:
        """Return the arguments of `connect` that mean the same cluster."""
        return asdict(self)

    def open(self) -> Provider:
        """Return the cluster that is meant, started or not."""
        from .. import providers

        options = self.chosen()
        return providers.select(options.pop("provider"), options.pop("name"), **options)

    def start(self, nodes: int | None = None) -> Provider:
        """Start the cluster that is meant, or find it running, and make it the one in use.

        Parameters
        ----------
        nodes : int, optional
            How many nodes an embedded cluster simulates.

        Raises
        ------
        UsageError
            `nodes` for another provider.
        """
        from .. import providers

        provider = self.open()
        if nodes is not None:
            provider = _with_nodes(provider, nodes)
        with reporting(None) as progress:
            provider.up(progress)
        providers.remember(provider)
        return provider

    def running(self) -> Provider:
        """Return the cluster that is meant, which runs.

        Raises
        ------
        ClusterUnreachableError
            Where it does not.
        """
        provider = self.open()
        status = provider.status()
        if status.state != "running":
            raise ClusterUnreachableError(
                f"Parler au cluster « {provider.name} » ({provider.kind})",
                status.detail or f"son état est « {status.state} »",
                "Démarrez-le : « k8s-lab up » ; son état : « k8s-lab status ».",
            )
        return provider


def _with_nodes(provider: Provider, nodes: int) -> Provider:
    from ..providers.embedded import EmbeddedProvider

    if not isinstance(provider, EmbeddedProvider):
        raise UsageError(
            f"Démarrer {nodes} nœuds avec le fournisseur « {provider.kind} »",
            "il n’a pas cette option",
            "Ajoutez « --provider embedded », ou enlevez « --nodes ».",
        )
    if nodes < 1:
        raise UsageError(
            f"Démarrer le cluster « {provider.name} » avec {nodes} nœud",
            "sans nœud, aucun pod ne peut tourner",
            "Demandez au moins un nœud.",
        )
    return EmbeddedProvider(provider.name, nodes=nodes)


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which cluster, as one `selection`."""

    @functools.wraps(command)
    def with_selection(**options: Any) -> Any:
        chosen = {field.name: options.pop(field.name) for field in fields(Selection)}
        return command(selection=Selection(**chosen), **options)

    for option in reversed(_OPTIONS):
        with_selection = option(with_selection)
    return with_selection
