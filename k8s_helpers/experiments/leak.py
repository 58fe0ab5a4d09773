"""The Java leak in a pod of its own: what its logs, its pod's status and the metrics API tell, as samples."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .._api import ApiStatusError
from .._errors import ClusterUnreachableError
from ..cluster import Cluster, Namespace
from ..embedded.node.quantities import parse_bytes
from ..recorder import Clock, Reading, Recorder
from ..recording import Sample

POD = "fuite"
PERIOD_S = 0.5
"""Between two looks; the program itself writes a line every 100 ms, which is what memory is drawn from."""

_METRICS_PERIOD_S = 1.0
_TAIL_LINES = 60
_BACK_OFF = re.compile(r"back-off ((?:\d+m)?\d+s)")


class LeakReader:
    """Follows one pod of the leak; to be called every `PERIOD_S` by its recorder.

    Its memory comes from the program's own lines: the same on every provider and ten times a second, while the
    metrics API renews its figure every 10 to 15 s on a real node. That is recorded too, to be held against it.

    Parameters
    ----------
    cluster : Cluster
        Whose metrics API is asked.
    namespace : Namespace
        Where the pod is.

    Attributes
    ----------
    deaths : int
        How often its container has died.
    refusals : mapping of str to str
        What the cluster does not let us read ("logs", "metrics"), and its words.
    """

    def __init__(self, cluster: Cluster, namespace: Namespace) -> None:
        self.deaths = 0
        self.refusals: dict[str, str] = {}
        self._cluster = cluster
        self._namespace = namespace
        self._recorder: Recorder | None = None
        self._seen: set[str] = set()
        self._restarts = 0
        self._told: set[str] = set()
        self._metrics_due_s = 0.0

    def attach(self, recorder: Recorder) -> None:
        """Say who gets the samples that have an instant of their own."""
        self._recorder = recorder

    def __call__(self) -> Iterator[Reading]:
        """Look once; yield what holds now."""
        if self._recorder is None:
            return
        try:
            pod = self._namespace.get("pod", POD)
        except ApiStatusError as error:
            if error.code != 404:
                raise
            return
        status = next(iter(pod.get("status", {}).get("containerStatuses", ())), None)
        if status is None:
            return
        restarts = int(status["restartCount"])
        if restarts > self._restarts:
            self._restarts = restarts
            self._read_logs(self._recorder.clock, previous=True)
        self._read_logs(self._recorder.clock)
        self._ask_metrics(self._recorder.clock)
        # Last: whoever sees the last death knows that what led to it has been read.
        self.deaths = restarts + ("running" not in status["state"] and _has_died(status))
        told = _BACK_OFF.search(status["state"].get("waiting", {}).get("message", ""))
        if told:
            yield "back_off_s", go_seconds(told[1]), POD

    def _read_logs(self, clock: Clock, *, previous: bool = False) -> None:
        try:
            text = self._namespace.logs(POD, previous=previous, tail=_TAIL_LINES)
        except ApiStatusError as error:
            if error.code == 403:
                self.refusals["logs"] = error.found
            return  # 400: it has not started yet
        except ClusterUnreachableError:
            return  # the recorder's own watch decides how long that may last
        self._note(sample for line in lines(text, self._seen) for sample in samples(line, clock))

    def _ask_metrics(self, clock: Clock) -> None:
        now_s = time.monotonic()
        if now_s < self._metrics_due_s:
            return
        self._metrics_due_s = now_s + _METRICS_PERIOD_S
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self._namespace.name}/pods/{POD}"
        try:
            metrics = self._cluster.api.request("GET", path, timeout_s=5.0)
        except (ApiStatusError, ClusterUnreachableError) as error:
            # Not yet, or never: what is missing at the end has this reason.
            if "metrics" not in self._told:
                self.refusals["metrics"] = error.found
            return
        self._told.add("metrics")
        self.refusals.pop("metrics", None)
        self._note(
            one for one in metrics_samples(metrics, clock) if not self._knew(f"top {one.at_s}")
        )

    def _knew(self, key: str) -> bool:
        if key in self._told:
            return True
        self._told.add(key)
        return False

    def _note(self, found: Any) -> None:
        assert self._recorder is not None
        self._recorder.note_samples(found)


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
    used = [one["usage"]["memory"] for one in metrics.get("containers", ())]
    if used:
        total = sum(parse_bytes(text) for text in used)
        yield Sample(clock.from_stamp(metrics["timestamp"]), "metrics_bytes", total, POD)


def go_seconds(text: str) -> float:
    """Return a duration as Go prints it ("40s", "1m20s") in seconds."""
    minutes, _, seconds = text.removesuffix("s").rpartition("m")
    return 60.0 * int(minutes or 0) + float(seconds)
