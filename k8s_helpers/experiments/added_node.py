"""A cluster is full, a node joins it while it runs, waiting pods land there, then it leaves (slide 4.11)."""

from __future__ import annotations

from typing import Any

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.added_node import added_node as draw
from ..cluster import Cluster, current_cluster
from ..cluster.conditions import condition, ready
from ..embedded.node.quantities import parse
from ..recording import Recording
from . import fidelity
from .play import Change, Play, opened

SELECTOR = "app=gourmands"
_SHARE = 0.4
"""What each pod asks for, as a share of the smallest node's processors: two fit into a node, three do not."""
_FIT = 2
_TIMEOUT_S = 90.0


@stoppable
def added_node(
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
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        A number out of its bounds.
    PlatformError
        The provider cannot add a node.
    WaitTimeoutError
        No pod is left waiting, the node does not come, or nobody lands there.
    """
    _check(waiting, stays_s)
    cluster = cluster or current_cluster()
    fidelity.require("added_node", cluster)
    with opened("added_node", "12_autoscaling", cluster, progress, draw=draw) as show:
        cluster.provider.remove_node()  # of a run that was killed
        nodes = cluster.nodes()
        request_m = round(1000 * _SHARE * min(_cores(one) for one in nodes))
        told: dict[str, Any] = {
            "nodes": sorted(one["metadata"]["name"] for one in nodes),
            "request_m": request_m,
            "replicas": _FIT * len(nodes) + waiting,
        }
        with (
            show.play("noeud-ajoute", "un nœud de plus", **told) as play,
            play.recorded(events=True),
        ):
            play.step("des pods pour lesquels il n’y a plus de place")
            play.mark("apply")
            play.apply("gourmands.yaml", _asking(request_m, told["replicas"]))
            _wait_full(play)
            try:
                _join(play, cluster, request_m)
                play.pause(stays_s)
                play.step("le nœud s’en va, ses pods sont expulsés")
                play.mark("remove")
                play.in_background(cluster.provider.remove_node)
                play.mark("removed")
            finally:
                cluster.provider.remove_node()
            play.parameters["nodes_after"] = sorted(
                one["metadata"]["name"] for one in cluster.nodes()
            )
            _wait_settled(play)
            play.pause(1.0)
        return show.recording()


def _asking(request_m: int, replicas: int) -> Change:
    def change(plain: dict[str, Any]) -> None:
        plain["spec"]["replicas"] = replicas
        (container,) = plain["spec"]["template"]["spec"]["containers"]
        container["resources"] = {"requests": {"cpu": f"{request_m}m"}}

    return change


def _cores(node: dict[str, Any]) -> float:
    return float(parse(node["status"]["allocatable"]["cpu"]))


def _wait_settled(play: Play) -> list[dict[str, Any]]:
    """Wait until each pod is ready, or the scheduler has said that it finds no node; return those that wait."""
    waiting: list[dict[str, Any]] = []

    def settled() -> bool:
        pods = play.pods(SELECTOR)
        waiting[:] = [one for one in pods if condition(one, "PodScheduled") == "False"]
        return len(pods) == play.parameters["replicas"] and all(
            ready(one) for one in pods if one not in waiting
        )

    play.until(settled, _TIMEOUT_S, "chaque pod est prêt, ou sans nœud")
    return waiting


def _wait_full(play: Play) -> None:
    found: list[dict[str, Any]] = []

    def full() -> bool:
        found[:] = _wait_settled(play)
        return bool(found)

    play.until(full, _TIMEOUT_S, "des pods sans nœud")
    said = (one for one in found[0]["status"]["conditions"] if one["type"] == "PodScheduled")
    play.parameters |= {"waiting": len(found), "message": next(said).get("message", "")}


def _join(play: Play, cluster: Cluster, request_m: int) -> None:
    """Add the node, and wait for as many ready pods there as it has room for."""
    play.step("un nœud rejoint le cluster")
    play.mark("add")
    name = cluster.provider.add_node()
    play.asked.add(name)
    play.parameters["joined"] = name
    joined: list[dict[str, Any]] = []

    def known() -> bool:
        joined[:] = [one for one in cluster.nodes() if one["metadata"]["name"] == name]
        return any(condition(one, "Ready") == "True" for one in joined)

    play.until(known, _TIMEOUT_S, f"le nœud {name} est Ready")
    play.mark("joined", name)
    room: int = min(play.parameters["waiting"], int(1000 * _cores(joined[0]) // request_m))

    def landed() -> bool:
        there = [one for one in play.pods(SELECTOR) if one["spec"].get("nodeName") == name]
        return sum(map(ready, there)) >= room

    play.until(landed, _TIMEOUT_S, f"{room} pods prêts sur {name}")
    play.mark("placed", str(room))


def _check(waiting: int, stays_s: float) -> None:
    if not (1 <= waiting <= 12 and 1 <= stays_s <= 60):
        raise UsageError(
            "Ajouter un nœud à un cluster plein",
            f"{waiting} pods en trop, nœud présent {stays_s} s",
            "Donnez 1 à 12 pods en trop et 1 à 60 s.",
        )
