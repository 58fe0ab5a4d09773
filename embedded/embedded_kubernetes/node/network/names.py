"""Names of Services and pods inside containers: one `/etc/hosts` a pod, kept current in place.

There is no DNS server: what cluster DNS would answer is written into the file that the containers see as `/etc/hosts`.
(source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/)
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...config import ClusterConfig
from ..dns.pod_files import HOSTS
from ..proxy.service_table import Key, ServiceTable, host_endpoints

DOMAIN = "cluster.local"
_HEAD = "# Kubernetes-managed hosts file.\n"
_SETTLE_S = 0.02
"""Changes that come within this time are written together."""


@dataclass(frozen=True)
class HostLine:
    """One line of `/etc/hosts`."""

    address: str
    names: tuple[str, ...]


def service_names(key: Key, seen_from: str) -> tuple[str, ...]:
    """Return the names of a Service for a pod of namespace `seen_from`, the shortest first."""
    namespace, name = key
    long = (f"{name}.{namespace}", f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.{DOMAIN}")
    return (name, *long) if namespace == seen_from else long


def service_lines(
    config: ClusterConfig,
    service: dict[str, Any],
    slices: Iterable[dict[str, Any]],
    seen_from: str,
) -> tuple[HostLine, ...]:
    """Return what cluster DNS would answer for one Service.

    A ClusterIP is one line; a headless Service one line for each ready address, with the pod's own
    name where it has one (`hostname` and `subdomain`, StatefulSets); an ExternalName only where it
    is an address or `localhost` (one that names a Service of the cluster: see `alias_lines`).
    """
    meta, spec = service["metadata"], service["spec"]
    names = service_names((meta["namespace"], meta["name"]), seen_from)
    if spec.get("type") == "ExternalName":
        address = _external_address(spec.get("externalName", ""))
        return () if address is None else (HostLine(address, names),)
    cluster_ip = spec.get("clusterIP")
    if cluster_ip and cluster_ip != "None":
        return (HostLine(cluster_ip, names),)
    lines = []
    for endpoint in host_endpoints(config, slices):
        own = tuple(f"{endpoint.hostname}.{name}" for name in names) if endpoint.hostname else ()
        lines.append(HostLine(endpoint.address, (*own, *names)))
    return tuple(lines)


def aliased(service: dict[str, Any]) -> Key | None:
    """Return the Service of this cluster that an ExternalName stands for, by its full name; None for any other.

    A CNAME is followed as it is: without the search list that makes short names work.
    """
    spec = service["spec"]
    parts = spec.get("externalName", "").rstrip(".").split(".", 2)
    if spec.get("type") != "ExternalName" or len(parts) < 3 or parts[2] != f"svc.{DOMAIN}":
        return None
    return parts[1], parts[0]


def alias_lines(names: tuple[str, ...], lines: Iterable[HostLine]) -> tuple[HostLine, ...]:
    """Return other names for the addresses that lines lead to."""
    return tuple(HostLine(line.address, names) for line in lines)


def _external_address(name: str) -> str | None:
    if name == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        return None


def pod_lines(pod: dict[str, Any], address: str) -> tuple[HostLine, ...]:
    """Return a pod's own lines: `localhost`, its host name, its `hostAliases`.

    Parameters
    ----------
    pod : dict
        The pod.
    address : str
        Its bindable address.
    """
    spec, meta = pod["spec"], pod["metadata"]
    hostname = spec.get("hostname") or meta["name"]
    own: tuple[str, ...] = (hostname,)
    if spec.get("subdomain"):
        own = (f"{hostname}.{spec['subdomain']}.{meta['namespace']}.svc.{DOMAIN}", hostname)
    aliases = (
        HostLine(alias["ip"], tuple(alias.get("hostnames") or ()))
        for alias in spec.get("hostAliases") or ()
    )
    return (HostLine("127.0.0.1", ("localhost",)), HostLine(address, own), *aliases)


def render(lines: Iterable[HostLine]) -> str:
    """Return lines as text."""
    return "".join(f"{line.address}\t{' '.join(line.names)}\n" for line in lines if line.names)


@dataclass
class _File:
    """One hosts file: where, for whom, and what was written last of the Services."""

    path: Path
    namespace: str
    own: str
    services: str = ""


class Names:
    """The hosts files of this node's pods.

    Parameters
    ----------
    table : ServiceTable
        Services and endpoints; started by its owner.
    """

    def __init__(self, table: ServiceTable) -> None:
        self._table = table
        self._files: dict[str, _File] = {}
        self._texts: dict[str, str] = {}
        self._pending: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Keep the files current from now on."""
        self._table.subscribe(self._changed)

    async def close(self) -> None:
        """Write no more."""
        if self._pending is not None:
            self._pending.cancel()
        self._files.clear()

    def write(self, pod: dict[str, Any], address: str, folder: Path) -> tuple[str, ...]:
        """Write a pod's hosts file and keep it current until `forget` (see `dns.pod_files.NameFiles`).

        Later changes go into the same inode, so that containers that run see them.

        Parameters
        ----------
        pod : dict
            The pod.
        address : str
            Its bindable address.
        folder : Path
            The pod's.
        """
        meta = pod["metadata"]
        file = _File(folder / HOSTS, meta["namespace"], _HEAD + render(pod_lines(pod, address)))
        self._files[meta["uid"]] = file
        self._write(file)
        return ()

    def forget(self, pod_uid: str) -> None:
        """Write a pod's file no more."""
        self._files.pop(pod_uid, None)

    def _services(self, namespace: str) -> str:
        """Return the lines of all Services for pods of one namespace, its own first."""
        if namespace not in self._texts:
            lines: list[HostLine] = []
            for key in sorted(self._table.keys(), key=lambda other: (other[0] != namespace, other)):
                service = self._table.service(key)
                target = aliased(service) if service is not None else None
                own_lines = self._lines(target or key, namespace)
                lines += (
                    alias_lines(service_names(key, namespace), own_lines) if target else own_lines
                )
            self._texts[namespace] = render(lines)
        return self._texts[namespace]

    def _lines(self, key: Key, namespace: str) -> tuple[HostLine, ...]:
        service = self._table.service(key)
        if service is None:
            return ()
        return service_lines(self._table.config, service, self._table.slices(key), namespace)

    def _write(self, file: _File) -> None:
        file.services = self._services(file.namespace)
        _rewrite(file.path, (file.own + file.services).encode())

    def _changed(self, keys: frozenset[Key]) -> None:
        self._texts.clear()
        if self._pending is None and self._files:
            self._pending = asyncio.get_running_loop().call_later(_SETTLE_S, self._refresh)

    def _refresh(self) -> None:
        self._pending = None
        for file in self._files.values():
            if file.services != self._services(file.namespace):
                with contextlib.suppress(FileNotFoundError):
                    self._write(file)


def _rewrite(path: Path, content: bytes) -> None:
    """Replace a file's content without replacing the file."""
    target = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        os.pwrite(target, content, 0)
        os.ftruncate(target, len(content))
    finally:
        os.close(target)
