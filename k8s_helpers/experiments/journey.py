"""One `kubectl apply`, followed from the API server to the Service's endpoints."""

from __future__ import annotations

from typing import Any

from .._interruption import stoppable
from .._progress import Progress
from .._watch import WatchEvent
from ..cluster import Cluster
from ..recorder import Recorder
from ..recording import Recording
from ..timeline.journey import REVISIONS, STEPS
from .play import opened

SETTLE_S = 1.0
"""Watches are open by then, and the Service is known to all."""
_TIMEOUT_S = 120.0


@stoppable
def journey(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Apply a Deployment of one pod, and note when each component has done its part.

    Each step is timed when its watch event is received, to a few milliseconds; what the API's own objects say of it,
    in whole seconds, is kept beside it (`Mark.detail`), and so is the number of what was written (`resourceVersion`).

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The pod does not become ready.
    """
    with opened("journey", "02_architecture", cluster, progress) as show:
        with show.play("journey", "voyage d’un apply") as play:
            play.apply("service.yaml")
            with play.recorded() as recorder:
                seen = _Seen(recorder)
                play.parameters[REVISIONS] = seen.revisions
                for kind, take in seen.takers.items():
                    recorder.follow(play.namespace.path(kind), take)
                play.pause(SETTLE_S)
                play.step("kubectl apply")
                play.mark("sent")
                play.apply("deployment.yaml")
                play.step("attente du pod prêt et des endpoints")
                play.until(seen.complete, _TIMEOUT_S, "le pod prêt et dans les endpoints")
                play.pause(SETTLE_S)
        return show.recording()


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

    def _tell(self, kind: str, event: WatchEvent, stamp: str | None) -> None:
        if kind not in self.revisions:
            self._recorder.mark(
                kind, stamp or "", self._recorder.clock.from_monotonic(event.received_s)
            )
            self.revisions[kind] = int(event.object["metadata"]["resourceVersion"])

    def _deployment(self, event: WatchEvent) -> None:
        self._tell("accepted", event, event.object["metadata"]["creationTimestamp"])

    def _replica_set(self, event: WatchEvent) -> None:
        self._tell("replicaset", event, event.object["metadata"]["creationTimestamp"])

    def _pod(self, event: WatchEvent) -> None:
        pod: dict[str, Any] = event.object
        status = pod.get("status", {})
        since = {
            one["type"]: one.get("lastTransitionTime")
            for one in status.get("conditions", ())
            if one["status"] == "True"
        }
        self._tell("pod", event, pod["metadata"]["creationTimestamp"])
        if pod["spec"].get("nodeName"):
            self._tell("scheduled", event, since.get("PodScheduled"))
        for one in status.get("containerStatuses", ()):
            if running := one.get("state", {}).get("running"):
                self._tell("started", event, running.get("startedAt"))
        if "Ready" in since:
            self._tell("ready", event, since["Ready"])

    def _slice(self, event: WatchEvent) -> None:
        trigger = "endpoints.kubernetes.io/last-change-trigger-time"
        for one in event.object.get("endpoints") or ():
            if one.get("conditions", {}).get("ready"):
                notes = event.object["metadata"].get("annotations", {})
                self._tell("endpoints", event, notes.get(trigger))
