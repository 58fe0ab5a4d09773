"""Which class of quality of service the API server gives pods (slide 4.02)."""

from __future__ import annotations

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import resources_of
from ...measure.recording import Recording
from .forecast import qos_class
from .lab import LAB


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Make pods with all kinds of requests and limits, and read the class that the API server gave each.

    Parameters
    ----------
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).
    """
    with LAB.open(cluster, progress, live=False) as measure:
        with measure.lane("qos", "Classes de service") as lane, lane.recorded():
            lane.step("création des pods")
            expected = {pod["metadata"]["name"]: qos_class(pod) for pod in lane.read("qos.yaml")}
            lane.parameters["pods"] = [
                {
                    "name": pod["metadata"]["name"],
                    "containers": [
                        resources_of(container) for container in pod["spec"]["containers"]
                    ],
                    "expected": expected[pod["metadata"]["name"]],
                    "found": pod["status"]["qosClass"],
                }
                for pod in lane.apply("qos.yaml")
            ]
        return measure.recording()
