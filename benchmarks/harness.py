"""What every benchmark shares: medians, a cluster of its own, and the table."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from k8s_helpers import _progress
from k8s_helpers.cluster import Cluster, connect

from .row import Row

NAME = "mesure"
"""Name of the clusters that the benchmarks make and delete; nobody's course is in them."""

PODS = "/api/v1/namespaces/default/pods"


def at_most(what: str, value: float, unit: str, bar: float) -> Row:
    """Return a row whose value must not exceed its bar."""
    return Row(what, value, unit, f"≤ {bar:g}", value <= bar)


def median_of(times: int, once: Callable[[], float]) -> float:
    """Return the median of several measures."""
    return statistics.median(once() for _ in range(times))


@contextmanager
def cluster_of(provider: str) -> Iterator[Cluster]:
    """Give a running cluster of that kind, deleted afterwards."""
    cluster = connect(provider=provider, name=NAME, progress=_progress.Lines())
    try:
        yield cluster
    finally:
        cluster.provider.down(_progress.Silent())


def pause_image(cluster: Cluster) -> str:
    """Return an image that does nothing and is in the node already; nothing is pulled."""
    if cluster.provider.kind == "embedded":
        return "host/pause"
    for node in cluster.api.request("GET", "/api/v1/nodes")["items"]:
        for image in node["status"].get("images", ()):
            for name in image["names"]:
                if "/pause:" in name:
                    return str(name)
    return "registry.k8s.io/pause:3.10"


def pod_spec(image: str) -> dict[str, Any]:
    """Return the specification of a pod that does nothing and ends at once when asked."""
    container = {"name": "pause", "image": image, "imagePullPolicy": "IfNotPresent"}
    return {"terminationGracePeriodSeconds": 0, "containers": [container]}


def create_pod(cluster: Cluster, name: str, image: str) -> None:
    """Create one pod through the API."""
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"benchmark": "pods"}},
        "spec": pod_spec(image),
    }
    cluster.api.request("POST", PODS, body=body)


def is_ready(pod: dict[str, Any]) -> bool:
    """Return whether a pod is Ready."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def is_running(pod: dict[str, Any]) -> bool:
    """Return whether a pod is Running."""
    return bool(pod.get("status", {}).get("phase") == "Running")


class Sightings:
    """A watch in the background that keeps when each object was first seen in a state.

    Parameters
    ----------
    cluster : Cluster
        Whose objects.
    path : str
        The collection.
    until : callable
        The state, told from the object.
    """

    def __init__(
        self, cluster: Cluster, path: str, until: Callable[[dict[str, Any]], bool]
    ) -> None:
        self.first_s: dict[str, float] = {}
        self._until = until
        self._changed = threading.Condition()
        self._watch = cluster.api.watch(path)
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Sightings:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.close()
        self._thread.join(timeout=10)

    def _follow(self) -> None:
        for event in self._watch:
            if event.type != "DELETED" and self._until(event.object):
                with self._changed:
                    self.first_s.setdefault(event.object["metadata"]["name"], event.received_s)
                    self._changed.notify_all()

    def wait(self, names: Sequence[str], timeout_s: float = 120.0) -> float:
        """Wait for all of them and return when the last one was seen (`time.monotonic()`)."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.first_s.keys() >= set(names), timeout_s):
                missing = sorted(set(names) - self.first_s.keys())
                raise TimeoutError(f"never seen: {', '.join(missing)}")
        return max(self.first_s[name] for name in names)


def at_once(work: Callable[[str], None], names: Sequence[str]) -> float:
    """Do something for every name at the same time and return when it began (`time.monotonic()`)."""
    with ThreadPoolExecutor(min(len(names), 20)) as pool:
        began_s = time.monotonic()
        for done in [pool.submit(work, name) for name in names]:
            done.result()
    return began_s


def delete_all(cluster: Cluster, path: str) -> None:
    """Delete a whole collection and wait until it is empty."""
    query = {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
    cluster.api.request("DELETE", path, query=query)
    deadline_s = time.monotonic() + 60
    while cluster.api.request("GET", path)["items"] and time.monotonic() < deadline_s:
        time.sleep(0.1)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | measured | bar | reached |", "|---|---:|---:|---|"]
    for row in rows:
        digits = 0 if row.value >= 100 else 1 if row.value >= 10 else 2
        value = f"{row.value:.{digits}f} {row.unit}".strip()
        bar = f"{row.bar} {row.unit}".strip() if row.bar else "—"
        lines.append(f"| {row.what} | {value} | {bar} | {'yes' if row.ok else '**NO**'} |")
    return "\n".join(lines)
