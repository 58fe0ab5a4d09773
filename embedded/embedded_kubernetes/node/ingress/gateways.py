"""Keeps the rules of Gateway API current: watches its objects once the API server knows their kinds.

Gateway API does not come with Kubernetes: as long as nobody has added its definitions there is nothing to watch.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ..api import Api, ApiError, Informer, Key, Object
from ..proxy.service_table import ServiceTable
from ..tasks import Tasks
from ..wall import timestamp
from .certificates import Certificates
from .gateway_api import GROUP, Evaluation, GatewayObjects, evaluate, with_times

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_LAST = f"httproutes.{GROUP}"
"""The definition that is waited for."""
_VERSIONS = {
    "gatewayclasses": "v1",
    "gateways": "v1",
    "httproutes": "v1",
    "referencegrants": "v1beta1",
}
_SETTLE_S = 0.02
"""Changes that come within this time are evaluated together."""

_AGAIN_S = 1.0
"""Before a status is written again, where the API server did not answer."""

_log = logging.getLogger(__name__)


def _path(plural: str, namespace: str = "") -> str:
    inside = f"namespaces/{namespace}/" if namespace else ""
    return f"/apis/{GROUP}/{_VERSIONS[plural]}/{inside}{plural}"


class Gateways:
    """The Gateways, HTTPRoutes and their statuses.

    Parameters
    ----------
    api : Api
        With the rights to read them, Secrets and namespaces everywhere, and to write their statuses.
    table : ServiceTable
        Services and endpoints; started by its owner.
    certificates : Certificates
        Those of the Secrets.
    secrets_synced : callable
        Returns once the Secrets are known.

    Attributes
    ----------
    current : Evaluation
        What holds now.
    """

    def __init__(
        self,
        api: Api,
        table: ServiceTable,
        certificates: Certificates,
        secrets_synced: Callable[[], Awaitable[None]],
    ) -> None:
        self.current = Evaluation()
        self._api = api
        self._table = table
        self._certificates = certificates
        self._secrets_synced = secrets_synced
        self._definitions = Informer(
            api,
            _DEFINITIONS,
            on_change=self._definition_changed,
            params={"fieldSelector": f"metadata.name={_LAST}"},
        )
        self._informers: dict[str, Informer] = {}
        self._changed = asyncio.Event()
        self._tasks = Tasks()

    async def start(self) -> None:
        """Begin to look for the definitions; returns at once."""
        self._table.subscribe(self.changed)
        await self._definitions.start()

    async def close(self) -> None:
        """Stop watching."""
        await self._definitions.close()
        await self._tasks.close()
        await self._forget()

    def changed(self, *_: Any) -> None:
        """Let everything be evaluated again soon."""
        self._changed.set()

    def _definition_changed(self, kind: str, definition: Object) -> None:
        conditions = (definition.get("status") or {}).get("conditions") or ()
        there = {one["type"] for one in conditions if one["status"] == "True"}
        if kind != "DELETED" and "Established" in there and not self._informers:
            paths = {plural: _path(plural) for plural in _VERSIONS} | {
                "namespaces": "/api/v1/namespaces"
            }
            self._informers = {
                name: Informer(self._api, path, on_change=self.changed)
                for name, path in paths.items()
            }
            self._following = self._tasks.start(self._follow())
        elif kind == "DELETED" and self._informers:
            self._following.cancel()
            self._tasks.start(self._forget())

    async def _forget(self) -> None:
        """Stop watching kinds that are gone, or with the node."""
        informers, self._informers = self._informers, {}
        self.current = Evaluation()
        for informer in informers.values():
            await informer.close()

    async def _follow(self) -> None:
        """Evaluate whenever something has changed, for as long as the cluster lives.

        Not before all is known: what a node that starts again has not read yet would count as gone in statuses.
        """
        informers = list(self._informers.values())
        for informer in informers:
            await informer.start()
        for informer in informers:
            await informer.synced()
        await self._table.synced()
        await self._secrets_synced()
        while True:
            await self._changed.wait()
            await asyncio.sleep(_SETTLE_S)
            self._changed.clear()
            try:
                self.current = evaluate(self._objects())
            except (KeyError, TypeError, ValueError):
                _log.exception("what Gateways and HTTPRoutes say cannot be read")
                continue
            for (plural, key), status in self.current.statuses.items():
                await self._write(plural, key, status)

    def _objects(self) -> GatewayObjects:
        def items(plural: str) -> Sequence[Object]:
            return list(self._informers[plural].items.values())

        return GatewayObjects(
            classes=items("gatewayclasses"),
            gateways=items("gateways"),
            routes=items("httproutes"),
            grants=items("referencegrants"),
            namespaces={
                one["metadata"]["name"]: one["metadata"].get("labels") or {}
                for one in items("namespaces")
            },
            certificate_fault=self._certificate_fault,
            has_port=self._has_port,
        )

    def _certificate_fault(self, key: Key) -> str:
        found = self._certificates.get(key)
        return found if isinstance(found, str) else ""

    def _has_port(self, key: Key, number: int) -> tuple[bool, bool]:
        exists = self._table.service(key) is not None
        return exists, any(port.port == number for port in self._table.ports(key))

    async def _write(self, plural: str, key: Key, status: dict[str, Any]) -> None:
        """Write a status where it says something else than the object's."""
        item = self._informers[plural].items.get(key)
        if item is None or _same(item.get("status") or {}, status):
            return
        namespace, name = key
        where = f"{_path(plural, namespace)}/{name}"
        body = {"status": with_times(status, timestamp(time.time()))}
        try:
            await self._api.patch(f"{where}/status", body, kind="merge")
        except ApiError as error:
            _log.debug("%s: %s", where, error)
            if error.status == 0 or error.status >= 500:
                asyncio.get_running_loop().call_later(_AGAIN_S, self._changed.set)


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Return whether nothing of a status would change."""
    return all(old.get(name) == value for name, value in new.items())
