"""Sockets towards endpoints: from the client's own address where it is a pod, so that servers see who asks."""

from __future__ import annotations

import socket

from ...config import ClusterConfig
from ..network.addresses import node_of, prefix
from ..network.sockets import HostSockets, Sockets
from .listening import Listening, OnAnswer
from .pump import without_delay
from .topology import Target


class Dialler:
    """Makes the sockets that lead to endpoints.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    sockets : Sockets
        Of the pods' network. What is in neither of the cluster's blocks is dialled from this machine.
    """

    def __init__(self, config: ClusterConfig, sockets: Sockets) -> None:
        self._config = config
        self._inside = sockets
        self._outside = HostSockets()
        self._listening = Listening(sockets, config.gateway)
        self._blocks = (prefix(config, config.pod_cidr), prefix(config, config.service_cidr))
        # Asked for every connection; clients are pods, or 127.0.0.1.
        self._nodes: dict[str, str | None] = {}

    def stream(self, client: str, target: Target) -> socket.socket:
        """Return a TCP socket for a client's connection to an endpoint; errors as `Sockets.stream`."""
        sock = self.sockets(target.address).stream(self._source(client, target))
        without_delay(sock)
        return sock

    def datagram(self, client: str, target: Target) -> socket.socket:
        """Return a UDP socket for a client's datagrams to an endpoint; errors as `Sockets.datagram`."""
        return self.sockets(target.address).datagram(self._source(client, target))

    def ask(self, target: Target, on_answer: OnAnswer) -> None:
        """Call `on_answer` with whether somebody listens at an endpoint; what is not the cluster's is taken to."""
        if target.address.startswith(self._blocks):
            self._listening.ask(target, on_answer)
        else:
            on_answer(target, True)

    def node_of(self, client: str) -> str | None:
        """Return the node of a client, None where it is no pod."""
        if client not in self._nodes:
            self._nodes[client] = node_of(self._config, client)
        return self._nodes[client]

    def sockets(self, address: str) -> Sockets:
        """Return the sockets of the network that an address is in."""
        return self._inside if address.startswith(self._blocks) else self._outside

    def _source(self, client: str, target: Target) -> str | None:
        """Return the address to dial from; none for a pod that a Service leads to itself: kube-proxy masquerades it."""
        is_pod = client != target.address and self.node_of(client) is not None
        return client if is_pod and target.address.startswith(self._blocks) else None
