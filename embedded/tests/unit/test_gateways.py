"""Statuses of Gateways are written once everything that decides them is known."""

import asyncio
import copy
from typing import Any

import pytest
from virtual_time import virtual_time

from embedded_kubernetes.config import GATEWAY_CONTROLLER
from embedded_kubernetes.node.ingress.certificates import Certificates
from embedded_kubernetes.node.ingress.gateways import Gateways

ESTABLISHED = {
    "metadata": {"name": "httproutes.gateway.networking.k8s.io"},
    "status": {"conditions": [{"type": "Established", "status": "True"}]},
}
CLASS = {"metadata": {"name": "cours"}, "spec": {"controllerName": GATEWAY_CONTROLLER}}
GATEWAY = {
    "metadata": {"name": "gate", "namespace": "ns"},
    "spec": {
        "gatewayClassName": "cours",
        "listeners": [{"name": "http", "protocol": "HTTP", "port": 80}],
    },
}
ROUTE = {
    "metadata": {"name": "r", "namespace": "ns"},
    "spec": {"parentRefs": [{"name": "gate"}]},
}
ITEMS = {
    "customresourcedefinitions": [ESTABLISHED],
    "gatewayclasses": [CLASS],
    "gateways": [GATEWAY],
    "httproutes": [ROUTE],
    "namespaces": [{"metadata": {"name": "ns"}}],
}


class OneListIsLate:
    """An API that answers for one collection only when it is let."""

    def __init__(self, late: str) -> None:
        self._late = late
        self.let = asyncio.Event()
        self.written: dict[str, Any] = {}

    async def list(self, path: str, params: Any = None) -> dict[str, Any]:
        plural = path.rpartition("/")[2]
        if plural == self._late:
            await self.let.wait()
        return {
            "apiVersion": "v1",
            "kind": "List",
            "metadata": {"resourceVersion": "1"},
            "items": copy.deepcopy(ITEMS.get(plural, [])),
        }

    async def watch(self, path: str, version: str, params: Any = None) -> Any:
        await asyncio.Event().wait()
        yield

    async def patch(self, path: str, body: Any, *, kind: str) -> None:
        self.written[path.removeprefix("/apis/gateway.networking.k8s.io/v1/")] = body["status"]


class Table:
    """One Service that has every port."""

    def __init__(self, late: bool, let: asyncio.Event) -> None:
        self._late, self._let = late, let

    async def synced(self) -> None:
        if self._late:
            await self._let.wait()

    def subscribe(self, listener: Any) -> None:
        """Nothing changes."""

    def service(self, key: Any) -> dict[str, Any]:
        return {}

    def ports(self, key: Any) -> tuple[Any, ...]:
        return ()


@pytest.mark.parametrize(
    "late", ["gatewayclasses", "gateways", "httproutes", "referencegrants", "services", "secrets"]
)
@virtual_time
async def test_nothing_is_written_as_long_as_a_list_is_missing(late: str) -> None:
    api = OneListIsLate(late)

    async def secrets_synced() -> None:
        if late == "secrets":
            await api.let.wait()

    table: Any = Table(late == "services", api.let)
    gateways = Gateways(api, table, Certificates({}), secrets_synced)  # type: ignore[arg-type]
    await gateways.start()
    await asyncio.sleep(60)
    assert api.written == {}
    api.let.set()
    await asyncio.sleep(60)
    await gateways.close()
    assert set(api.written) == {
        "gatewayclasses/cours/status",
        "namespaces/ns/gateways/gate/status",
        "namespaces/ns/httproutes/r/status",
    }
    (listener,) = api.written["namespaces/ns/gateways/gate/status"]["listeners"]
    assert listener["attachedRoutes"] == 1
