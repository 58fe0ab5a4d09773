"""One side of `benchmarks/engine.py`: a round on the embedded cluster of the package that this interpreter imports.

    python benchmarks/engine_side.py PARAMETERS

PARAMETERS is JSON; the result is printed as JSON. Nothing of this repository but the installed packages is imported:
the other side is another revision, with the same measure. What `harness` shares with it is therefore here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from embedded_kubernetes.control import lifecycle
from k8s_helpers import _progress
from k8s_helpers._errors import K8sHelpersError
from k8s_helpers.cluster import Cluster, connect

NAME = "mesure"
"""Name of the clusters that the benchmarks make and delete; nobody's course is in them."""

PODS = "/api/v1/namespaces/default/pods"
SETTLE_S = 5.0
_K8S_LAB = [sys.executable, "-c", "from k8s_helpers.cli import main; main()"]

Pod = dict[str, Any]


def k8s_lab(*arguments: str) -> None:
    """Run a command of the course to its end."""
    subprocess.run([*_K8S_LAB, *arguments], check=True, stdout=subprocess.DEVNULL)


def is_running(pod: Pod) -> bool:
    """Return whether a pod is Running."""
    return bool(pod.get("status", {}).get("phase") == "Running")


def is_ready(pod: Pod) -> bool:
    """Return whether a pod is Ready."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


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


class Side:
    """What is measured with one image on this side's cluster."""

    def __init__(self, cluster: Cluster, image: str) -> None:
        self.cluster = cluster
        self.image = image

    def create(self, name: str) -> None:
        """Create a pod that sleeps."""
        container = {
            "name": "sleep",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["sleep", "100000"],
        }
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
        }
        self.cluster.api.request("POST", PODS, body=body)

    def delete_all(self) -> None:
        """Delete every pod and wait until none is left."""
        query = {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
        self.cluster.api.request("DELETE", PODS, query=query)
        while self.cluster.api.request("GET", PODS)["items"]:
            time.sleep(0.1)

    def ready_s(self, names: Sequence[str]) -> float:
        """Return the time from the first POST until the last pod was seen Ready; they are left."""
        with (
            Sightings(self.cluster, PODS, is_ready) as watch,
            ThreadPoolExecutor(len(names)) as pool,
        ):
            time.sleep(0.3)  # the watch must stand before the pods come
            began_s = time.monotonic()
            list(pool.map(self.create, names))
            return watch.wait(names) - began_s

    def first_s(self, began_s: float) -> float:
        """Return the time until the first pod of a new cluster was seen Running; deletes it."""
        with Sightings(self.cluster, PODS, is_running) as watch:
            while True:  # it needs its ServiceAccount, which a controller makes
                try:
                    self.create("first")
                    break
                except K8sHelpersError:
                    time.sleep(0.02)
            took_s = watch.wait(["first"]) - began_s
        self.delete_all()
        return took_s

    def repeated_s(self, times: int, count: int) -> list[float]:
        """Return how long `count` pods at once took, each time."""
        found = []
        for _ in range(times):
            found.append(self.ready_s([f"pod-{number}" for number in range(count)]))
            self.delete_all()
        return found


def node_mb() -> float:
    """Return the memory of the node's own processes (each page shared fairly): all Python below its agent."""
    status = lifecycle.status(NAME).components
    waiting, total_kib = [facts["pid"] for name, facts in status.items() if "-node-" in name], 0
    own = os.path.realpath(sys.executable)
    while waiting:
        pid = waiting.pop()
        try:
            waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            if os.path.realpath(f"/proc/{pid}/exe") == own:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total_kib += int(re.findall(r"^Pss: +(\d+)", rollup, re.MULTILINE)[0])
        except (OSError, IndexError):
            continue  # it has ended
    return total_kib * 1024 / 1e6


def load_image(archive: str) -> None:
    """Load an image into the store that all clusters of this home share, once: it is there when a round begins."""
    where = ["--provider", "embedded", "--name", NAME]
    k8s_lab("up", *where)
    try:
        k8s_lab("image", "load", archive, *where)
    finally:
        k8s_lab("down", *where)


def measure_round(image: str, ones: int, twenties: int) -> dict[str, Any]:
    """Make a cluster, measure, and delete it."""
    where = ["--provider", "embedded", "--name", NAME]
    began_s = time.monotonic()
    k8s_lab("up", *where)
    try:
        up_s = time.monotonic() - began_s
        cluster = connect(provider="embedded", name=NAME, progress=_progress.Silent())
        side = Side(cluster, image)
        first_s = side.first_s(began_s)
        time.sleep(SETTLE_S)
        one, twenty = side.repeated_s(ones, 1), side.repeated_s(twenties, 20)
        side.ready_s([f"pod-{number}" for number in range(50)])
        time.sleep(SETTLE_S)
        return {
            "up_s": [up_s],
            "first_s": [first_s],
            "one_ms": [value * 1000 for value in one],
            "twenty_s": twenty,
            "node_mb": [node_mb()],
        }
    finally:
        k8s_lab("down", *where)


if __name__ == "__main__":
    parameters = json.loads(sys.argv[1])
    if "archive" in parameters:
        load_image(**parameters)
    else:
        print(json.dumps(measure_round(**parameters)))
