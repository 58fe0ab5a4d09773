"""A pod that asks for more than any node has (slide 4.03)."""

from __future__ import annotations

from typing import Any

from ..._errors import WaitTimeoutError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...cluster.conditions import unschedulable
from ...kube.waiting import wait_until
from ...measure.lane import Lane, resources_of
from ...measure.recording import Recording
from .codes import PodState
from .lab import LAB

PODS = ("trop-de-cpu", "trop-de-memoire", "raisonnable")
"""Each is called like its manifest."""
_SCHEDULED_S = 30.0
"""How long the scheduler may take to say where a pod goes, or why nowhere."""


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Ask for more than any node has, then for little, and record what the scheduler says.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        What steps are reported to.

    Raises
    ------
    WaitTimeoutError
        The scheduler does not say anything in 30 s.
    """
    with LAB.open(cluster, progress, live=False) as measure:
        nodes = [node["status"]["allocatable"] for node in measure.cluster.nodes()]
        offered = [{name: node[name] for name in ("cpu", "memory")} for node in nodes]
        for index, name in enumerate(PODS):
            measure.share = index / len(PODS)
            with measure.lane(name, name) as lane, lane.recorded(events=True):
                lane.step("création du pod")
                lane.mark("apply", f"{name}.yaml")
                (pod,) = lane.apply(f"{name}.yaml")
                decision = _decision(lane, name)
                lane.mark("decided", decision["state"])
                lane.parameters |= {
                    "asked": resources_of(pod["spec"]["containers"][0])["requests"],
                    "nodes": offered,
                    **decision,
                }
        return measure.recording()


def _decision(lane: Lane, name: str) -> dict[str, str]:
    """Wait until the scheduler has decided; return the pod's state and what was said."""

    def late(pod: dict[str, Any]) -> WaitTimeoutError:
        return WaitTimeoutError(
            f"Attendre que l’ordonnanceur place « {name} »",
            f"il n’a rien dit en {_SCHEDULED_S:.0f} s",
            "Regardez si kube-scheduler tourne : « kubectl get pods -n kube-system », puis relancez.",
        )

    pod = wait_until(
        lambda: lane.namespace.get("pod", name),
        _SCHEDULED_S,
        late,
        done=lambda pod: pod["spec"].get("nodeName") or unschedulable(pod),
        pause=lane.pause,
    )
    if node := pod["spec"].get("nodeName"):
        return {"state": PodState.BOUND, "reason": "", "message": node}
    return {"state": PodState.PENDING, "reason": "Unschedulable", "message": unschedulable(pod)}
