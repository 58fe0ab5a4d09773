"""A namespace as a map: which request goes to which Service, and on to which pods."""

from __future__ import annotations

from typing import Any

from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster, Namespace, current_cluster
from ..cluster.conditions import ready
from ..recording import Recording
from .play import opened
from .snapshots import snapshot

_SETTLED_TIMEOUT_S = 30.0


@stoppable
def live_map(
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
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The example's pods do not become ready.
    """
    cluster = cluster or current_cluster()
    if namespace is not None:
        return snapshot("live_map", cluster, read(namespace))
    folder = "05_etiquettes_et_annotations"
    with (
        opened("live_map", folder, cluster, progress, versions=("v1", "v2")) as show,
        show.play("carte", "carte d’un espace de noms") as play,
    ):
        play.deploy("carte.yaml")
        play.until(
            lambda: _settled(read(play.namespace)), _SETTLED_TIMEOUT_S, "les adresses des Services"
        )
        return snapshot("live_map", cluster, read(play.namespace))


def read(namespace: Namespace) -> dict[str, Any]:
    """Return what a map of a namespace is drawn from, as plain values."""
    pods = namespace.list("pods")
    endpoints: dict[str, list[str]] = {}
    for one in namespace.list("endpointslices"):
        service = one["metadata"].get("labels", {}).get("kubernetes.io/service-name", "")
        for endpoint in one.get("endpoints") or ():
            if endpoint.get("conditions", {}).get("ready"):
                target = (endpoint.get("targetRef") or {}).get("name", endpoint["addresses"][0])
                endpoints.setdefault(service, []).append(target)
    return {
        "namespace": namespace.name,
        "routes": [route for one in namespace.list("ingresses") for route in _routes(one)],
        "services": [
            {
                "name": one["metadata"]["name"],
                "type": one["spec"]["type"],
                "selector": one["spec"].get("selector") or {},
                "pods": sorted(endpoints.get(one["metadata"]["name"], [])),
            }
            for one in namespace.list("services")
        ],
        "pods": [
            {
                "name": one["metadata"]["name"],
                "ready": ready(one),
                "labels": {
                    key: value
                    for key, value in one["metadata"].get("labels", {}).items()
                    if key != "pod-template-hash"
                },
            }
            for one in pods
        ],
    }


def _settled(found: dict[str, Any]) -> bool:
    """Return whether each Service has all the ready pods that it chooses: its endpoints come a little later."""
    return all(
        set(one["pods"])
        == {
            pod["name"]
            for pod in found["pods"]
            if pod["ready"] and one["selector"].items() <= pod["labels"].items()
        }
        for one in found["services"]
        if one["selector"]
    )


def _routes(ingress: dict[str, Any]) -> list[dict[str, str]]:
    """Return each rule of an Ingress: from where to which Service."""
    return [
        {
            "ingress": ingress["metadata"]["name"],
            "host": rule.get("host", "*"),
            "path": path.get("path", "/"),
            "service": path["backend"]["service"]["name"],
        }
        for rule in ingress["spec"].get("rules", ())
        for path in rule.get("http", {}).get("paths", ())
        if "service" in path["backend"]
    ]
