"""Pods and EndpointSlices as the API shows them → events of a recording. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..kube.image_names import undigested
from .recording import ClusterEvent, EndpointsEvent, PodEvent, PodEventKind, Source

RESOLUTION_S = 1.0
"""Times in API objects are whole seconds (metav1.Time)."""

BACK_OFFS = ("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull")
"""Reasons to wait that a student has to know; "ContainerCreating" and the like are only steps."""


@dataclass(frozen=True)
class Clock:
    """The run's clock: what `time.monotonic()` and the wall clock showed at its start."""

    zero_monotonic_s: float
    zero_wall_s: float

    @classmethod
    def starting(cls, zero_monotonic_s: float | None = None) -> Clock:
        """Return a clock whose 0 is that instant of `time.monotonic()`, or now."""
        now_s = time.monotonic()
        zero_s = now_s if zero_monotonic_s is None else zero_monotonic_s
        return cls(zero_s, time.time() - (now_s - zero_s))

    def from_monotonic(self, monotonic_s: float) -> float:
        """Return an instant of `time.monotonic()` on the run's clock."""
        return monotonic_s - self.zero_monotonic_s

    def from_wall(self, wall_s: float) -> float:
        """Return an instant of the wall clock on the run's clock."""
        return wall_s - self.zero_wall_s

    def from_stamp(self, stamp: str) -> float:
        """Return an instant that a program or the API wrote (ISO 8601) on the run's clock."""
        return self.from_wall(datetime.fromisoformat(stamp).timestamp())

    def choose(
        self, stamp: str | None, received_monotonic_s: float, *, history: bool = False
    ) -> tuple[float, Source]:
        """Return when something happened, and where that is known from.

        The receipt is finer than the API's whole seconds, except for `history` (what a list shows as done already) and
        for what happened long before it was received, as while the API server was away.
        """
        received_s = self.from_monotonic(received_monotonic_s)
        if stamp is not None:
            api_s = self.from_stamp(stamp)
            if api_s < received_s and (history or received_s - api_s > 2 * RESOLUTION_S):
                return api_s, "api"
        return received_s, "receipt"


@dataclass
class _Known:
    """What has been told of a pod already."""

    told: set[str] = field(default_factory=set)
    ready: bool = False
    restarts: dict[str, int] = field(default_factory=dict)


class PodWatch:
    """Turns the states of pods, as a watch shows them, into what changed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def take(self, change: str, pod: Mapping[str, Any], received_s: float) -> tuple[PodEvent, ...]:
        """Return what a watch event tells that was not known yet.

        Parameters
        ----------
        change : str
            "ADDED", "MODIFIED" or "DELETED".
        pod : mapping
            The pod.
        received_s : float
            `time.monotonic()` of its receipt.
        """
        metadata = pod["metadata"]
        known = self._known.setdefault(metadata["uid"], _Known())
        # A pod that is running at first sight was there before: all that it shows is history.
        history = not known.told and bool(pod.get("status", {}).get("containerStatuses"))
        found = []
        for kind, stamp, container, detail in _facts(change, pod, known):
            at_s, source = self._clock.choose(stamp, received_s, history=history)
            found.append(
                PodEvent(
                    at_s,
                    metadata["name"],
                    metadata["uid"],
                    kind,
                    source,
                    version_of(pod),
                    container,
                    detail,
                )
            )
        return tuple(found)


_Fact = tuple[PodEventKind, str | None, str | None, str]
"""What, the API's time of it, in which container, a detail."""


def _facts(change: str, pod: Mapping[str, Any], known: _Known) -> Iterator[_Fact]:
    metadata, status = pod["metadata"], pod.get("status", {})
    if _first_time(known, "created"):
        yield "created", metadata["creationTimestamp"], None, ""
    conditions = {one["type"]: one for one in status.get("conditions", ())}
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "True" and _first_time(known, "scheduled"):
        node = pod.get("spec", {}).get("nodeName", "")
        yield "scheduled", scheduled.get("lastTransitionTime"), None, node
    yield from _container_facts(status.get("containerStatuses", ()), known)
    condition = conditions.get("Ready", {})
    ready = condition.get("status") == "True"
    if ready != known.ready:
        known.ready = ready
        reason = condition.get("reason", "")
        yield "ready" if ready else "unready", condition.get("lastTransitionTime"), None, reason
    if "deletionTimestamp" in metadata and _first_time(known, "terminating"):
        grace_s = metadata.get("deletionGracePeriodSeconds", 0)
        yield "terminating", None, None, f"grace {grace_s} s"
    if change == "DELETED" and _first_time(known, "deleted"):
        yield "deleted", None, None, ""


