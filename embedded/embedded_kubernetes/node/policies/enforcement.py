"""Keeps the rules of nftables as NetworkPolicies, pods and Services want them; says where they cannot be held.

Pods and namespaces are watched from the first policy on: most clusters of a course have none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...config import ClusterConfig
from ...processes import CommandError, run
from ..api import Api, Informer
from ..proxy.service_table import ServicePort, ServiceTable
from ..proxy.topology import Target
from ..servers.streams import EventWriter
from .isolation import Isolation, Pod, allowed, isolations, pods_of
from .nftables import Blocked, no_rules, ruleset

_POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
_SETTLE_S = 0.02
"""Changes that come within this time are one set of rules."""
_TIMEOUT_S = 20.0
_NOT_ENFORCED = "NotEnforced"
_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where `nft` is, also for who has no such folders in PATH."""

_DNS_LABELS = {"k8s-app": "kube-dns"}

_log = logging.getLogger(__name__)

InNetwork = Callable[[Sequence[str]], tuple[str, ...] | None]


class NetworkPolicies:
    """Holds pods to the cluster's NetworkPolicies.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    api : Api
        With the rights to read policies, pods and namespaces everywhere.
    table : ServiceTable
        Services and endpoints; started by its owner.
    in_network : callable
        Returns the command line that runs a program in the pods' network, None where that is this machine's.
    event : EventWriter
        Writes an Event on a policy.
    """

    def __init__(
        self,
        config: ClusterConfig,
        api: Api,
        table: ServiceTable,
        in_network: InNetwork,
        event: EventWriter,
    ) -> None:
        self._config = config
        self._table = table
        self._in_network = in_network
        self._event = event
        self._policies = Informer(api, _POLICIES, on_change=self._policy_changed)
        self._pods = Informer(api, "/api/v1/pods", on_change=self._changed)
        self._namespaces = Informer(api, "/api/v1/namespaces", on_change=self._changed)
        self._watching = False
        self._text = ""
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._warned: dict[str, str] = {}

    async def start(self) -> None:
        """Begin to watch; returns at once."""
        await self._policies.start()
        self._table.subscribe(lambda keys: self._changed("", {}))
        self._task = asyncio.create_task(self._keep(), name="network policies")

    async def close(self) -> None:
        """Stop; the rules go with the network."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for informer in (self._policies, self._pods, self._namespaces):
            await informer.close()

    def _policy_changed(self, kind: str, policy: dict[str, Any]) -> None:
        if kind == "DELETED":
            self._warned.pop(policy["metadata"]["uid"], None)
        self._wanted.set()

    def _changed(self, kind: str, item: dict[str, Any]) -> None:
        if self._watching:
            self._wanted.set()

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(_SETTLE_S)
            self._wanted.clear()
            if self._policies.items:
                await self._apply()
            elif self._text:
                await self._run(no_rules())
                self._text = ""

    async def _apply(self) -> None:
        refusal = self._refusal()
        if refusal is None:
            if not self._watching:
                self._watching = True
                await self._pods.start()
                await self._namespaces.start()
            await self._pods.synced()
            await self._namespaces.synced()
            text = self._ruleset()
            if text == self._text:
                return
            refusal = await self._run(text)
        if refusal is None:
            self._text = text
            self._warned.clear()
            return
        for policy in self._policies.items.values():
            self._warn(policy, refusal)

    def _refusal(self) -> str | None:
        """Return why no policy can be held here, None where it can."""
        if self._in_network(()) is None:
            return "les pods partagent le réseau de cette machine"
        if self._program() is None:
            return "le programme « nft » n’est pas installé (paquet nftables de votre distribution)"
        return None

    @staticmethod
    def _program() -> str | None:
        return shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{_FOLDERS}")

    async def _run(self, text: str) -> str | None:
        """Have nft take some rules; return what it says against them."""
        argv = self._in_network((self._program() or "nft", "-f", "-"))
        assert argv is not None
        try:
            await asyncio.to_thread(run, argv, timeout_s=_TIMEOUT_S, stdin=text)
        except CommandError as error:
            _log.error("nft: %s", error)
            return f"« nft » a refusé les règles : {error}"
        return None

    def _warn(self, policy: dict[str, Any], reason: str) -> None:
        meta = policy["metadata"]
        if self._warned.get(meta["uid"]) == reason:
            return
        self._warned[meta["uid"]] = reason
        about = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", **policy}
        words = f"Cette règle reste sans effet, tout passe : {reason}."
        self._event(about, "Warning", _NOT_ENFORCED, words)

    def _ruleset(self) -> str:
        dns = Pod(
            "kube-system",
            _DNS_LABELS,
            self._config.dns_address,
            (("dns", "UDP", 53), ("dns-tcp", "TCP", 53)),
        )
        namespaces = {
            name: item["metadata"].get("labels") or {}
            for (_, name), item in self._namespaces.items.items()
        }
        pods = pods_of(self._pods.items.values())
        isolated = isolations(self._policies.items.values(), (*pods, dns), namespaces)
        config = self._config
        nodes = f"{config.node_address(config.node_names[0]).rsplit('.', 1)[0]}.0/24"
        clients = [pod.address for pod in pods]
        return ruleset(
            isolated, config.pod_cidr, (config.gateway, nodes), self._blocked(isolated, clients)
        )

    def _blocked(self, isolated: dict[str, Isolation], clients: Sequence[str]) -> Iterator[Blocked]:
        """Return which pods can reach nobody behind a Service: its door must not let them in."""
        for key in self._table.keys():  # noqa: SIM118
            for port in self._table.ports(key):
                targets = port.targets
                if not targets or any(t.address.startswith("127.") for t in targets):
                    continue
                concerned = {target.address for target in targets} & isolated.keys()
                for client in clients:
                    if (concerned or client in isolated) and not any(
                        _lets(isolated, client, target, port.protocol) for target in targets
                    ):
                        for address, number in self._entrances(port):
                            yield Blocked(client, address, port.protocol, number)

    def _entrances(self, port: ServicePort) -> Iterator[tuple[str, int]]:
        if port.cluster_ip is not None:
            yield port.cluster_ip, port.port
        if port.node_port is not None:
            for node in self._config.node_names:
                yield self._config.node_address(node), port.node_port


def _lets(isolated: dict[str, Isolation], client: str, target: Target, protocol: str) -> bool:
    return allowed(isolated, client, target.address, protocol, target.port)
