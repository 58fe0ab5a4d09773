"""What a host and a port of the cluster lead to, and a connection there: for containers and for the API server.

Names are cluster DNS's, addresses those of Services and pods. What a cluster would refuse is refused here too.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import random
import socket

from ..network.names import DOMAIN, aliased
from ..network.sockets import Sockets, connect
from .dialling import Dialler
from .service_table import ServicePort, ServiceTable, host_endpoints, reachable
from .topology import Target

_CONNECT_TIMEOUT_S = 10.0


class UnreachableError(Exception):
    """Nobody is where a client wants to go; the message is what a client of a cluster would read."""


class Destinations:
    """Connections into the cluster.

    Parameters
    ----------
    table : ServiceTable
        Services and endpoints; started by its owner.
    sockets : Sockets
        Of the pods' network.
    """

    def __init__(self, table: ServiceTable, sockets: Sockets) -> None:
        self._table = table
        self._dialler = Dialler(table.config, sockets)

    async def dial(self, host: str, port: int, namespace: str, client: str = "") -> socket.socket:
        """Return a non-blocking socket that is connected to what a host and a port lead to.

        Parameters
        ----------
        host, port : str and int
            A name or an address.
        namespace : str
            Where short names are looked up.
        client : str
            The bindable address of the pod that asks: what the server sees as the connection's source.

        Raises
        ------
        UnreachableError
            There is nobody.
        """
        target = await self._find(host.rstrip("."), port, namespace, client)
        try:
            server = self._dialler.stream(client, target)
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await connect(server, (target.address, target.port))
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else "i/o timeout"
            raise UnreachableError(f"dial tcp {host}:{port}: connect: {reason}") from None
        return server

    async def _find(self, host: str, port: int, namespace: str, client: str) -> Target:
        target = resolve(self._table, host, port, namespace, client)
        if target is not None:
            return target
        try:
            addresses = await asyncio.get_running_loop().getaddrinfo(
                host, port, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError):
            raise UnreachableError(f"dial tcp: lookup {host}: no such host") from None
        return Target(str(addresses[0][4][0]), port)


def resolve(
    table: ServiceTable, host: str, port: int, namespace: str, client: str = ""
) -> Target | None:
    """Return where a name or an address of the cluster leads; None where it is not the cluster's.

    Parameters
    ----------
    client : str
        What session affinity knows the client by.

    Raises
    ------
    UnreachableError
        A Service without that port or without ready endpoints.
    """
    try:
        address = str(ipaddress.IPv4Address(host))
    except ValueError:
        address = None
    if address is not None:
        key = table.by_cluster_ip(address)
        if key is None:
            return Target(reachable(table.config, address), port)
        return _through(table, table.ports(key), host, port, client)
    labels = host.removesuffix(f".{DOMAIN}").removesuffix(".svc").split(".")
    if len(labels) == 3:
        return _pod_of_headless(table, labels[0], (labels[2], labels[1]), port)
    key = (labels[1] if len(labels) == 2 else namespace, labels[0])
    service = table.service(key) if len(labels) <= 2 else None
    if service is None and len(labels) == 2:
        return _pod_of_headless(table, labels[0], (namespace, labels[1]), port)
    if service is not None and (alias := aliased(service)) is not None:
        key, service = alias, table.service(alias)
    if service is None or service["spec"].get("type") == "ExternalName":
        return None
    if service["spec"].get("clusterIP") == "None":
        endpoints = host_endpoints(table.config, table.slices(key))
        if not endpoints:
            # Cluster DNS has no address for such a name.
            raise UnreachableError(f"dial tcp: lookup {host}: no such host")
        return Target(random.choice(endpoints).address, port)
    return _through(table, table.ports(key), host, port, client)


def _pod_of_headless(
    table: ServiceTable, hostname: str, key: tuple[str, str], port: int
) -> Target | None:
    for endpoint in host_endpoints(table.config, table.slices(key)):
        if endpoint.hostname == hostname:
            return Target(endpoint.address, port)
    return None


def _through(
    table: ServiceTable, ports: tuple[ServicePort, ...], host: str, port: int, client: str
) -> Target:
    for candidate in ports:
        if candidate.port == port and candidate.protocol == "TCP" and candidate.targets:
            return table.affinity(candidate).choose(client, candidate.targets, candidate.affinity_s)
    raise UnreachableError(f"dial tcp {host}:{port}: connect: connection refused")