def _container_facts(statuses: Any, known: _Known) -> Iterator[_Fact]:
    for status in statuses:
        name, restarts = status["name"], status.get("restartCount", 0)
        state, last = status.get("state", {}), status.get("lastState", {}).get("terminated", {})
        for death in (last, state.get("terminated", {})):
            if death and _first_time(known, f"died {name} {_identity(death)}"):
                yield "died", death.get("finishedAt"), name, _ending(death)
        reason = state.get("waiting", {}).get("reason", "")
        if reason in BACK_OFFS and _first_time(known, f"waiting {name} {restarts} {reason}"):
            yield "waiting", None, name, reason
        running = state.get("running")
        if running and _first_time(known, f"started {name} {restarts}"):
            yield "started", running.get("startedAt"), name, ""
        if restarts > known.restarts.get(name, 0):
            yield "restarted", (running or {}).get("startedAt"), name, _ending(last)
        known.restarts[name] = restarts
    endings = [status.get("state", {}).get("terminated") for status in statuses]
    if endings and all(endings) and _first_time(known, "exited"):
        worst = max(endings, key=lambda ending: ending.get("exitCode", 0))
        yield "exited", worst.get("finishedAt"), None, _ending(worst)


def _first_time(known: _Known, fact: str) -> bool:
    if fact in known.told:
        return False
    known.told.add(fact)
    return True


def _identity(terminated: Mapping[str, Any]) -> str:
    """Tell two deaths of a container apart: each is that of another container of the runtime."""
    return str(terminated.get("containerID") or terminated.get("finishedAt"))


def _ending(terminated: Mapping[str, Any]) -> str:
    return f"{terminated.get('reason', '')} {terminated.get('exitCode', '')}".strip()


def version_of(pod: Mapping[str, Any]) -> str | None:
    """Return a pod's version: its label `version`, else the tag of its first container's image."""
    label = pod["metadata"].get("labels", {}).get("version")
    if label:
        return str(label)
    containers = pod.get("spec", {}).get("containers", ())
    name, colon, tag = (
        undigested(containers[0]["image"]).rpartition(":") if containers else ("", "", "")
    )
    return tag if colon and name and "/" not in tag else None


class EndpointsWatch:
    """Turns EndpointSlices into the ready pods behind each Service."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slices: dict[str, tuple[str, frozenset[str]]] = {}
        self._told: dict[str, tuple[str, ...]] = {}

    def take(
        self, change: str, endpoint_slice: Mapping[str, Any], received_s: float
    ) -> tuple[EndpointsEvent, ...]:
        """Return the new set of ready pods where a watch event changes it."""
        metadata = endpoint_slice["metadata"]
        service = metadata.get("labels", {}).get("kubernetes.io/service-name")
        if service is None:
            return ()
        pods = frozenset() if change == "DELETED" else _ready_pods(endpoint_slice)
        self._slices[metadata["uid"]] = (service, pods)
        ready = tuple(
            sorted(
                {pod for owner, some in self._slices.values() if owner == service for pod in some}
            )
        )
        if self._told.get(service) == ready:
            return ()
        self._told[service] = ready
        return (EndpointsEvent(self._clock.from_monotonic(received_s), service, ready),)


def _ready_pods(endpoint_slice: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of a slice's ready pods; a condition that is not given counts as ready."""
    return frozenset(
        (endpoint.get("targetRef") or {}).get("name", endpoint["addresses"][0])
        for endpoint in endpoint_slice.get("endpoints") or ()
        if endpoint.get("conditions", {}).get("ready", True) is not False
    )


class EventsWatch:
    """Turns Kubernetes Events, which count their repetitions, into one record a repetition seen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, int] = {}

    def take(
        self, change: str, event: Mapping[str, Any], received_s: float
    ) -> tuple[ClusterEvent, ...]:
        """Return what an Event tells that was not known yet: that it happened, or happened again."""
        uid = event["metadata"]["uid"]
        series = event.get("series") or {}
        count = int(series.get("count") or event.get("count") or 1)
        if change == "DELETED" or count <= self._counts.get(uid, 0):
            return ()
        self._counts[uid] = count
        stamp = (
            series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
        )
        at_s, _ = self._clock.choose(stamp, received_s)
        subject = event.get("involvedObject") or {}
        return (
            ClusterEvent(
                at_s,
                subject.get("kind", ""),
                subject.get("name", ""),
                event.get("reason", ""),
                event.get("message", ""),
                count,
                event.get("type") == "Warning",
            ),
        )
