"""What a pod has before its containers: address, folder, hosts file, volumes; and how they follow the API.

(source: `SyncPod` of `pkg/kubelet/kubelet.go`, `pkg/kubelet/volumemanager`)
"""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from ..records import Object
from ..rules.security import without_effect
from ..storage.payloads import MountError, PayloadSources
from ..storage.tokens import Token
from ..storage.trust import trust_anchors
from ..storage.volumes import PodVolumes
from .context import HOST_ADDRESS, PodContext

_BACK_OFF_S = (0.5, 122.0)
"""First and longest pause before a volume that cannot be mounted is tried again."""


class Sandbox:
    """The place of one pod.

    Parameters
    ----------
    context : PodContext
        The pod; its `address` is set here.
    known_ip : str
        The address that the API shows already, after a restart of the node.

    Attributes
    ----------
    ready : bool
        Whether containers may start.
    """

    def __init__(self, context: PodContext, known_ip: str) -> None:
        self.ready = False
        self._context = context
        self._known_ip = known_ip
        self._told: set[str] = set()
        self._pause_s = _BACK_OFF_S[0]
        self._refresh_wall_s: float | None = None
        node = context.node
        self.volumes = PodVolumes(
            context.folder / "volumes", self._sources(), node.api, node.runtime
        )

    def _tell_without_effect(self) -> None:
        """Record once what the pod asks for in vain."""
        names = [name for name in without_effect(self._context.pod) if name not in self._told]
        if names:
            self._told.update(names)
            words = (
                "Ce nœud fait tourner les conteneurs sous le compte qui a lancé le cluster, sans profil de sécurité ni "
                f"processus partagés ; restent donc sans effet : {', '.join(names)}."
            )
            pod = self._context.pod
            self._context.node.recorder.record(pod, "Warning", "NotEnforced", words)

    def follow(self) -> None:
        """Take note that the pod has changed: what its volumes show of it may have to be written anew."""
        self.volumes.sources = self._sources()
        self._refresh_wall_s = 0.0
        self._tell_without_effect()

    def object_changed(self, resource: str, name: str) -> bool:
        """Take note that a ConfigMap or Secret has changed; return whether the pod shows it."""
        if (resource, name) not in self.volumes.references:
            return False
        self._pause_s = _BACK_OFF_S[0]
        self._refresh_wall_s = 0.0
        return True

    async def keep(self) -> float | None:
        """Make what is missing, refresh what is old; return in how many seconds to come again, None for never."""
        try:
            if not self.ready:
                await self._make()
            elif self._refresh_wall_s is not None and self._refresh_wall_s <= time.time():
                await self.volumes.refresh()
        except MountError as error:
            pod = self._context.pod
            self._context.node.recorder.record(pod, "Warning", "FailedMount", str(error))
            if not self.ready:
                pause_s = self._pause_s
                self._pause_s = min(pause_s * 2, _BACK_OFF_S[1])
                return pause_s
        self._refresh_wall_s = self.volumes.renew_wall_s
        if self._refresh_wall_s is None:
            return None
        return max(1.0, self._refresh_wall_s - time.time())

    async def _make(self) -> None:
        context = self._context
        if not context.address:
            context.address = self._address()
            self._tell_without_effect()
            context.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            context.node.names.write(context.pod, context.address, self.hosts)
            context.node.host_ports.open(context.pod, context.address)
            self.volumes.sources = self._sources()
        await self.volumes.set_up()
        self.ready = True

    @property
    def hosts(self) -> Path:
        """The file that containers see as `/etc/hosts`."""
        return self._context.folder / "hosts"

    def _address(self) -> str:
        node = self._context.node
        if self._context.pod["spec"].get("hostNetwork"):
            return HOST_ADDRESS
        if self._known_ip:
            address = node.config.bindable(self._known_ip)
            node.addresses.reserve(address)
            return address
        return node.addresses.take()

    def _sources(self) -> PayloadSources:
        context = self._context

        async def token(audience: str, life_s: int) -> Token:
            return await context.node.tokens.get(context.pod, audience, life_s)

        return PayloadSources(
            pod=context.pod,
            pod_ip=context.address,
            host_ip=HOST_ADDRESS,
            allocatable=context.node.allocatable,
            get=context.get,
            token=token,
            trust=lambda source: trust_anchors(context.node.api, source),
        )

    def close_ports(self) -> None:
        """Give its ports of the node back: nothing of the pod will run any more."""
        self._context.node.host_ports.forget(self._context.uid)

    async def remove(self) -> None:
        """Give everything back."""
        self.close_ports()
        context = self._context
        node = context.node
        node.names.forget(context.uid)
        await self.volumes.remove()
        await asyncio.to_thread(shutil.rmtree, context.folder, True)
        if context.address not in ("", HOST_ADDRESS):
            node.addresses.release(context.address)
        for store in (node.tokens, node.puller, node.back_off, node.recorder):
            store.forget(context.uid)


def is_deleted(pod: Object) -> bool:
    """Return whether a pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]
