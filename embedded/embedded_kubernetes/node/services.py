"""The services of a node, started and closed together: what `__main__` needs of them.

Every node has its kubelet API and the names of its pods; the first one also does the cluster's own work: Service proxy,
HTTP proxy, the API server's way in, ingress, metrics, volumes.
"""

from __future__ import annotations

import logging
from typing import Protocol

from ..config import ClusterConfig
from .api import Api
from .network.egress import Egress
from .network.http_proxy import HttpProxy
from .network.names import Names
from .network.service_proxy import ServiceProxy
from .network.service_table import ServiceTable
from .servers.ingress import Ingress
from .servers.kubelet_api import KubeletApi
from .servers.metrics import Metrics
from .servers.streams import EventWriter, PodLookup
from .storage.provisioner import Storage

_log = logging.getLogger(__name__)


class _Service(Protocol):
    async def start(self) -> None: ...

    async def close(self) -> None: ...


class NodeServices:
    """The services of one node.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    node_name : str
        This node; the cluster's own services run where it is `config.node_names[0]`.
    api : Api
        With the identity `services`.
    pods : PodLookup
        This node's pods.
    event : EventWriter
        Writes an Event.

    Attributes
    ----------
    names : Names
        Writes the hosts files of pods.
    table : ServiceTable
        Services and endpoints.
    """

    def __init__(
        self,
        config: ClusterConfig,
        node_name: str,
        api: Api,
        pods: PodLookup,
        event: EventWriter,
    ) -> None:
        self.table = table = ServiceTable(config, api)
        self.names = Names(table)
        kubelet = KubeletApi(config, node_name, pods)
        self._all: list[_Service] = [kubelet, table, self.names]
        if node_name == config.node_names[0]:
            self._all += [
                ServiceProxy(table, event),
                HttpProxy(config, table),
                Egress(config, node_name, table, kubelet.adopt),
                Ingress(config, api, table),
                Metrics(config, api, pods),
                Storage(config, api, event),
            ]
        self._started: list[_Service] = []

    async def start(self) -> None:
        """Start all, without waiting for the API server.

        Raises
        ------
        OSError
            A port is taken; what was started is closed again.
        """
        for service in self._all:
            try:
                await service.start()
            except BaseException:
                _log.error("%s does not start", type(service).__name__)
                await self.close()
                raise
            self._started.append(service)

    async def close(self) -> None:
        """Close all, the last started first."""
        while self._started:
            await self._started.pop().close()
