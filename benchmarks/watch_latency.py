"""From a change to its event in the recorder.

Pods that no scheduler takes are created one after the other. Each latency runs from the moment the request leaves until
the recorder holds the event, as seen by polling it: the write, the watch and the turn into an event are all in it.
"""

from __future__ import annotations

import secrets
import time
from statistics import median

from k8s_helpers.cluster import Cluster, Namespace
from k8s_helpers.measure.recorder import Recorder

from .harness import at_most, cluster_of
from .row import Row

CHANGES = 100
BAR_MS = 50
_POLL_S = 0.001
_TIMEOUT_S = 5.0


def measure() -> list[Row]:
    """Measure the embedded cluster and return the row of the table."""
    with (
        cluster_of("embedded") as cluster,
        cluster.namespace(f"latence-{secrets.token_hex(2)}") as namespace,
    ):
        found = latencies_s(cluster, namespace)
    what = f"watch event → recorded, from the request on, {CHANGES} pods created"
    return [at_most(what, median(found) * 1e3, "ms", BAR_MS)]


def latencies_s(cluster: Cluster, namespace: Namespace) -> list[float]:
    """Create pods one by one and return how long each took to be recorded."""
    with Recorder(cluster, namespace, "latency") as recorder:
        time.sleep(0.5)  # the watch stands
        return [_once(cluster, namespace, recorder, f"pod-{number}") for number in range(CHANGES)]


def _once(cluster: Cluster, namespace: Namespace, recorder: Recorder, name: str) -> float:
    spec = {"schedulerName": "nobody", "containers": [{"name": "none", "image": "none"}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    sent_s = time.monotonic()
    cluster.api.request("POST", namespace.path("pods"), body=body)
    while time.monotonic() - sent_s < _TIMEOUT_S:
        if any(event.pod == name for event in recorder.run().pods):
            return time.monotonic() - sent_s
        time.sleep(_POLL_S)
    raise TimeoutError(f"{name} was never recorded")
