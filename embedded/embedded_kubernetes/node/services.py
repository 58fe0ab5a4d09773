"""The services of a node, started and closed together: what `__main__` needs of them.

Every node has its kubelet API, the names of its pods and its NodePorts; the first one also does the cluster's own work:
ClusterIPs, NetworkPolicies, the API server's way in, ingress, metrics, volumes.
"""

from __future__ import annotations

import logging
from typing import Protocol

from ..config import ClusterConfig
from .api import Api
from .dns.forwarder import Forwarder
from .dns.kube_dns import DNS_PORT, KubeDns
from .dns.pod_files import NameFiles, PodFiles
from .dns.resolver import machine_file
from .dns.server import DnsServer
from .dns.zone import NamespaceNames, Zone
from .ingress.server import Ingress
from .network.names import Names
from .network.sockets import Sockets
from .policies.enforcement import InNetwork, NetworkPolicies
from .proxy.egress import Egress
from .proxy.http_proxy import HttpProxy
from .proxy.service_proxy import ServiceProxy
from .proxy.service_table import ServiceTable
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
    sockets : Sockets
        Of the pods' network.
    in_network : callable
        Returns the command line that runs a program in the pods' network (see `cri.Runtime`).

    Attributes
    ----------
    names : NameFiles
        Writes what pods find names by.
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
        sockets: Sockets,
        in_network: InNetwork,
    ) -> None:
        self.table = table = ServiceTable(config, api)
        kubelet = KubeletApi(config, node_name, pods, sockets)
        self._all: list[_Service] = [kubelet, table]
        self.names: NameFiles
        if config.network == "pods":
            self.names = PodFiles(config.dns_address)
            self._all.append(ServiceProxy(table, event, node_name, sockets))
        else:
            self.names = names = Names(table)
            self._all.append(names)
        is_first = node_name == config.node_names[0]
        if is_first and config.network == "host":
            self._all += [
                ServiceProxy(table, event, node_name, sockets),
                HttpProxy(config, table),
            ]
        if is_first:
            self._all += [
                NetworkPolicies(config, api, table, in_network, event),
                Egress(config, node_name, table, kubelet.adopt, sockets),
                Ingress(config, api, table, sockets),
                Metrics(config, api, pods),
                Storage(config, api, event),
            ]
            if config.network == "pods":
                self._all += _dns(config, node_name, api, table, sockets)
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


def _dns(
    config: ClusterConfig, node_name: str, api: Api, table: ServiceTable, sockets: Sockets
) -> tuple[_Service, ...]:
    """Return the cluster's DNS."""
    address = config.dns_address
    namespaces = NamespaceNames(api)
    zone = Zone(table, namespaces, address)
    server = DnsServer(zone, namespaces, sockets, Forwarder(machine_file), DNS_PORT)
    return server, KubeDns(api, sockets, address, node_name, server.traffic)
