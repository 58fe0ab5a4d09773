"""How a program finds a Service: by its name, and by variables that only pods created after it have."""

from __future__ import annotations

from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..recording import Recording
from .in_pod import fetch, variable, wait_name
from .play import Play, opened

FOLDER = "02_architecture"
VARIABLE = "VITRINE_SERVICE_HOST"
_POD_TIMEOUT_S = 60.0


@stoppable
def discovery(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Create a pod before a Service and two after it, and record how each of them finds the Service.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        A pod does not get ready, or the Service's name never answers.

    Source: https://kubernetes.io/docs/concepts/services-networking/service/#discovering-services
    """
    with (
        opened("discovery", FOLDER, cluster, progress) as show,
        show.play("service", "Trouver un Service") as play,
    ):
        with play.recorded():
            _client(play, "avant")
            play.step("création du Service")
            play.mark("service")
            play.deploy("vitrine.yaml")
            _client(play, "apres")
            _client(play, "sans-variables")
            play.step("chaque pod cherche le Service")
            wait_name(play, "avant", "http://vitrine")
            who = {
                "avant": "Pod créé avant le Service",
                "apres": "Pod créé après le Service",
                "sans-variables": "Pod créé après, enableServiceLinks: false",
            }
            for pod, words in who.items():
                _look(play, words, pod)
        return show.recording()


def _client(play: Play, name: str) -> None:
    play.step(f"pod « {name} »")
    play.apply(f"client-{name}.yaml")
    play.in_background(lambda: play.namespace.wait("pod", name, "Ready", _POD_TIMEOUT_S))


def _look(play: Play, who: str, pod: str) -> None:
    """Note what a pod knows of the Service."""
    found = variable(play.namespace, pod, VARIABLE)
    answer = "absente" if found is None else "présente"
    play.attempt(who, f"variable {VARIABLE}", found is not None, answer, found or "")
    _call(play, who, pod, "par le nom (http://vitrine)", "http://vitrine")
    full = f"http://vitrine.{play.namespace.name}.svc.cluster.local"
    _call(play, who, pod, "par le nom complet (….svc.cluster.local)", full)


def _call(play: Play, who: str, pod: str, what: str, url: str) -> None:
    version, detail = fetch(play.namespace, pod, url)
    play.attempt(who, what, version is not None, version or "rien", f"{url} : {detail}")
