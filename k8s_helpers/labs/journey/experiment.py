"""One `kubectl apply`, followed from the API server to the Service's endpoints."""

from __future__ import annotations

from typing import Any

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...kube.watch import WatchEvent
from ...measure.recorder import Recorder
from ...measure.recording import Recording
from .lab import LAB
from .summary import REVISIONS, STEPS

SETTLE_S = 1.0
"""Watches are open by then, and the Service is known to all."""
_TIMEOUT_S = 120.0


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Apply a Deployment of one pod, and note when each component has done its part.

    Each step is timed when its watch event is received, to a few milliseconds; what the API's own objects say of it,
    in whole seconds, is kept beside it (`Mark.detail`), and so is the number of what was written (`resourceVersion`).

    Parameters
    ----------
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The pod does not become ready.
    """
    with LAB.open(cluster, progress, live=False) as measure:
        with measure.lane("journey", "voyage d’un apply") as lane:
            lane.apply("service.yaml")
            with lane.recorded() as recorder:
                seen = _Seen(recorder)
                lane.parameters[REVISIONS] = seen.revisions
                for kind, take in seen.takers.items():
                    recorder.follow(lane.namespace.path(kind), take)
                lane.pause(SETTLE_S)
                lane.step("kubectl apply")
                lane.mark("sent")
                lane.apply("deployment.yaml")
                lane.step("attente du pod prêt et des endpoints")
                lane.until(seen.complete, _TIMEOUT_S, "le pod prêt et dans les endpoints")
                lane.pause(SETTLE_S)
        return measure.recording()


class _Seen:
    """Marks the first time that each step is seen; what was there before is none of them.

    Attributes
    ----------
    revisions : dict of str to int
        `resourceVersion` of what told each step that was seen.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.revisions: dict[str, int] = {}
        self._recorder = recorder
        self.takers = {
            "deployments": self._deployment,
            "replicasets": self._replica_set,
            "pods": self._pod,
            "endpointslices": self._slice,
        }

    def complete(self) -> bool:
        return self.revisions.keys() >= {step.kind for step in STEPS} - {"sent"}

    def _note(self, kind: str, event: WatchEvent, stamp: str | None) -> None:
        if kind not in self.revisions:
            self._recorder.mark(
                kind, stamp or "", self._recorder.clock.from_monotonic(event.received_s)
            )
            self.revisions[kind] = int(event.object["metadata"]["resourceVersion"])

    def _deployment(self, event: WatchEvent) -> None:
        self._note("accepted", event, event.object["metadata"]["creationTimestamp"])

    def _replica_set(self, event: WatchEvent) -> None:
        self._note("replicaset", event, event.object["metadata"]["creationTimestamp"])

    def _pod(self, event: WatchEvent) -> None:
        pod: dict[str, Any] = event.object
        status = pod.get("status", {})
        since = {
            condition["type"]: condition.get("lastTransitionTime")
            for condition in status.get("conditions", ())
            if condition["status"] == "True"
        }
        self._note("pod", event, pod["metadata"]["creationTimestamp"])
        if pod["spec"].get("nodeName"):
            self._note("scheduled", event, since.get("PodScheduled"))
        for container in status.get("containerStatuses", ()):
            if running := container.get("state", {}).get("running"):
                self._note("started", event, running.get("startedAt"))
        if "Ready" in since:
            self._note("ready", event, since["Ready"])

    def _slice(self, event: WatchEvent) -> None:
        trigger = "endpoints.kubernetes.io/last-change-trigger-time"
        for endpoint in event.object.get("endpoints") or ():
            if endpoint.get("conditions", {}).get("ready"):
                notes = event.object["metadata"].get("annotations", {})
                self._note("endpoints", event, notes.get(trigger))
