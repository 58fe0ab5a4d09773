"""The cluster as its DNS sees it: Services, ready endpoints, namespaces, and which address is whose.

Nothing is asked of the API server for a question: all is kept current by watches.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from ..api import Api, Informer
from ..proxy.service_table import Key, ServiceTable

_NAMESPACES = "/api/v1/namespaces"


@dataclass(frozen=True)
class ZoneEndpoint:
    """One address behind a Service, at one of the ports of its slice.

    Attributes
    ----------
    label : str
        Its own name below the Service's: the pod's `hostname`, or the address with dashes.
    port : int or None
        None where the slice has no ports.
    """

    address: str
    label: str
    port: int | None
    port_name: str
    protocol: str


class Zone:
    """What the names of the cluster are made of.

    Parameters
    ----------
    table : ServiceTable
        Services and EndpointSlices; started by its owner.
    namespaces : container of str
        Names of the namespaces that there are.
    address : str
        Where the cluster's DNS answers.
    """

    def __init__(self, table: ServiceTable, namespaces: Container[str], address: str) -> None:
        self.address = address
        self.modified_wall_s = int(time.time())
        self._table = table
        self._namespaces = namespaces
        self._addresses: dict[Key, frozenset[str]] = {}
        self._by_address: dict[str, set[Key]] = {}
        table.subscribe(self._changed)

    async def synced(self) -> None:
        """Return once all Services and endpoints are known."""
        await self._table.synced()

    def has_namespace(self, name: str) -> bool:
        """Return whether there is such a namespace."""
        return name in self._namespaces

    def service(self, key: Key) -> dict[str, Any] | None:
        """Return a Service."""
        return self._table.service(key)

    def endpoints(self, key: Key) -> Iterator[ZoneEndpoint]:
        """Yield the ready endpoints of a Service, once for each port; `publishNotReadyAddresses` makes all ready."""
        for endpoint_slice in self._table.slices(key):
            ports: list[dict[str, Any]] = endpoint_slice.get("ports") or [{}]
            for address, label in _ready(endpoint_slice):
                for port in ports:
                    yield ZoneEndpoint(
                        address,
                        label,
                        port.get("port"),
                        port.get("name") or "",
                        port.get("protocol") or "",
                    )

    def names_of(self, address: str) -> tuple[str, ...]:
        """Return what an address is called, without the domain: its Service, or itself as an endpoint of Services."""
        keys = self._by_address.get(address, set())
        for namespace, name in sorted(keys):
            service = self._table.service((namespace, name))
            if service is not None and address in cluster_ips(service):
                return (f"{name}.{namespace}.svc",)
        return tuple(
            f"{label}.{key[1]}.{key[0]}.svc"
            for key in sorted(keys)
            for endpoint_slice in self._table.slices(key)
            for other, label in _ready(endpoint_slice)
            if other == address
        )

    def _changed(self, keys: frozenset[Key]) -> None:
        self.modified_wall_s = int(time.time())
        for key in keys:
            for address in self._addresses.pop(key, frozenset()):
                known = self._by_address[address]
                known.discard(key)
                if not known:
                    del self._by_address[address]
            service = self._table.service(key)
            addresses = {
                address
                for endpoint_slice in self._table.slices(key)
                for address, _ in _ready(endpoint_slice)
            }
            addresses.update(cluster_ips(service) if service is not None else ())
            if addresses:
                self._addresses[key] = frozenset(addresses)
            for address in addresses:
                self._by_address.setdefault(address, set()).add(key)


class NamespaceNames:
    """The names of the namespaces, kept current by a watch.

    Parameters
    ----------
    api : Api
        With the rights to read namespaces.
    """

    def __init__(self, api: Api) -> None:
        self._informer = Informer(api, _NAMESPACES, on_change=lambda _kind, _item: None)

    def __contains__(self, name: object) -> bool:
        return ("", name) in self._informer.items

    async def start(self) -> None:
        """Begin to watch; return at once."""
        await self._informer.start()

    async def synced(self) -> None:
        """Return once the first list is there."""
        await self._informer.synced()

    async def close(self) -> None:
        """Stop watching."""
        await self._informer.close()


def is_headless(service: dict[str, Any]) -> bool:
    """Return whether a Service has no address of its own."""
    return bool(service["spec"].get("clusterIP") == "None")


def cluster_ips(service: dict[str, Any]) -> tuple[str, ...]:
    """Return the addresses of a Service; none for a headless one or an ExternalName."""
    spec = service["spec"]
    addresses = spec.get("clusterIPs") or (spec.get("clusterIP"),)
    return tuple(address for address in addresses if address not in (None, "", "None"))


def _ready(endpoint_slice: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield address and label of the ready endpoints of a slice of addresses."""
    if endpoint_slice.get("addressType") == "FQDN":
        return
    for endpoint in endpoint_slice.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready") is False:
            continue
        for address in endpoint["addresses"]:
            yield address, endpoint.get("hostname") or _dashed(address)


def _dashed(address: str) -> str:
    """Return an address as a label (`plugin/kubernetes`, `endpointHostname`)."""
    label = address.replace(".", "-").replace(":", "-")
    return label + "0" if label.endswith("-") else label
