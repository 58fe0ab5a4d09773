"""A resize of a running pod in place: what its containers run with follows its spec, where the node has room.

(source: `handlePodResourcesResize` of `pkg/kubelet/allocation/allocation_manager.go`)
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from .context import PodContext
from .records import Object, Record
from .resources import Refusal, limits, must_restart, refusal_of_resize, resize_message
from .wall import timestamp


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
        `PodResizePending`, `PodResizeInProgress`, or neither.
    """

    def __init__(self, context: PodContext, records: Sequence[Record]) -> None:
        self._context = context
        self._records = records
        self._refusal: Refusal | None = None
        self._restarting: set[str] = set()
        self.conditions: tuple[Object, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether a resize waits for room."""
        return self._refusal is not None and self._refusal.reason == "Deferred"

    def apply(self, pods: Sequence[Object]) -> bool:
        """Do what the spec asks for, where it can be done; return whether anything has changed.

        Parameters
        ----------
        pods : sequence of dict
            The pods of the node that are not over.
        """
        before = self.conditions
        self._complete()
        changed = [
            record
            for record in self._records
            if record.role in ("main", "sidecar") and _wanted(record) != record.allocated
        ]
        if not changed:
            self._set_refusal(None)
            return self.conditions != before
        others = [pod for pod in pods if pod["metadata"]["uid"] != self._context.uid]
        refusal = refusal_of_resize(self._context.pod, others, self._context.node.allocatable)
        self._set_refusal(refusal)
        if refusal is None:
            self._actuate(changed)
        return refusal is None or self.conditions != before

    def _actuate(self, changed: Sequence[Record]) -> None:
        self._tell("ResizeStarted", "Pod resize started")
        for record in changed:
            old, new = record.allocated, _wanted(record)
            record.allocated = new
            if not record.running or record.container is None:
                continue
            if must_restart(record.spec, old, new):
                record.restart_for = f"Container {record.name} resize requires restart"
                self._restarting.add(record.name)
                continue
            allowed = limits(new)
            record.container.set_limits(
                memory_limit_bytes=allowed.memory_bytes, cpu_limit_cores=allowed.cpu_cores
            )
        if self._restarting:
            self.conditions = (self._condition("PodResizeInProgress", "", ""),)
        else:
            self._tell("ResizeCompleted", "Pod resize completed")

    def _complete(self) -> None:
        """End a resize whose containers have all been started again."""
        self._restarting -= {
            record.name
            for record in self._records
            if record.restart_for is None and (record.running or record.exited is not None)
        }
        if not self._restarting and self._shows("PodResizeInProgress"):
            self.conditions = ()
            self._tell("ResizeCompleted", "Pod resize completed")

    def _set_refusal(self, refusal: Refusal | None) -> None:
        if refusal == self._refusal:
            return
        self._refusal = refusal
        if refusal is None:
            self.conditions = ()
            return
        self.conditions = (self._condition("PodResizePending", refusal.reason, refusal.message),)
        words = resize_message(f"Pod resize {refusal.reason}", self._context.pod, refusal.message)
        self._context.node.recorder.record(
            self._context.pod, "Warning", f"Resize{refusal.reason}", words
        )

    def _shows(self, kind: str) -> bool:
        return any(one["type"] == kind for one in self.conditions)

    def _tell(self, reason: str, prefix: str) -> None:
        words = resize_message(prefix, self._context.pod)
        self._context.node.recorder.record(self._context.pod, "Normal", reason, words)

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
