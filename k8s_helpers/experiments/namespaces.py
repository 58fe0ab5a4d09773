"""Two namespaces with the same names in them: what each keeps to itself, and what it does not."""

from __future__ import annotations

from typing import Any

from .._api import ApiStatusError
from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..recording import Recording
from .in_pod import fetch, wait_name
from .play import Play, opened

FOLDER = "03_espaces_de_noms_et_pods"
A, B = "equipe-a", "equipe-b"
_QUOTA_TIMEOUT_S = 30.0


@stoppable
def namespaces(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Put the same names into two namespaces, then try to cross from one to the other.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        A program does not get ready.
    """
    with (
        opened("namespaces", FOLDER, cluster, progress, versions=("v1", "v2")) as show,
        show.play(A, "Deux équipes") as one,
        show.play(B, "Deux équipes") as other,
    ):
        one.deploy("vitrine.yaml")
        other.deploy("vitrine.yaml", change=_second_version(other))
        one.apply("compte.yaml")
        one.apply("quota.yaml")
        with one.recorded():
            one.step("noms et réseau")
            _names(one, other)
            one.step("droits")
            _rights(show.cluster, one, other)
            one.step("quota")
            _quota(show.cluster, one, one, A)
            _quota(show.cluster, one, other, B)
        return show.recording()


def _second_version(play: Play) -> Any:
    """Return what gives the Deployment the image v2."""

    def change(plain: dict[str, Any]) -> None:
        if plain["kind"] == "Deployment":
            template = plain["spec"]["template"]
            template["spec"]["containers"][0]["image"] = play.ref("v2")
            template["metadata"]["labels"]["version"] = "v2"

    return change


def _names(one: Play, other: Play) -> None:
    """Call from a pod of the first team: by the same name, across by name, across by address."""
    pod = one.pods()[0]["metadata"]["name"]
    address = other.pods()[0]["status"]["podIP"]
    names = ("http://vitrine", f"http://vitrine.{other.namespace.name}")
    for url in names:
        wait_name(one, pod, url)
    who = f"Pod de {A}"
    words = ("http://vitrine", f"http://vitrine.{B}", f"adresse d’un pod de {B}")
    for what, url in zip(words, (*names, f"http://{address}:8080"), strict=True):
        version, detail = fetch(one.namespace, pod, url)
        one.attempt(who, what, version is not None, version or "rien", f"{url} : {detail}")


def _rights(cluster: Cluster, one: Play, other: Play) -> None:
    """List the pods of both teams with an account of the first one."""
    team = cluster.api.acting_as(f"system:serviceaccount:{one.namespace.name}:equipe")
    for name, place in ((A, one), (B, other)):
        who, what = f"Compte de {A} (Role dans {A})", f"lister les pods de {name}"
        try:
            found = team.request("GET", place.namespace.path("pod"))["items"]
        except ApiStatusError as error:
            one.attempt(who, what, False, str(error.code), str(error.status.get("message", "")))
        else:
            one.attempt(
                who, what, True, "lus", ", ".join(item["metadata"]["name"] for item in found)
            )


def _quota(cluster: Cluster, one: Play, place: Play, name: str) -> None:
    """Ask for one more pod, without making it: admission, and so the quota, is asked all the same."""
    (pod,) = place.read("un-de-plus.yaml")
    if place is one:
        used = lambda quota: quota.get("status", {}).get("used", {}).get("pods") == "1"  # noqa: E731
        one.in_background(lambda: one.namespace.wait("quota", "un-pod", used, _QUOTA_TIMEOUT_S))
    who, what = f"Quota d’un pod dans {A}", f"un pod de plus dans {name}"
    try:
        cluster.api.request("POST", place.namespace.path("pod"), query={"dryRun": "All"}, body=pod)
    except ApiStatusError as error:
        one.attempt(who, what, False, str(error.code), str(error.status.get("message", "")))
    else:
        one.attempt(who, what, True, "accepté")
