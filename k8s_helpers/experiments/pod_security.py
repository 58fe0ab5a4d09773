"""Pod Security admission: what each level refuses, and how it says so."""

from __future__ import annotations

from typing import Any

from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster, admission
from ..recording import Recording
from .play import Play, opened

FOLDER = "15_pour_aller_plus_loin"
_PODS = ("privilegie", "ordinaire", "durci")
_REFUSED_TIMEOUT_S = 30.0


@stoppable
def pod_security(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Ask for three pods under each level of the Pod Security Standards, then for a Deployment under the strictest.

    The pods are asked for with `dryRun`: admission judges them, and none starts.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The Deployment's ReplicaSet does not say that its pods are refused.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
    """
    with (
        opened("pod_security", FOLDER, cluster, progress) as show,
        show.play("niveaux", "Pod Security") as play,
    ):
        with play.recorded():
            for who, levels in (
                ("Sans étiquette", {}),
                ("enforce: baseline", {"enforce": "baseline"}),
                ("warn: restricted", {"warn": "restricted"}),
                ("enforce: restricted", {"enforce": "restricted"}),
            ):
                play.step(who)
                admission.set_levels(show.cluster.api, play.namespace.name, **levels)
                for name in _PODS:
                    _ask(show.cluster, play, who, name)
            play.step("un Deployment sous « restricted »")
            _deploy(play, "enforce: restricted")
        return show.recording()


def _ask(cluster: Cluster, play: Play, who: str, name: str) -> None:
    (pod,) = play.read(f"pod-{name}.yaml")
    taken, said = admission.judge(cluster.api, play.namespace.name, pod)
    answer = ("averti" if said else "accepté") if taken else "refusé"
    play.attempt(who, f"pod {name}", taken, answer, said)


def _deploy(play: Play, who: str) -> None:
    """Note that a Deployment is taken, and what becomes of its pods."""
    (applied,) = play.apply("deployment-ordinaire.yaml")
    name = applied["metadata"]["name"]
    play.attempt(who, "Deployment ordinaire", True, "accepté", "l’API ne juge que des pods")
    said: list[str] = []

    def refused() -> bool:
        said[:] = [text for one in play.namespace.list("replicaset") if (text := _failure(one))]
        return bool(said)

    play.until(refused, _REFUSED_TIMEOUT_S, "le ReplicaSet dit que ses pods sont refusés")
    ready = play.namespace.get("deployment", name).get("status", {}).get("readyReplicas", 0)
    answer = f"{ready} pod"
    play.attempt("Son ReplicaSet", "créer le pod demandé", False, answer, said[0])


def _failure(replica_set: dict[str, Any]) -> str:
    """Return why a ReplicaSet cannot make its pods; "" where it can."""
    conditions = replica_set.get("status", {}).get("conditions", ())
    return next((one["message"] for one in conditions if one["type"] == "ReplicaFailure"), "")
