"""A node that joins a running cluster for a while: the supervisor knows it, `cluster.json` never does.

Its folder `nodes/NAME` says that it is there: made before anything else and deleted after everything else. A cluster
whose supervisor was killed meanwhile finds the folder at its next start, and forgets the node whole.
"""

from __future__ import annotations

from dataclasses import replace

from .. import files, pki
from ..config import ClusterConfig
from . import slots
from .launch import delete_foreign


def with_one_more(config: ClusterConfig, kubelet_port: int) -> ClusterConfig:
    """Return the cluster with a node after its last one, which listens on that port; only the node itself uses it."""
    return replace(config, kubelet_ports=(*config.kubelet_ports, kubelet_port))


def free_port(config: ClusterConfig) -> int:
    """Choose a port for one more node: none that the cluster has, even where its owner is stopped just now.

    Raises
    ------
    ResourceError
        The cluster's whole block is taken.
    """
    own = {
        config.api_port,
        config.metrics_port,
        config.ingress_port,
        config.ingress_tls_port,
        config.proxy_port,
    }
    own.update(config.kubelet_ports)
    (port,) = slots.choose_ports(
        config.slot,
        1,
        is_free=lambda candidate: candidate not in own and slots.port_is_free(candidate),
    )
    return port


def announce(config: ClusterConfig, name: str) -> None:
    """Make the folder that says that the node is there."""
    (config.path / "nodes" / name).mkdir(mode=0o700, parents=True, exist_ok=True)


def left_behind(config: ClusterConfig) -> tuple[str, ...]:
    """Return the names of nodes that had joined when the cluster was stopped or killed."""
    folders = (config.path / "nodes").glob(f"{config.name}-node-*")
    return tuple(sorted(folder.name for folder in folders if folder.name not in config.node_names))


def delete_files(config: ClusterConfig, name: str) -> None:
    """Delete the keys of a node that has left, then its folder."""
    serving = (f"{pki.KUBELET_SERVING}.crt", f"{pki.KUBELET_SERVING}.key")
    for suffix in (".crt", ".key", ".kubeconfig", *serving):
        (config.pki / f"{name}{suffix}").unlink(missing_ok=True)
    delete_foreign(config.path, config.path / "nodes" / name)
    files.delete(config.path / "nodes" / name)
