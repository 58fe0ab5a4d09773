"""A cluster is full, a node joins it while it runs, waiting pods land there, then it leaves (slide 4.11)."""

from __future__ import annotations

from typing import Any

from embedded_kubernetes.quantities import parse

from ..._checks import bounds
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...cluster.conditions import condition, ready, unschedulable
from ...measure.lane import Change, Lane
from ...measure.recording import Recording
from .codes import RUN, NodeMark
from .lab import LAB

SELECTOR = "app=gourmands"
_SHARE = 0.4
"""What each pod asks for, as a share of the smallest node's processors: two fit into a node, three do not."""
_FIT = 2
_TIMEOUT_S = 90.0


@stoppable
def measure(
    *,
    cluster: Cluster | None = None,
    waiting: int = 4,
    stays_s: float = 4.0,
    progress: Progress | None = None,
) -> Recording:
    """Fill the cluster by requests, add a node while it runs, see who lands there, then take the node away.

    The node leaves whatever happens, Ctrl-C included.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned; embedded only.
    waiting : int
        Pods beyond those that the cluster has room for where nothing else asks for processors; 1 to 12.
    stays_s : float
        How long nothing is done while the node is there, in seconds; 1 to 60.
    progress : Progress, optional
        What steps are reported to.

    Raises
    ------
    UsageError
        A number out of its bounds.
    PlatformError
        The provider cannot add a node.
    WaitTimeoutError
        No pod is left waiting, the node does not come, or nobody lands there.
    """
    bounds(
        "Ajouter un nœud à un cluster plein",
        (waiting, 1, 12, "pods en trop"),
        (stays_s, 1, 60, "s de présence du nœud"),
    )
    with LAB.open(cluster, progress) as measure:
        provider, nodes = measure.cluster.provider, measure.cluster.nodes
        provider.remove_node()  # of a run that was killed
        parameters = {
            "nodes": _names(nodes()),
            "request_m": round(1000 * _SHARE * min(map(_cores, nodes()))),
            "replicas": _FIT * len(nodes()) + waiting,
        }
        with (
            measure.lane(RUN, "un nœud de plus", parameters) as lane,
            lane.recorded(events=True),
        ):
            _fill(lane)
            try:
                _join(lane)
                lane.pause(stays_s)
                lane.step("le nœud s’en va, ses pods sont expulsés")
                lane.mark(NodeMark.REMOVE)
                lane.in_background(provider.remove_node)
                lane.mark(NodeMark.REMOVED)
            finally:
                provider.remove_node()
            lane.parameters["nodes_after"] = _names(nodes())
            _wait_settled(lane)
            lane.pause(1.0)
        return measure.recording()


def _names(nodes: list[dict[str, Any]]) -> list[str]:
    return sorted(node["metadata"]["name"] for node in nodes)


def _cores(node: dict[str, Any]) -> float:
    return float(parse(node["status"]["allocatable"]["cpu"]))


def _asking(request_m: int, replicas: int) -> Change:
    def change(plain: dict[str, Any]) -> None:
        plain["spec"]["replicas"] = replicas
        (container,) = plain["spec"]["template"]["spec"]["containers"]
        container["resources"] = {"requests": {"cpu": f"{request_m}m"}}

    return change


def _fill(lane: Lane) -> None:
    """Make pods until some have no node."""
    lane.step("des pods pour lesquels il n’y a plus de place")
    lane.mark("apply")
    change = _asking(lane.parameters["request_m"], lane.parameters["replicas"])
    lane.apply("gourmands.yaml", change)
    waiting: list[dict[str, Any]] = []

    def full() -> bool:
        waiting[:] = _wait_settled(lane)
        return bool(waiting)

    lane.until(full, _TIMEOUT_S, "des pods sans nœud")
    lane.parameters |= {"waiting": len(waiting), "message": unschedulable(waiting[0])}


def _wait_settled(lane: Lane) -> list[dict[str, Any]]:
    """Wait until each pod is ready, or the scheduler has said that it finds no node; return those that wait."""
    waiting: list[dict[str, Any]] = []

    def settled() -> bool:
        pods = lane.pods(SELECTOR)
        waiting[:] = [pod for pod in pods if condition(pod, "PodScheduled") == "False"]
        return len(pods) == lane.parameters["replicas"] and all(
            ready(pod) for pod in pods if pod not in waiting
        )

    lane.until(settled, _TIMEOUT_S, "chaque pod est prêt, ou sans nœud")
    return waiting


def _join(lane: Lane) -> None:
    """Add the node, and wait for as many ready pods there as it has room for."""
    cluster = lane.measure.cluster
    lane.step("un nœud rejoint le cluster")
    lane.mark(NodeMark.ADD)
    name = cluster.provider.add_node()
    lane.stopped_components.add(name)
    lane.parameters["joined"] = name
    joined: list[dict[str, Any]] = []

    def known() -> bool:
        joined[:] = [node for node in cluster.nodes() if node["metadata"]["name"] == name]
        return any(condition(node, "Ready") == "True" for node in joined)

    lane.until(known, _TIMEOUT_S, f"le nœud {name} est Ready")
    lane.mark(NodeMark.JOINED, name)
    fitting = int(1000 * _cores(joined[0]) // lane.parameters["request_m"])
    room: int = min(lane.parameters["waiting"], fitting)

    def landed() -> bool:
        there = [pod for pod in lane.pods(SELECTOR) if pod["spec"].get("nodeName") == name]
        return sum(map(ready, there)) >= room

    lane.until(landed, _TIMEOUT_S, f"{room} pods prêts sur {name}")
    lane.mark(NodeMark.PLACED, str(room))
