"""What every benchmark shares: medians, a cluster of its own, and the table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from k8s_helpers import _progress
from k8s_helpers.cluster import Cluster, connect

from .engine_side import NAME as NAME
from .engine_side import PODS as PODS
from .engine_side import Sightings as Sightings
from .engine_side import is_ready as is_ready
from .engine_side import is_running as is_running
from .row import Row


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
