"""Waits until the cluster can be used: the API is ready, nodes are Ready, a first pod would be admitted.

Requests are HTTP/1.0 written by hand: the answer ends with the connection and watches come as plain lines, so the
supervisor needs no HTTP library in its memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from ..config import ClusterConfig
from .health import client_context

_POLL_S = 0.02
_LINE_LIMIT_BYTES = 16 * 1024 * 1024


class ApiProbe:
    """Asks one cluster's API server with the administrator's certificate.

    Parameters
    ----------
    config : ClusterConfig
        The cluster, whose keys have been made.
    """

    def __init__(self, config: ClusterConfig) -> None:
        self._config = config
        self._context = client_context(config)

    async def answering(self) -> None:
        """Return when objects can be read and written, though not yet by every user."""
        await self._until("/api/v1/namespaces/kube-system")

    async def healthy(self) -> None:
        """Return when all that the API server does at its start (RBAC's roles, mainly) is done."""
        await self._until("/healthz")

    async def bootstrapped(self) -> None:
        """Return when the API server has written all that it writes into an empty etcd."""
        await self.healthy()
        for namespace in _SYSTEM_NAMESPACES:
            await self._until(f"/api/v1/namespaces/{namespace}")

    async def usable(self) -> None:
        """Return when a first pod would be admitted and there is a node for it."""
        waits = [self._watch_until(_DEFAULT_ACCOUNT, lambda _: True)]
        if self._config.node_names:
            waits.append(self._watch_until(_NODES, _AllReady(self._config.node_names)))
        await asyncio.gather(*waits)

    async def forget_node(self, name: str) -> None:
        """Delete a node that does not run any more, and the pods that were on it, as nobody else will end them."""
        await self._delete(f"{_ALL_NODES}/{name}")
        path = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}"
        for pod in json.loads(await self._until(path))["items"]:
            meta = pod["metadata"]
            path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
            await self._delete(f"{path}?gracePeriodSeconds=0")

    async def _delete(self, path: str) -> None:
        """Delete an object; return once the API server has agreed, or does not have it."""
        await self._until(path, (200, 202, 404), "DELETE")

    async def _until(self, path: str, wanted: tuple[int, ...] = (200,), verb: str = "GET") -> bytes:
        """Ask until the answer's status is a wanted one; return its body."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with self._get(path, verb) as (status, reader):
                    if status in wanted:
                        return await reader.read()
            await asyncio.sleep(_POLL_S)

    async def _watch_until(self, path: str, satisfied: Callable[[dict[str, Any]], bool]) -> None:
        """Watch `path` until an object satisfies; begin again where the watch ends."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with self._get(path) as (status, reader):
                    while status == 200 and (line := await reader.readline()):
                        event = json.loads(line)
                        if event["type"] in ("ADDED", "MODIFIED") and satisfied(event["object"]):
                            return
            await asyncio.sleep(_POLL_S)

    @asynccontextmanager
    async def _get(
        self, path: str, verb: str = "GET"
    ) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
        """Send a request without body; yield the status and the reader of the answer's."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._config.api_port, ssl=self._context, limit=_LINE_LIMIT_BYTES
        )
        try:
            request = (
                f"{verb} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n"
            )
            writer.write(request.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            yield int(head.split(None, 2)[1]), reader
        finally:
            writer.transport.abort()


_SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_ALL_NODES = "/api/v1/nodes"
_NODES = f"{_ALL_NODES}?watch=1"
_DEFAULT_ACCOUNT = (
    "/api/v1/namespaces/default/serviceaccounts?watch=1&fieldSelector=metadata.name%3Ddefault"
)
"""Without this ServiceAccount, which kube-controller-manager creates, no pod is admitted."""


class _AllReady:
    """Whether every node expected has been seen Ready."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.missing = set(names)

    def __call__(self, node: dict[str, Any]) -> bool:
        if node_is_ready(node):
            self.missing.discard(node["metadata"]["name"])
        return not self.missing


def node_is_ready(node: dict[str, Any]) -> bool:
    """Return whether a Node's condition `Ready` is true."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )
