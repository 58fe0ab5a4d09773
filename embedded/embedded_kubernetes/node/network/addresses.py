"""Addresses of a node's pods: one /16 for the cluster, a part of it for each node, given out in turn.

An address comes back only after all others, so that a connection to a pod that is gone never meets another one.
"""

from __future__ import annotations

from ...config import ClusterConfig

BLOCKS = 12
"""How many blocks of 256 addresses a node has: enough for 21 nodes in a /16."""


def prefix(config: ClusterConfig, cidr: str) -> str:
    """Return what all addresses of one of the cluster's blocks begin with, in the form that programs can bind."""
    return ".".join(config.bindable(cidr.partition("/")[0]).split(".")[:2]) + "."


def node_of(config: ClusterConfig, address: str) -> str | None:
    """Return the node whose pod has an address; None for one that is no pod's."""
    if not address.startswith(prefix(config, config.pod_cidr)):
        return None
    third = address.split(".")[2]
    index = int(third) // BLOCKS
    if (index + 1) * BLOCKS > 255 or address == config.bindable(config.gateway):
        return None
    return f"{config.name}-node-{index + 1}"


class Addresses:
    """The addresses of one node, in the form that programs can bind.

    Parameters
    ----------
    config : ClusterConfig
        Gives the cluster's block.
    index : int
        The node's place among the cluster's nodes.
    """

    def __init__(self, config: ClusterConfig, index: int) -> None:
        self._prefix = prefix(config, config.pod_cidr)
        self._first_block = index * BLOCKS
        self._used = {config.bindable(config.gateway)}
        self._next = 0

    def take(self) -> str:
        """Return a free address.

        Raises
        ------
        RuntimeError
            All are in use.
        """
        total = BLOCKS * 254
        for _ in range(total):
            block, host = divmod(self._next, 254)
            self._next = (self._next + 1) % total
            address = f"{self._prefix}{self._first_block + block}.{host + 1}"
            if address not in self._used:
                self._used.add(address)
                return address
        raise RuntimeError("no pod address left on this node")

    def reserve(self, address: str) -> None:
        """Keep an address that a pod has had since before the node's restart."""
        self._used.add(address)

    def release(self, address: str) -> None:
        """Give an address back."""
        self._used.discard(address)
