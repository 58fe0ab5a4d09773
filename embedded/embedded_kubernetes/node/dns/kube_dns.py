"""The Service by which pods and users know the cluster's DNS, and what answers at its port for measures.

The node itself answers at the Service's address: its EndpointSlice says so, and the Service proxy opens no door there.
(source: `cluster/addons/dns/coredns/coredns.yaml.base`)
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..api import Api
from ..install import Manifest, install
from ..network.sockets import Sockets
from ..proxy.service_table import SERVICE_LABEL
from ..tasks import Tasks
from .traffic import Traffic

DNS_PORT = 53
_METRICS_PORT = 9153
_NAMESPACE = "kube-system"
_NAME = "kube-dns"
_LABELS = {
    "k8s-app": _NAME,
    "kubernetes.io/cluster-service": "true",
    "kubernetes.io/name": "CoreDNS",
}
_PORTS = (
    {"name": "dns", "port": DNS_PORT, "protocol": "UDP"},
    {"name": "dns-tcp", "port": DNS_PORT, "protocol": "TCP"},
    {"name": "metrics", "port": _METRICS_PORT, "protocol": "TCP"},
)


def manifests(address: str, node_name: str) -> list[Manifest]:
    """Return the Service and its EndpointSlice with the path of their collections.

    Parameters
    ----------
    address : str
        Where the cluster's DNS answers.
    node_name : str
        The node that answers there.
    """
    service: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": _NAME,
            "namespace": _NAMESPACE,
            "labels": _LABELS,
            "annotations": {
                "prometheus.io/port": str(_METRICS_PORT),
                "prometheus.io/scrape": "true",
            },
        },
        "spec": {
            "clusterIP": address,
            "ports": [{**port, "targetPort": port["port"]} for port in _PORTS],
        },
    }
    endpoint = {
        "addresses": [address],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": node_name,
    }
    endpoint_slice = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": _NAME,
            "namespace": _NAMESPACE,
            "labels": {
                **_LABELS,
                SERVICE_LABEL: _NAME,
                "endpointslice.kubernetes.io/managed-by": "embedded-kubernetes",
            },
        },
        "addressType": "IPv4",
        "endpoints": [endpoint],
        "ports": list(_PORTS),
    }
    return [
        (f"/api/v1/namespaces/{_NAMESPACE}/services", service),
        (f"/apis/discovery.k8s.io/v1/namespaces/{_NAMESPACE}/endpointslices", endpoint_slice),
    ]


class KubeDns:
    """Makes the Service known and serves `/metrics`.

    Parameters
    ----------
    api : Api
        With the rights to create Services.
    sockets : Sockets
        Of the network in which pods are.
    address, node_name : str
        As `manifests` has them.
    traffic : Traffic
        What is shown.
    """

    def __init__(
        self, api: Api, sockets: Sockets, address: str, node_name: str, traffic: Traffic
    ) -> None:
        self._api = api
        self._sockets = sockets
        self._address = address
        self._node_name = node_name
        self._traffic = traffic
        self._tasks = Tasks()

    async def start(self) -> None:
        """Create the Service and listen.

        Raises
        ------
        OSError
            The address is taken, or there is none.
        """
        self._tasks.start(install(self._api, manifests(self._address, self._node_name)))
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        listener = self._sockets.listener((self._address, _METRICS_PORT))
        await web.SockSite(self._runner, listener).start()

    async def close(self) -> None:
        """Stop listening; the Service stays for the next start."""
        await self._tasks.close()
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self._traffic.render(), content_type="text/plain")
