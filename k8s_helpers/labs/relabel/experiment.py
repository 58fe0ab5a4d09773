"""One label of a running pod is changed: its Service and its ReplicaSet let go of it."""

from __future__ import annotations

from typing import Any

from ..._checks import bounds
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import APP, Lane, with_replicas
from ...measure.recording import Recording
from .lab import LAB

BEFORE_S = 2.0
AFTER_S = 3.0
ASIDE = "isolee"
"""What the label `app` becomes."""


@stoppable
def measure(
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    rate_per_s: float = 30.0,
    progress: Progress | None = None,
) -> Recording:
    """Relabel one pod of a Deployment under traffic, as `kubectl label --overwrite` does.

    It leaves its Service, its ReplicaSet makes another one in its place, and it goes on running, owned by nobody: the
    way to take a pod aside and look at it.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    replicas : int
        Pods of the Deployment, 2 to 6.
    rate_per_s : float
        Requests per second, 1 to 200.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        A number out of its bounds.
    WaitTimeoutError
        No other pod gets ready.
    """
    bounds(
        "Changer l’étiquette d’un pod",
        (replicas, 2, 6, "réplicas"),
        (rate_per_s, 1, 200, "requêtes par seconde"),
    )
    with LAB.open(cluster, progress) as measure:
        with measure.lane("relabel", "étiquette d’un pod", {"replicas": replicas}) as lane:
            lane.deploy("deployment.yaml", "service.yaml", change=with_replicas(replicas))
            _choose(lane)
            with lane.recorded("vitrine", rate_per_s):
                lane.step("trafic avant le changement")
                lane.pause(BEFORE_S)
                _take_aside(lane, replicas)
                lane.pause(AFTER_S)
                _look(lane)
        return measure.recording()


def _choose(lane: Lane) -> None:
    """Note which pod will be taken aside: the chart that follows the traffic wants to know from the first second."""
    pod = lane.pods()[0]
    name = pod["metadata"]["name"]
    lane.parameters |= {"pod": name, "service": APP, "owner_before": _owner(pod)}


def _take_aside(lane: Lane, replicas: int) -> None:
    name = lane.parameters["pod"]
    lane.step(f"kubectl label pod {name} app={ASIDE} --overwrite")
    lane.mark("label", name)
    lane.namespace.patch("pod", name, {"metadata": {"labels": {"app": ASIDE}}})
    lane.wait_pods(replicas)
    lane.mark("replaced")


def _look(lane: Lane) -> None:
    """Note what has become of the pod that was taken aside."""
    pod = lane.namespace.get("pod", lane.parameters["pod"])
    lane.parameters |= {"owner_after": _owner(pod), "phase_after": pod["status"]["phase"]}


def _owner(pod: dict[str, Any]) -> str | None:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((f"{owner['kind']}/{owner['name']}" for owner in owners), None)
