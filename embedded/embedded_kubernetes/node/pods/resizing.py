"""A resize of a running pod in place: what its containers run with follows its spec, where the node has room.

A resize is granted first, then done: what would take less memory than is in use is granted, not done, and tried
again. (source: `handlePodResourcesResize` of `pkg/kubelet/allocation/allocation_manager.go`, `doPodResizeAction` of
`pkg/kubelet/kuberuntime/kuberuntime_manager.go`)
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ..cri import Container
from ..events import Kind
from ..records import Object, Record
from ..rules.resources import (
    Limits,
    MemoryUse,
    ResizeRefusal,
    limits,
    memory_limit_of_pod,
    must_restart,
    refusal_of_decrease,
    refusal_of_resize,
    resize_message,
    whole,
)
from ..wall import timestamp
from . import cgroups
from .context import PodContext

_RETRY_S = 10.0
"""How long a kubelet waits before it tries again what has failed (`backOffPeriod`)."""


class Resizing:
    """The resizes of one pod.

    Parameters
    ----------
    context : PodContext
        The pod.
    records : list of Record
        Its containers.

    Attributes
    ----------
    conditions : tuple of dict
        `PodResizePending`, `PodResizeInProgress`, both or neither.
    """

    def __init__(self, context: PodContext, records: Sequence[Record]) -> None:
        self._context = context
        self._records = records
        self._refusal: ResizeRefusal | None = None
        self._pending: Object | None = None
        self._in_progress: Object | None = None
        self._error = ""
        self._held: tuple[tuple[Container, ...], Limits | None] = ((), None)

    @property
    def conditions(self) -> tuple[Object, ...]:
        """What the pod's status says of a resize under way."""
        return tuple(
            condition for condition in (self._pending, self._in_progress) if condition is not None
        )

    @property
    def pending(self) -> bool:
        """Whether a resize waits for room."""
        return self._refusal is not None and self._refusal.reason == "Deferred"

    @property
    def retry_s(self) -> float | None:
        """In how many seconds to look again; None where nothing has failed."""
        return _RETRY_S if self._error else None

    def of_pod(self) -> Object:
        """Return what the pod's status says of the resources of the pod as a whole (see `PodFacts`)."""
        context = self._context
        granted = self._spec_with(
            context.allocated, {record.name: record.allocated for record in self._records}
        )
        held = self._spec_with(
            context.actuated, {record.name: record.actuated for record in self._records}
        )
        return {
            "resources": whole(held),
            "allocated": whole(granted).get("requests") or {},
        }

    def _spec_with(self, of_pod: Object, by_name: Mapping[str, Object]) -> Object:
        """Return the pod with other resources."""
        spec = dict(self._context.pod["spec"], resources=of_pod)
        for field in ("initContainers", "containers"):
            spec[field] = [
                {**container, "resources": by_name.get(container["name"]) or {}}
                for container in spec.get(field) or ()
            ]
        return {"spec": spec}

    def apply(self, pods: Sequence[Object]) -> bool:
        """Do what the spec asks for, where it can be done; return whether anything has changed.

        Parameters
        ----------
        pods : sequence of dict
            The pods of the node that are not over.
        """
        before = self.conditions
        granted = self._grant(pods)
        if self._in_progress is not None:
            if self._error:
                # A failure shows from the next look on, as the status is written before the work is done.
                self._in_progress = self._in_progress | {"reason": "Error", "message": self._error}
            self._actuate()
        return granted or self.conditions != before

    def hold_together(self) -> None:
        """Hold the running containers together to the limits of the pod as a whole."""
        context = self._context
        if not context.actuated and not self._held[0]:
            return
        running = tuple(
            record.container
            for record in self._records
            if record.running and record.container is not None
        )
        allowed = limits(context.actuated)
        if (running, allowed) == self._held:
            return
        self._held = (running, allowed)
        # One alone is held by its own limits, which the pod's stand in for.
        context.node.runtime.limit_pod(
            context.uid,
            running if len(running) > 1 else (),
            memory_limit_bytes=allowed.memory_bytes,
            cpu_limit_cores=allowed.cpu_cores,
        )

    def _grant(self, pods: Sequence[Object]) -> bool:
        """Take over what the spec asks for if the node has room; return whether there was anything to take over."""
        context = self._context
        of_pod = context.pod["spec"].get("resources") or {}
        changed = [
            record
            for record in self._records
            if record.role != "ephemeral" and _wanted(record) != record.allocated
        ]
        if not changed and of_pod == context.allocated:
            self._set_refusal(None)
            return False
        others = [pod for pod in pods if pod["metadata"]["uid"] != context.uid]
        refusal = refusal_of_resize(context.pod, others, context.node.allocatable)
        self._set_refusal(refusal)
        if refusal is not None:
            return False
        for record in changed:
            record.allocated = _wanted(record)
        context.allocated = of_pod
        self._error = ""
        self._in_progress = self._condition("PodResizeInProgress", "", "")
        self._tell("Normal", "ResizeStarted", "Pod resize started")
        return True

    def _actuate(self) -> None:
        """Let what runs have what was granted, all of it or nothing."""
        for record in self._records:
            if self._behind(record) and must_restart(
                record.spec, record.actuated, record.allocated
            ):
                record.restart_for = f"Container {record.name} resize requires restart"
        error = self._refused_decrease()
        if error is not None:
            if error != self._error:
                self._error = error
                self._tell("Warning", "ResizeError", "Pod resize error", error)
            return
        self._error = ""
        for record in self._records:
            if record.running and record.restart_for is None:
                self._set_limits(record)
        self._context.actuated = self._context.allocated
        if not any(self._behind(record) or record.restart_for for record in self._records):
            self._in_progress = None
            self._tell("Normal", "ResizeCompleted", "Pod resize completed")

    def _behind(self, record: Record) -> bool:
        return record.running and record.actuated != record.allocated

    def _set_limits(self, record: Record) -> None:
        assert record.container is not None
        before = limits(record.actuated, self._context.actuated)
        allowed = limits(record.allocated, self._context.allocated)
        record.actuated = record.allocated
        if self._context.node.runtime.isolation != "prefix":
            cgroups.write(self._context, record)
        if allowed != before:
            record.container.set_limits(
                memory_limit_bytes=allowed.memory_bytes, cpu_limit_cores=allowed.cpu_cores
            )

    def _refused_decrease(self) -> str | None:
        """Return why what was granted cannot be had now: it takes memory away that is in use."""
        context = self._context
        kept = [record for record in self._records if record.role in ("main", "sidecar")]
        together = (
            memory_limit_of_pod(context.actuated, [record.actuated for record in kept]),
            memory_limit_of_pod(context.allocated, [record.allocated for record in kept]),
        )
        uses = [
            MemoryUse(
                record.name,
                limits(record.actuated, context.actuated).memory_bytes,
                limits(record.allocated, context.allocated).memory_bytes,
                record.container.usage().memory_bytes,
            )
            for record in self._records
            if record.running and record.container is not None and record.restart_for is None
        ]
        return refusal_of_decrease(together, uses)

    def _set_refusal(self, refusal: ResizeRefusal | None) -> None:
        if refusal == self._refusal:
            return
        self._refusal = refusal
        if refusal is None:
            self._pending = None
            return
        self._pending = self._condition("PodResizePending", refusal.reason, refusal.message)
        self._tell(
            "Warning",
            f"Resize{refusal.reason}",
            f"Pod resize {refusal.reason}",
            refusal.message,
        )

    def _tell(self, kind: Kind, reason: str, prefix: str, error: str = "") -> None:
        words = resize_message(prefix, self._context.pod, error)
        self._context.node.recorder.record(self._context.pod, kind, reason, words)

    def _condition(self, kind: str, reason: str, message: str) -> Object:
        condition: Object = {
            "type": kind,
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": timestamp(time.time()),
            "observedGeneration": self._context.pod["metadata"].get("generation", 1),
        }
        if reason:
            condition["reason"], condition["message"] = reason, message
        return condition


def _wanted(record: Record) -> Object:
    wanted: Object = record.spec.get("resources") or {}
    return wanted
