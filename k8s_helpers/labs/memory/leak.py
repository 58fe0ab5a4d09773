"""The Java leak in a pod of its own: what its logs, its pod's status and the metrics API tell, as samples."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from embedded_kubernetes.quantities import parse_bytes

from ..._errors import ClusterUnreachableError
from ...kube.api import ApiStatusError
from ...measure.lane import Lane
from ...measure.objects import Clock
from ...measure.recorder import Reading
from ...measure.recording import Sample
from .codes import Unread

POD = "fuite"
PERIOD_S = 0.5
"""Between two looks; the program itself writes a line every 100 ms, which is what memory is drawn from."""

_METRICS_PERIOD_S = 1.0
_TAIL_LINES = 60


class LeakReader:
    """Follows one pod of the leak; to be called every `PERIOD_S` by its recorder.

    Its memory comes from the program's own lines: the same on every provider and ten times a second, while the
    metrics API renews its figure every 10 to 15 s on a real node. That is recorded too, to be held against it.

    Parameters
    ----------
    lane : Lane
        In whose namespace the pod is, and whose run gets the samples that have instants of their own.

    Attributes
    ----------
    deaths : int
        How often its container has died.
    refusals : mapping of Unread to str
        What the cluster does not let us read, and its words.
    """

    def __init__(self, lane: Lane) -> None:
        self.deaths = 0
        self.refusals: dict[Unread, str] = {}
        self._lane = lane
        self._seen: set[str] = set()
        self._restarts = 0
        self._metrics_at_s: set[float] = set()
        self._metrics_due_s = 0.0

    def __call__(self) -> Iterable[Reading]:
        """Look once; all that is seen has an instant of its own."""
        try:
            pod = self._lane.namespace.get("pod", POD)
        except ApiStatusError as error:
            if error.code != 404:
                raise
            return ()
        status = next(iter(pod.get("status", {}).get("containerStatuses", ())), None)
        if status is None:
            return ()
        restarts = int(status["restartCount"])
        if restarts > self._restarts:
            self._restarts = restarts
            self._read_logs(previous=True)
        self._read_logs()
        self._ask_metrics()
        # Last: whoever sees the last death knows that what led to it has been read.
        self.deaths = restarts + ("running" not in status["state"] and _has_died(status))
        return ()

    def _read_logs(self, *, previous: bool = False) -> None:
        clock = self._lane.clock
        try:
            text = self._lane.namespace.logs(POD, previous=previous, tail=_TAIL_LINES)
        except ApiStatusError as error:
            if error.code == 403:
                self.refusals[Unread.LOGS] = error.found
            return  # 400: it has not started yet
        except ClusterUnreachableError:
            return  # the recorder's own watch decides how long that may last
        self._lane.note_samples(
            sample for line in lines(text, self._seen) for sample in samples(line, clock)
        )

    def _ask_metrics(self) -> None:
        now_s = time.monotonic()
        if now_s < self._metrics_due_s:
            return
        self._metrics_due_s = now_s + _METRICS_PERIOD_S
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self._lane.namespace.name}/pods/{POD}"
        try:
            metrics = self._lane.measure.cluster.api.request("GET", path, timeout_s=5.0)
        except (ApiStatusError, ClusterUnreachableError) as error:
            # Not yet, or never: what is missing at the end has this reason.
            if not self._metrics_at_s:
                self.refusals[Unread.METRICS] = error.found
            return
        self.refusals.pop(Unread.METRICS, None)
        for sample in metrics_samples(metrics, self._lane.clock):
            if sample.at_s not in self._metrics_at_s:
                self._metrics_at_s.add(sample.at_s)
                self._lane.note_samples([sample])


def _has_died(status: Mapping[str, Any]) -> bool:
    ended = {**status.get("lastState", {}), **status["state"]}
    return "terminated" in ended


def lines(text: str, seen: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the program's lines of JSON that were not seen yet, and note them; what the JVM writes is left out."""
    for text_line in text.splitlines():
        if not text_line.startswith("{") or text_line in seen:
            continue
        try:
            line = json.loads(text_line)
        except ValueError:
            continue  # cut by the kill
        seen.add(text_line)
        yield line


def samples(line: Mapping[str, Any], clock: Clock) -> Iterator[Sample]:
    """Yield what one line of the leak tells: memory of the container, heap in use, size of the heap."""
    at_s = clock.from_stamp(line["time"])
    if line.get("memory_bytes"):
        yield Sample(at_s, "memory_bytes", line["memory_bytes"], line["memory_source"])
    yield Sample(at_s, "heap_bytes", line["heap_used_bytes"], POD)
    if line["event"] == "starting":
        yield Sample(at_s, "heap_max_bytes", line["heap_max_bytes"], POD)


def metrics_samples(metrics: Mapping[str, Any], clock: Clock) -> Iterator[Sample]:
    """Yield what the metrics API says of the pod, as `kubectl top` does, at the instant at which it was measured."""
    containers = metrics.get("containers", ())
    if containers:
        total = sum(parse_bytes(container["usage"]["memory"]) for container in containers)
        yield Sample(clock.from_stamp(metrics["timestamp"]), "metrics_bytes", total, POD)
