"""What requests, limits and quotas make of pods (slides 4.02 to 4.04): classes, Pending, refusals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .. import manifests
from .._api import ApiStatusError
from .._errors import WaitTimeoutError
from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..cluster.conditions import unschedulable
from ..forecasts.qos import qos_class
from ..recording import Recording
from .play import MANIFESTS, Play, opened

FOLDER = "08_ressources"
_SCHEDULED_S = 30.0
"""How long the scheduler may take to say where a pod goes, or why nowhere."""
_POLL_S = 0.2


@stoppable
def qos(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Make pods with all kinds of requests and limits, and read the class that the API server gave each.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).
    """
    with opened("qos", FOLDER, cluster, progress) as show:
        with show.play("qos", "Classes de service") as play, play.recorded():
            play.step("création des pods")
            expected = {
                found.object["metadata"]["name"]: qos_class(found.object)
                for found in manifests.read(MANIFESTS / FOLDER / "qos.yaml")
            }
            play.parameters["pods"] = [
                {
                    "name": pod["metadata"]["name"],
                    "containers": [_resources(one) for one in pod["spec"]["containers"]],
                    "expected": expected[pod["metadata"]["name"]],
                    "found": pod["status"]["qosClass"],
                }
                for pod in play.apply("qos.yaml")
            ]
        return show.recording()


@stoppable
def pending(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Ask for more than any node has, then for little, and record what the scheduler says.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The scheduler does not say anything in 30 s.
    """
    with opened("pending", FOLDER, cluster, progress) as show:
        nodes = [node["status"]["allocatable"] for node in show.cluster.nodes()]
        offered = [{name: node[name] for name in ("cpu", "memory")} for node in nodes]
        for index, name in enumerate(("trop-de-cpu", "trop-de-memoire", "raisonnable")):
            with show.play(name, name, index / 3) as play, play.recorded(events=True):
                play.step("création du pod")
                play.mark("apply", f"{name}.yaml")
                (pod,) = play.apply(f"{name}.yaml")
                decided = _decision(play, name)
                play.mark("decided", decided["state"])
                play.parameters |= {
                    "asked": _resources(pod["spec"]["containers"][0])["requests"],
                    "nodes": offered,
                    **decided,
                }
        return show.recording()


def _decision(play: Play, name: str) -> dict[str, str]:
    """Wait until the scheduler has decided; return the pod's state and what was said."""
    end_s = time.monotonic() + _SCHEDULED_S
    while time.monotonic() < end_s:
        pod = play.namespace.get("pod", name)
        if node := pod["spec"].get("nodeName"):
            return {"state": "placé", "reason": "", "message": node}
        if message := unschedulable(pod):
            return {"state": pod["status"]["phase"], "reason": "Unschedulable", "message": message}
        play.pause(_POLL_S)
    raise WaitTimeoutError(
        f"Attendre que l’ordonnanceur place « {name} »",
        f"il n’a rien dit en {_SCHEDULED_S:.0f} s",
        "Regardez si kube-scheduler tourne : « kubectl get pods -n kube-system », puis relancez.",
    )


@stoppable
def quota(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Fill the slide's quota with pods until one is refused, then show why a LimitRange goes with it.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).
    """
    with opened("quota", FOLDER, cluster, progress) as show:
        with show.play("quota", "Quota", 0.0) as play, play.recorded(events=True):
            _under_quota(play)
            for number in range(1, 6):
                play.step(f"pod n° {number}")
                _try(play, "pod-du-quota.yaml", f"pod-{number}")
        with (
            show.play("sans-requests", "Pod qui ne demande rien", 0.5) as play,
            play.recorded(events=True),
        ):
            _under_quota(play)
            _try(play, "pod-sans-ressources.yaml", "muet")
        with show.play("limitrange", "LimitRange", 0.75) as play, play.recorded(events=True):
            _under_quota(play)
            play.apply("limitrange.yaml")
            _settle(play, lambda: bool(play.namespace.list("limitranges")))
            _try(play, "pod-sans-ressources.yaml", "muet")
            _try(play, "pod-trop-grand.yaml", "geant")
        return show.recording()


def _under_quota(play: Play) -> None:
    """Apply the quota and wait until the controller counts under it: before that, all is refused or nothing."""
    (applied,) = play.apply("quota.yaml")
    play.parameters |= {"hard": applied["spec"]["hard"], "steps": []}
    name = applied["metadata"]["name"]
    _settle(play, lambda: "used" in play.namespace.get("resourcequota", name).get("status", {}))


def _settle(play: Play, over: Any) -> None:
    play.until(over, _SCHEDULED_S, "que le quota soit compté")


def _try(play: Play, manifest: str, name: str) -> None:
    """Create a pod; note the answer, and what of the quota is used after it."""

    def renamed(plain: dict[str, Any]) -> None:
        plain["metadata"]["name"] = name

    play.mark("apply", name)
    (found,) = manifests.read(MANIFESTS / FOLDER / manifest)
    asked = _resources(found.object["spec"]["containers"][0])
    step: dict[str, Any] = {
        "pod": name,
        "asked": asked,
        "accepted": True,
        "message": "",
        "explained": "",
    }
    try:
        (pod,) = play.apply(manifest, renamed)
        step["given"] = _resources(pod["spec"]["containers"][0])
    except ApiStatusError as error:
        if error.code != 403:
            raise
        said = str(error.status.get("message", error.found))
        step |= {"accepted": False, "message": said, "explained": error.found}
    (counted,) = play.namespace.list("resourcequotas")
    step["used"] = counted["status"]["used"]
    play.parameters["steps"] = [*play.parameters["steps"], step]


def _resources(container: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found = container.get("resources") or {}
    return {kind: dict(found.get(kind) or {}) for kind in ("requests", "limits")}
