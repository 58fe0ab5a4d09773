"""One pod of the node, from its first sight to its last trace.

A worker compares what the pod should be with what its containers are, does what is missing and waits for the
next change: an exit, a probe, the API, a time. (source: `SyncPod` of `pkg/kubelet/kubelet.go`)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from typing import Any

from ..api import ApiError
from ..cri import Container
from ..records import Object, Record, specs
from ..rules.admission import chooses_nodes, refusal_at_admission
from ..rules.decisions import decide
from ..rules.restarts import requeue_s
from ..rules.restoring import restored
from ..rules.status import PodFacts, pod_status
from ..storage.local_storage import LocalStorage
from ..tasks import Pace
from ..wall import seconds
from .context import NodeContext, PodContext
from .lives import Lives
from .publisher import Publisher
from .resizing import Resizing
from .sandbox import Sandbox, is_deleted

_log = logging.getLogger(__name__)

_DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
_LAST_PHASES = ("Succeeded", "Failed")
_EVICTION_GRACE_S = 1.0
"""What an evicted pod has to end (`immediateEvictionGracePeriodSeconds`)."""
_API_PAUSE_S = 1.0
_BUG_PAUSE_S = 5.0
_SYNC_BURST, _SYNC_RATE_PER_S = 20, 10.0
"""How often one pod is looked at: at once while it starts, so often in the long run, whatever wakes its worker."""


class PodWorker:
    """Takes care of one pod.

    Parameters
    ----------
    node : NodeContext
        The node.
    pod : dict
        The pod as it was first seen.
    """

    def __init__(self, node: NodeContext, pod: Object) -> None:
        self.context = PodContext(node, pod)
        self.records = restored(pod, time.time())
        self._node = node
        self._status: Object = dict(pod.get("status") or {})
        self._admitted = "startTime" in self._status
        self._started_wall_s = seconds(self._status["startTime"]) if self._admitted else time.time()
        self._sandbox = Sandbox(self.context, self._status.get("podIP", ""))
        self._lives = Lives(
            self.context,
            self.records,
            self._sandbox.volumes,
            on_change=self._container_changed,
            on_end=self._container_ended,
            on_step=lambda: self._publisher.mark(soon=True),
            on_news=lambda: self._publisher.pin(),
        )
        self._resizing = Resizing(self.context, self.records)
        self._storage = LocalStorage(self.context, self.records, self._sandbox.volumes)
        self._publisher = Publisher(node.api, self.context.path, self.context.uid, self._compute)
        self._wake = asyncio.Event()
        self._ending = asyncio.Event()
        self._vanished = False
        self._stopping = False
        self._over = self._status.get("phase") in _LAST_PHASES
        self._rejected: tuple[str, str] | None = None
        self._generation: int = pod["metadata"].get("generation", 1)
        """Of the spec that the status speaks of."""
        if is_deleted(pod):
            self._ending.set()

    # What the agent tells and asks

    def update(self, pod: Object) -> None:
        """Take the pod as the API has it now."""
        old = self.context.pod
        self.context.pod = pod
        if is_deleted(pod):
            if not is_deleted(old) or _grace_s(pod) < _grace_s(old):
                self._ending.set()
        elif _shape(old) != _shape(pod):
            self._take_specs(pod)
            self._sandbox.follow()
            if self._over or not self._sandbox.ready:
                self._observe()
            self._publisher.mark(soon=True)
            self._wake.set()

    def vanish(self) -> None:
        """Take note that the API has the pod no more: it is ended without further ado."""
        self._vanished = True
        self._ending.set()

    def object_changed(self, resource: str, name: str) -> None:
        """Take note that a ConfigMap or Secret of the namespace has changed."""
        waits = any(
            record.waiting is not None and record.waiting.reason == "CreateContainerConfigError"
            for record in self.records
        )
        if self._sandbox.object_changed(resource, name) or waits:
            self._wake.set()

    def nudge(self) -> None:
        """Look again: a pod has left the node, and there may be room for a resize."""
        if self._resizing.pending:
            self._wake.set()

    def containers(self) -> dict[str, Container]:
        """Return the last started container of each name."""
        return {
            record.name: record.container for record in self.records if record.container is not None
        }

    @property
    def active(self) -> bool:
        """Whether it still takes resources of the node."""
        return not self._over

    # Life

    async def run(self) -> None:
        """Take care of the pod until nothing of it is left."""
        living = asyncio.create_task(self._live(), name=f"pod {self.context.path}")
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait({living, ending}, return_when=asyncio.FIRST_COMPLETED)
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            await self._end()
        finally:
            living.cancel()
            ending.cancel()
            self._lives.close()
            await self._publisher.close(last=False)

    async def _live(self) -> None:
        self._publisher.mark(soon=False)
        pace, held_back = Pace(_SYNC_BURST, _SYNC_RATE_PER_S), False
        while True:
            before, held_back = held_back, await pace.turn()
            if held_back and not before:
                _log.warning("%s is woken more often than it is looked at", self.context.path)
            self._wake.clear()
            try:
                pause_s = await self._sync()
            except ApiError as error:
                _log.warning("%s: %s", self.context.path, error)
                pause_s = _API_PAUSE_S
            except Exception:
                _log.exception("%s", self.context.path)
                pause_s = _BUG_PAUSE_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def _sync(self) -> float | None:
        """Do what the pod needs now; return in how many seconds to look again, None for not by time."""
        pause_s = await self._look()
        if self._over:
            await self._sandbox.stop()
        return pause_s

    async def _look(self) -> float | None:
        if self._over or not await self._admit():
            return None
        left_s = self._deadline_s()
        if left_s is not None and left_s <= 0:
            await self._lives.stop_all()
            self._finish(_DEADLINE)
            return None
        excess = await self._storage.excess()
        if excess is not None:
            await self._evict(excess)
            return None
        pauses = [left_s, self._storage.pause_s, await self._sandbox.keep()]
        if self._sandbox.ready:
            pauses.append(await self._act())
        return min((pause for pause in pauses if pause is not None), default=None)

    def _observe(self) -> None:
        """Let the status say that the spec is seen; one that resizes the pod is when that is granted or refused."""
        generation = self.context.pod["metadata"].get("generation", 1)
        if generation != self._generation:
            self._generation = generation
            self._publisher.mark(soon=True)

    async def _act(self) -> float | None:
        if self._resizing.apply(self._node.pods()):
            self._publisher.mark(soon=True)
        self._observe()
        self._resizing.hold_together()
        actions = decide(self.context.pod["spec"], self.records)
        self._lives.begin_look()
        if actions.restart_all:
            self._publisher.mark(soon=True)
            await self._lives.reset_all()
            self._container_changed()
            return None
        killed = {kill.record for kill in actions.kill}
        await self._lives.kill(actions.kill)
        if actions.over:
            await self._lives.stop_all()
            self._finish()
            return None
        pauses = [self._resizing.retry_s]
        for record in actions.start:
            pauses.append(await self._lives.start(record, killed=record in killed))
            self._resizing.hold_together()
            if record.role == "sidecar" and pauses[-1] is None:
                self._wake.set()  # it has been started, and the next container may follow at once
        waits = [pause for pause in pauses if pause is not None]
        return requeue_s(min(waits)) if waits else None

    async def _evict(self, message: str) -> None:
        """End the pod for what it has written, with its logs."""
        self._tell("Warning", "Evicted", message)
        verdict = ("Evicted", message)
        self._rejected = verdict  # said before the containers end, so that nobody sees them fail without a reason
        self._publisher.mark(soon=True)
        await self._lives.stop_all(_EVICTION_GRACE_S)
        self._finish(verdict)
        await asyncio.to_thread(shutil.rmtree, self.context.folder / "logs", True)

    async def _admit(self) -> bool:
        """Refuse a new pod that may not run here; return whether the pod may go on."""
        if not self._admitted:
            pod = self.context.pod
            labels: Object = {}
            if chooses_nodes(pod["spec"]):
                node = await self._node.api.get(f"/api/v1/nodes/{self._node.name}")
                labels = node["metadata"].get("labels") or {}
            self._admitted = True
            uid = self.context.uid
            others = [other for other in self._node.pods() if other["metadata"]["uid"] != uid]
            refusal = refusal_at_admission(pod, others, labels, self._node.allocatable)
            if refusal is not None:
                reason, message = refusal
                self._tell("Warning", reason, message)
                self._finish((reason, f"Pod was rejected: {message}"))
                return False
        return True

    def _finish(self, verdict: tuple[str, str] | None = None) -> None:
        """Note that nothing of the pod will run any more, and the node's own reason if it has one."""
        if verdict == _DEADLINE:
            self._tell("Normal", *_DEADLINE)
        self._rejected = verdict
        self._over = True
        self._sandbox.close_ports()
        self._publisher.mark(soon=True)

    def _tell(self, kind: Any, reason: str, message: str) -> None:
        self._node.recorder.record(self.context.pod, kind, reason, message)

    def _deadline_s(self) -> float | None:
        allowed = self.context.pod["spec"].get("activeDeadlineSeconds")
        return None if allowed is None else self._started_wall_s + allowed - time.time()

    def _container_changed(self) -> None:
        self._publisher.mark(soon=True)
        self._wake.set()

    def _container_ended(self) -> None:
        self._wake.set()
        if self._stopping:
            self._publisher.mark(soon=True)

    # The end

    async def _end(self) -> None:
        """Stop everything, write the last status, delete the files and then the pod from the API."""
        self._lives.quiet()
        self._stopping = True
        hook = True
        while any(record.running for record in self.records):
            self._ending.clear()
            longest_s = 0.0 if self._vanished else _grace_s(self.context.pod)
            stopping = asyncio.create_task(self._lives.stop_all(longest_s, hook=hook))
            shorter = asyncio.create_task(self._ending.wait())
            await asyncio.wait({stopping, shorter}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            shorter.cancel()
            (trouble, _) = await asyncio.gather(stopping, shorter, return_exceptions=True)
            hook = False
            if isinstance(trouble, Exception):
                _log.error("%s does not end", self.context.path, exc_info=trouble)
                await asyncio.sleep(_BUG_PAUSE_S)
        self._over = True
        await self._publisher.close(last=not self._vanished)
        for container in self.containers().values():
            await asyncio.to_thread(container.remove)
        await self._sandbox.remove()
        await self._delete()

    async def _delete(self) -> None:
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": self.context.uid},
        }
        while not self._vanished:
            try:
                await self._node.api.delete(self.context.path, options)
                return
            except ApiError as error:
                if error.status in (404, 409):
                    return
            await asyncio.sleep(_API_PAUSE_S)

    # Status

    def _compute(self) -> Object:
        address = self.context.address
        facts = PodFacts(
            host_ip=self._node.host_address,
            pod_ip=self.context.shown(address) if address else "",
            started_wall_s=self._started_wall_s,
            sandbox_ready=self._sandbox.ready and not self._over,
            ended=self._over,
            generation=self._generation,
            rejected=self._rejected,
            resize=self._resizing.conditions,
            **self._resizing.of_pod(),
        )
        now_s = time.time()
        self._status = pod_status(self.context.pod, self.records, facts, self._status, now_s)
        return self._status

    def _take_specs(self, pod: Object) -> None:
        """Take over what a pod may change while it runs: images, resources, new ephemeral containers."""
        known = {record.name: record for record in self.records}
        for spec, role in specs(pod):
            record = known.get(spec["name"])
            if record is None:
                self.records.append(Record(spec, role))
                continue
            if spec["image"] != record.spec["image"] and role in ("main", "sidecar"):
                noun = "Container" if role == "main" else "Init container"
                record.restart_for = f"{noun} {record.name} definition changed"
            record.spec = spec


def _grace_s(pod: Object) -> float:
    return float(pod["metadata"].get("deletionGracePeriodSeconds", 30))


def _shape(pod: Object) -> tuple[Any, ...]:
    """Return what of a pod its worker reacts to."""
    meta = pod["metadata"]
    gates = pod["spec"].get("readinessGates")
    conditions = (pod.get("status") or {}).get("conditions") if gates else None
    return meta.get("generation"), meta.get("labels"), meta.get("annotations"), conditions
