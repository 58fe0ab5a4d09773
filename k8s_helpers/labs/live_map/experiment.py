"""A namespace as a map: which request goes to which Service, and on to which pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, Namespace, current_cluster
from ...cluster.conditions import ready
from ...measure.measure import snapshot
from ...measure.recording import Recording
from .lab import LAB
from .summary import MappedPod, MappedService, NamespaceMap, Route

_SETTLED_TIMEOUT_S = 30.0


@stoppable
def measure(
    namespace: Namespace | None = None,
    *,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Read a namespace's Ingresses, Services, endpoints and pods from the API, for a map of them.

    Parameters
    ----------
    namespace : Namespace, optional
        Otherwise one of its own, with the course's example (`carte.yaml`): two Deployments, three Services of which
        one has nobody behind it, an Ingress.
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The example's pods do not become ready.
    """
    cluster = cluster or current_cluster()
    if namespace is not None:
        return snapshot("live_map", cluster, asdict(read(namespace)))
    with (
        LAB.open(cluster, progress, versions=("v1", "v2"), live=False) as measure,
        measure.lane("map", "carte d’un espace de noms") as lane,
    ):
        lane.deploy("carte.yaml")
        lane.until(
            lambda: _settled(read(lane.namespace)), _SETTLED_TIMEOUT_S, "les adresses des Services"
        )
        return snapshot("live_map", cluster, asdict(read(lane.namespace)))


def read(namespace: Namespace) -> NamespaceMap:
    """Return what a map of a namespace is drawn from."""
    endpoints = _endpoints(namespace.list("endpointslices"))
    return NamespaceMap(
        namespace.name,
        [route for ingress in namespace.list("ingresses") for route in _routes(ingress)],
        [
            MappedService(
                service["metadata"]["name"],
                service["spec"]["type"],
                service["spec"].get("selector") or {},
                sorted(endpoints.get(service["metadata"]["name"], [])),
            )
            for service in namespace.list("services")
        ],
        [
            MappedPod(pod["metadata"]["name"], ready(pod), _own_labels(pod))
            for pod in namespace.list("pods")
        ],
    )


def _endpoints(slices: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the ready pods, or addresses, of each Service."""
    endpoints: dict[str, list[str]] = {}
    for item in slices:
        service = item["metadata"].get("labels", {}).get("kubernetes.io/service-name", "")
        for endpoint in item.get("endpoints") or ():
            if endpoint.get("conditions", {}).get("ready"):
                target = (endpoint.get("targetRef") or {}).get("name", endpoint["addresses"][0])
                endpoints.setdefault(service, []).append(target)
    return endpoints


def _own_labels(pod: dict[str, Any]) -> dict[str, str]:
    labels = pod["metadata"].get("labels", {})
    return {key: value for key, value in labels.items() if key != "pod-template-hash"}


def _settled(facts: NamespaceMap) -> bool:
    """Return whether each Service has all the ready pods that it chooses: its endpoints come a little later."""
    return all(
        set(service.pods)
        == {
            pod.name
            for pod in facts.pods
            if pod.ready and service.selector.items() <= pod.labels.items()
        }
        for service in facts.services
        if service.selector
    )


def _routes(ingress: dict[str, Any]) -> Iterator[Route]:
    for rule in ingress["spec"].get("rules", ()):
        for path in rule.get("http", {}).get("paths", ()):
            if "service" in path["backend"]:
                yield Route(
                    ingress["metadata"]["name"],
                    rule.get("host", "*"),
                    path.get("path", "/"),
                    path["backend"]["service"]["name"],
                )
