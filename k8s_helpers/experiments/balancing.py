"""How a Service spreads requests over its pods, what stays when one of them dies, and what its four types give."""

from __future__ import annotations

from typing import Any

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.balancing import balancing as draw
from ..cluster import Cluster
from ..recording import Recording
from .play import APP, Play, Show, opened, with_replicas

AFTER_S = 2.0
_TYPES_S = 2.0
"""How long a cloud would have to give a load balancer its address; here none ever comes."""
FOLDER = "04_services_et_ingress"


@stoppable
def balancing(
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    rate_per_s: float = 40.0,
    duration_s: float = 8.0,
    progress: Progress | None = None,
) -> Recording:
    """Count which pod answers, with a new connection for each request and with one that stays open; then a pod dies.

    The last run notes what each of the four types of Service got: addresses, ports, alias.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    replicas : int
        Pods behind the Service, 2 to 8.
    rate_per_s : float
        Requests per second with new connections, 5 to 200; a kept connection gets a quarter, so that one is enough.
    duration_s : float
        How long requests are counted, in seconds; 2 to 60.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        A number out of its bounds.
    """
    if not (2 <= replicas <= 8 and 5 <= rate_per_s <= 200 and 2 <= duration_s <= 60):
        raise UsageError(
            "Compter qui répond derrière un Service",
            f"{replicas} réplicas, {rate_per_s} requêtes par seconde, {duration_s} s",
            "Donnez 2 à 8 réplicas, 5 à 200 requêtes par seconde et 2 à 60 s.",
        )
    with opened("balancing", FOLDER, cluster, progress, draw=draw) as show:
        with show.play("repartition", "répartition", replicas=replicas) as play:
            play.deploy("deployment.yaml", "service.yaml", change=with_replicas(replicas))
            _count(play, "new-connections", rate_per_s, duration_s, keep_alive=False)
            _count(play, "keep-alive", rate_per_s / 4, duration_s, keep_alive=True)
            _lose_a_pod(play, rate_per_s, replicas)
            _look_at_types(play, show)
        return show.recording()


def _count(
    play: Play, name: str, rate_per_s: float, duration_s: float, *, keep_alive: bool
) -> None:
    play.name = name
    with play.recorded(APP, rate_per_s, keep_alive=keep_alive):
        play.step("connexion gardée ouverte" if keep_alive else "une connexion par requête")
        play.pause(duration_s)


def _lose_a_pod(play: Play, rate_per_s: float, replicas: int) -> None:
    """Delete a pod behind the Service: what changes is the list of endpoints, and no address."""
    play.name = "pod-dies"
    before = play.namespace.get("service", APP)
    pod = play.pods()[0]["metadata"]["name"]
    play.parameters |= {"service": APP, "pod": pod, "addresses_before": _addresses(before)}
    with play.recorded(APP, rate_per_s):
        play.pause(AFTER_S)
        play.step("suppression d’un pod")
        play.mark("delete", pod)
        play.namespace.delete_object("pod", pod)
        play.in_background(lambda: play.namespace.wait("pod", pod, "deleted"))
        play.wait_pods(replicas)
        play.pause(AFTER_S)
        play.parameters["addresses_after"] = _addresses(play.namespace.get("service", APP))


def _look_at_types(play: Play, show: Show) -> None:
    """Make a Service of each type, and note what it has got after a while."""
    play.name = "types"
    play.step("les quatre types de Service")
    with play.recorded():
        names = [one["metadata"]["name"] for one in play.apply("quatre-types.yaml")]
        play.pause(_TYPES_S)
        play.parameters["types"] = [_addresses(play.namespace.get("service", one)) for one in names]


def _addresses(service: dict[str, Any]) -> dict[str, Any]:
    """Return what a Service has got; None for what its type does not give or the cluster has not given."""
    spec, status = service["spec"], service.get("status", {})
    ports = spec.get("ports") or [{}]
    given = status.get("loadBalancer", {}).get("ingress") or ()
    return {
        "name": service["metadata"]["name"],
        "type": spec["type"],
        "cluster_ip": spec.get("clusterIP") or None,
        "port": ports[0].get("port"),
        "node_port": ports[0].get("nodePort"),
        "external": next((one.get("ip") or one.get("hostname") for one in given), None),
        "alias": spec.get("externalName"),
    }
