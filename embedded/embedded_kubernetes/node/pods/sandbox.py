"""What a pod has before its containers: address, folder, files of names, volumes; and how they follow the API.

(source: `SyncPod` of `pkg/kubelet/kubelet.go`, `pkg/kubelet/volumemanager`)
"""

from __future__ import annotations

import asyncio
import time

from ..cri import ContainerStartError, SandboxConfig
from ..records import Object
from ..rules.restarts import RESYNC_S
from ..rules.security import without_effect
from ..rules.sysctls import sysctls
from ..runtime.users.ranges import delete
from ..storage.payloads import MountError, PayloadSources
from ..storage.pod_certificates import Credential
from ..storage.tokens import Token
from ..storage.trust import trust_anchors
from ..storage.volumes import PodVolumes
from . import starts
from .context import PodContext

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
        self._known = self._kept(known_ip)
        self._told: set[str] = set()
        self._pause_s = _BACK_OFF_S[0]
        self._refresh_wall_s: float | None = None
        node = context.node
        self.volumes = PodVolumes(
            context.folder / "volumes", self._sources(), node.api, node.runtime
        )

    def _tell_without_effect(self) -> None:
        """Record once what the pod asks for in vain."""
        node = self._context.node
        vain = without_effect(self._context.pod, node.runtime.ids, node.runtime.network)
        names = [name for name in vain if name not in self._told]
        if names:
            self._told.update(names)
            words = (
                "Les conteneurs de ce nœud n’ont que les droits du compte qui l’a lancé, sans profil de sécurité ; "
                f"restent donc sans effet, ou n’en ont qu’en partie : {', '.join(names)}."
            )
            node.recorder.record(self._context.pod, "Warning", "NotEnforced", words)

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
                self._refresh_wall_s = None  # what changes meanwhile asks for one more time
                await self.volumes.refresh()
        except (MountError, ContainerStartError) as error:
            self._tell_failure(error)
            if not self.ready:
                pause_s = self._pause_s
                self._pause_s = min(pause_s * 2, _BACK_OFF_S[1])
                return pause_s
            self._refresh_wall_s = time.time() + RESYNC_S
        wanted = (self._refresh_wall_s, self.volumes.renew_wall_s)
        self._refresh_wall_s = min((at for at in wanted if at is not None), default=None)
        if self._refresh_wall_s is None:
            return None
        return max(1.0, self._refresh_wall_s - time.time())

    def _tell_failure(self, error: MountError | ContainerStartError) -> None:
        reason, words = "FailedMount", str(error)
        if isinstance(error, ContainerStartError):
            reason = "FailedCreatePodSandBox"
            words = f"Failed to create pod sandbox: rpc error: code = Unknown desc = {error}"
        self._context.node.recorder.record(self._context.pod, "Warning", reason, words)

    async def _make(self) -> None:
        context = self._context
        if not context.address:
            context.address = self._address()
            self._tell_without_effect()
            context.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for message in context.node.names.write(context.pod, context.address, context.folder):
                context.node.recorder.record(context.pod, "Warning", "DNSConfigForming", message)
            context.node.host_ports.open(context.pod, context.address)
            self.volumes.sources = self._sources()
        done = await asyncio.gather(
            context.node.runtime.run_sandbox(self._config()),
            self.volumes.set_up(),
            return_exceptions=True,
        )
        for failure in filter(None, done):
            raise failure
        self.ready = True

    def _config(self) -> SandboxConfig:
        context = self._context
        pod = context.pod
        at_host = pod["spec"].get("hostNetwork")
        return SandboxConfig(
            pod_uid=context.uid,
            hostname=starts.hostname(pod, context.node.name),
            address=None if at_host else context.address,
            sysctls=sysctls(pod),
            share_processes=bool(pod["spec"].get("shareProcessNamespace")),
        )

    def _kept(self, known_ip: str) -> str:
        """Keep the address that the pod had, before any other pod is given one; return it, "" where it has none."""
        context = self._context
        ended = context.pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        if not known_ip or ended or context.pod["spec"].get("hostNetwork"):
            return ""
        address = context.node.config.bindable(known_ip)
        context.node.addresses.reserve(address)
        return address

    def _address(self) -> str:
        node = self._context.node
        if self._context.pod["spec"].get("hostNetwork"):
            return node.host_address
        return self._known or node.addresses.take()

    def _sources(self) -> PayloadSources:
        context = self._context

        async def token(audience: str, life_s: int) -> Token:
            return await context.node.tokens.get(context.pod, audience, life_s)

        async def certificate(volume: str, index: int, source: Object) -> Credential:
            return await context.node.certificates.get(context.pod, volume, index, source)

        return PayloadSources(
            pod=context.pod,
            pod_ip=context.address,
            host_ip=context.node.host_address,
            allocatable=context.node.allocatable,
            get=context.get,
            token=token,
            trust=lambda source: trust_anchors(context.node.api, source),
            certificate=certificate,
        )

    async def stop(self) -> None:
        """Give its network back: nothing of the pod will run any more."""
        await self._context.node.runtime.stop_sandbox(self._context.uid)

    def close_ports(self) -> None:
        """Give its ports of the node back: nothing of the pod will run any more."""
        self._context.node.host_ports.forget(self._context.uid)

    async def remove(self) -> None:
        """Give everything back."""
        self.close_ports()
        await self.stop()
        context = self._context
        node = context.node
        node.names.forget(context.uid)
        await self.volumes.remove()
        await asyncio.to_thread(delete, context.folder)
        address = context.address or self._known
        if address not in ("", node.host_address):
            node.addresses.release(address)
        for store in (node.tokens, node.certificates, node.puller, node.back_off, node.recorder):
            store.forget(context.uid)


def is_deleted(pod: Object) -> bool:
    """Return whether a pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]
