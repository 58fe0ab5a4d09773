"""One label of a running pod is changed: its Service and its ReplicaSet let go of it."""

from __future__ import annotations

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.relabel import relabel as draw
from ..cluster import Cluster
from ..recording import Recording
from .play import APP, Play, opened, with_replicas

BEFORE_S = 2.0
AFTER_S = 3.0
ASIDE = "isolee"
"""What the label `app` becomes."""


@stoppable
def relabel(
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    rate_per_s: float = 30.0,
    progress: Progress | None = None,
) -> Recording:
    """Relabel one pod of a Deployment under traffic, as `kubectl label --overwrite` does.

    It leaves its Service, its ReplicaSet makes another one in its place, and it goes on running, owned by nobody: the
    way to take a pod aside and look at it.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    replicas : int
        Pods of the Deployment, 2 to 6.
    rate_per_s : float
        Requests per second, 1 to 200.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        A number out of its bounds.
    WaitTimeoutError
        No other pod gets ready.
    """
    if not (2 <= replicas <= 6 and 1 <= rate_per_s <= 200):
        raise UsageError(
            "Changer l’étiquette d’un pod",
            f"{replicas} réplicas, {rate_per_s} requêtes par seconde",
            "Donnez 2 à 6 réplicas et 1 à 200 requêtes par seconde.",
        )
    folder = "05_etiquettes_et_annotations"
    with opened("relabel", folder, cluster, progress, draw=draw) as show:
        with show.play("relabel", "étiquette d’un pod", replicas=replicas) as play:
            play.deploy("deployment.yaml", "service.yaml", change=with_replicas(replicas))
            _choose(play)
            with play.recorded("vitrine", rate_per_s):
                play.step("trafic avant le changement")
                play.pause(BEFORE_S)
                _take_aside(play, replicas)
                play.pause(AFTER_S)
                _look(play)
        return show.recording()


def _choose(play: Play) -> None:
    """Note which pod will be taken aside: the chart that follows the traffic wants to know from the first second."""
    pod = play.pods()[0]
    name = pod["metadata"]["name"]
    play.parameters |= {"pod": name, "service": APP, "owner_before": _owner(pod)}


def _take_aside(play: Play, replicas: int) -> None:
    name = play.parameters["pod"]
    play.step(f"kubectl label pod {name} app={ASIDE} --overwrite")
    play.mark("label", name)
    play.namespace.patch("pod", name, {"metadata": {"labels": {"app": ASIDE}}})
    play.wait_pods(replicas)
    play.mark("replaced")


def _look(play: Play) -> None:
    """Note what has become of the pod that was taken aside."""
    pod = play.namespace.get("pod", play.parameters["pod"])
    play.parameters |= {"owner_after": _owner(pod), "phase_after": pod["status"]["phase"]}


def _owner(pod: dict[str, object]) -> str | None:
    metadata = pod["metadata"]
    assert isinstance(metadata, dict)
    owners = metadata.get("ownerReferences") or ()
    return next((f"{one['kind']}/{one['name']}" for one in owners), None)
