"""Two namespaces with the same names in them: what each keeps to itself, and what it does not."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, Namespace
from ...kube.api import ApiSession, ApiStatusError
from ...measure.in_pod import try_to_fetch, wait_name
from ...measure.lane import Lane
from ...measure.recording import Recording
from .codes import Outcome, What, Who
from .lab import LAB

A, B = "equipe-a", "equipe-b"
_QUOTA_TIMEOUT_S = 30.0


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Put the same names into two namespaces, then try to cross from one to the other.

    Parameters
    ----------
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        A program does not get ready.
    """
    with (
        LAB.open(cluster, progress, versions=("v1", "v2"), live=False) as measure,
        measure.lane(A, "Deux équipes") as team_a,
        measure.lane(B, "Deux équipes") as team_b,
    ):
        team_a.deploy("vitrine.yaml")
        team_b.deploy("vitrine.yaml", change=partial(_second_version, team_b))
        team_a.apply("compte.yaml")
        team_a.apply("quota.yaml")
        with team_a.recorded():
            team_a.step("noms et réseau")
            _call(team_a, team_b)
            team_a.step("droits")
            account = f"system:serviceaccount:{team_a.namespace.name}:equipe"
            api = measure.cluster.api.acting_as(account)
            _list(team_a, What.PODS_OF_A, api, team_a.namespace)
            _list(team_a, What.PODS_OF_B, api, team_b.namespace)
            team_a.step("quota")
            team_a.in_background(
                lambda: team_a.namespace.wait("quota", "un-pod", _full, _QUOTA_TIMEOUT_S)
            )
            _create(team_a, What.POD_IN_A, measure.cluster.api, team_a.namespace)
            _create(team_a, What.POD_IN_B, measure.cluster.api, team_b.namespace)
        return measure.recording()


def _second_version(lane: Lane, plain: dict[str, Any]) -> None:
    """Give the Deployment the image v2."""
    if plain["kind"] == "Deployment":
        template = plain["spec"]["template"]
        template["spec"]["containers"][0]["image"] = lane.image("v2")
        template["metadata"]["labels"]["version"] = "v2"


def _call(team_a: Lane, team_b: Lane) -> None:
    """Call from a pod of the first team: by the same name, across by name, across by address."""
    pod = team_a.pods()[0]["metadata"]["name"]
    address = team_b.pods()[0]["status"]["podIP"]
    urls = {What.NAME: "http://vitrine", What.NAME_IN_B: f"http://vitrine.{team_b.namespace.name}"}
    for url in urls.values():
        wait_name(team_a, pod, url)
    for what, url in {**urls, What.ADDRESS_IN_B: f"http://{address}:8080"}.items():
        try_to_fetch(team_a, Who.POD, what, pod, url)


def _list(lane: Lane, what: What, api: ApiSession, namespace: Namespace) -> None:
    """List a namespace's pods with an account of the first team."""
    try:
        pods = api.request("GET", namespace.path("pod"))["items"]
    except ApiStatusError as error:
        lane.refused(Who.ACCOUNT, what, error)
    else:
        names = ", ".join(pod["metadata"]["name"] for pod in pods)
        lane.attempt(Who.ACCOUNT, what, True, Outcome.LISTED, names)


def _create(lane: Lane, what: What, api: ApiSession, namespace: Namespace) -> None:
    """Ask for one more pod, without making it: admission, and so the quota, is asked all the same."""
    (pod,) = lane.read("un-de-plus.yaml")
    try:
        api.request("POST", namespace.path("pod"), query={"dryRun": "All"}, body=pod)
    except ApiStatusError as error:
        lane.refused(Who.QUOTA, what, error)
    else:
        lane.attempt(Who.QUOTA, what, True, Outcome.CREATED)


def _full(quota: dict[str, Any]) -> bool:
    return bool(quota.get("status", {}).get("used", {}).get("pods") == "1")
