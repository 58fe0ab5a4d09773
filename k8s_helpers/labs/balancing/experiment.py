"""How a Service spreads requests over its pods, what stays when one of them dies, and what its four types give."""

from __future__ import annotations

from functools import partial
from typing import Any

from ... import _checks
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import APP, Lane, with_replicas
from ...measure.recording import Recording
from .lab import LAB

AFTER_S = 2.0
_TYPES_S = 2.0
"""How long a cloud would have to give a load balancer its address; here none ever comes."""


@stoppable
def measure(
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
    cluster
        Otherwise the one that `connect` returned.
    replicas : int
        Pods behind the Service, 2 to 8.
    rate_per_s : float
        Requests per second with new connections, 5 to 200; a kept connection gets a quarter, so that one is enough.
    duration_s : float
        How long requests are counted, in seconds; 2 to 60.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        A number out of its bounds.
    """
    _checks.bounds(
        "Compter qui répond derrière un Service",
        (replicas, 2, 8, "réplicas"),
        (rate_per_s, 5, 200, "requêtes par seconde"),
        (duration_s, 2, 60, "s"),
    )
    with LAB.open(cluster, progress) as measure:
        with measure.lane("repartition", "répartition") as deployed:
            deployed.deploy("deployment.yaml", "service.yaml", change=with_replicas(replicas))
            open_lane = partial(measure.lane, title=deployed.title, namespace=deployed.namespace)
            parameters = {"replicas": replicas}
            with open_lane("new-connections", parameters=parameters) as lane:
                _count(lane, "une connexion par requête", rate_per_s, duration_s)
            with open_lane("keep-alive", parameters=parameters) as lane:
                _count(lane, "connexion gardée ouverte", rate_per_s / 4, duration_s)
            with open_lane("pod-dies", parameters=parameters) as lane:
                _lose_a_pod(lane, rate_per_s, replicas)
            with open_lane("types", parameters=parameters) as lane:
                _look_at_types(lane)
        return measure.recording()


def _count(lane: Lane, step: str, rate_per_s: float, duration_s: float) -> None:
    """Send requests, and see who answers."""
    with lane.recorded(APP, rate_per_s, keep_alive=lane.name == "keep-alive"):
        lane.step(step)
        lane.pause(duration_s)


def _lose_a_pod(lane: Lane, rate_per_s: float, replicas: int) -> None:
    """Delete a pod behind the Service: what changes is the list of endpoints, and no address."""
    before = lane.namespace.get("service", APP)
    pod = lane.pods()[0]["metadata"]["name"]
    lane.parameters |= {"service": APP, "pod": pod, "addresses_before": _addresses(before)}
    with lane.recorded(APP, rate_per_s):
        lane.pause(AFTER_S)
        lane.step("suppression d’un pod")
        lane.mark("delete", pod)
        lane.namespace.delete_object("pod", pod)
        lane.in_background(lambda: lane.namespace.wait("pod", pod, "deleted"))
        lane.wait_pods(replicas)
        lane.pause(AFTER_S)
        lane.parameters["addresses_after"] = _addresses(lane.namespace.get("service", APP))


def _look_at_types(lane: Lane) -> None:
    """Make a Service of each type, and note what it has got after a while."""
    lane.step("les quatre types de Service")
    with lane.recorded():
        services = lane.apply("quatre-types.yaml")
        lane.pause(_TYPES_S)
        lane.parameters["types"] = [
            _addresses(lane.namespace.get("service", service["metadata"]["name"]))
            for service in services
        ]


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
        "external": next((address.get("ip") or address.get("hostname") for address in given), None),
        "alias": spec.get("externalName"),
    }
