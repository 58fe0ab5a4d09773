"""A component of the control plane is stopped, something is asked for, and it is started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.component_stop import component_stop as draw
from ..cluster import Cluster, current_cluster
from ..recording import Recording
from . import fidelity
from .play import APP, Play, opened, with_replicas

BEFORE_S = 2.0
AFTER_S = 2.0
_REPLICAS = 3


@stoppable
def component_stop(
    components: str | Sequence[str] = ("scheduler", "controller-manager"),
    *,
    cluster: Cluster | None = None,
    stopped_s: float = 6.0,
    rate_per_s: float = 20.0,
    progress: Progress | None = None,
) -> Recording:
    """Stop a component of the control plane under traffic, see what stops working, start it again.

    Without scheduler a Deployment is scaled up: its new pods stay Pending. Without controller manager a pod is
    deleted: nobody replaces it, nor takes its address from the Service. Pods that run go on in both cases. The
    component is started again whatever happens, Ctrl-C included.

    Parameters
    ----------
    components : str or sequence of str
        "scheduler", "controller-manager", or both; runs come in this order.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    stopped_s : float
        How long nothing is done while the component is away, in seconds; 1 to 60.
    rate_per_s : float
        Requests per second, 1 to 200.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown component, or a number out of its bounds.
    PlatformError
        The cluster's control plane is not ours to stop.
    WaitTimeoutError
        What was missed is not caught up.
    """
    names = [components] if isinstance(components, str) else list(components)
    _check(names, stopped_s, rate_per_s)
    cluster = cluster or current_cluster()
    fidelity.require("component_stop", cluster)
    with opened("component_stop", "02_architecture", cluster, progress, draw=draw) as show:
        for number, name in enumerate(names):
            part = COMPONENTS[name]
            title = f"arrêt de {part.program}"
            parameters = {"component": part.program, "stopped_s": stopped_s, "replicas": _REPLICAS}
            with show.play(f"sans-{name}", title, number / len(names), **parameters) as play:
                play.name = name
                play.deploy("deployment.yaml", "service.yaml", change=with_replicas(part.replicas))
                with play.recorded("vitrine", rate_per_s):
                    play.pause(BEFORE_S)
                    with _stopped(play, show.cluster, part.program):
                        part.ask(play)
                        play.step(f"{part.program} est arrêté")
                        play.pause(stopped_s)
                    play.step("rattrapage")
                    play.wait_pods(_REPLICAS)
                    play.mark("complete")
                    play.wait_answers()
                    play.pause(AFTER_S)
        return show.recording()


@contextmanager
def _stopped(play: Play, cluster: Cluster, program: str) -> Iterator[None]:
    """Keep a component stopped meanwhile; it is started again however this ends."""
    provider = cluster.provider
    play.step(f"arrêt de {program}")
    play.asked.add(program)
    try:
        provider.stop_component(program)
        play.mark("stop", program)
        yield
        play.step(f"redémarrage de {program}")
        play.mark("start", program)
    finally:
        provider.start_component(program)


def _scale_up(play: Play) -> None:
    play.mark("scale", str(_REPLICAS))
    play.namespace.scale("deployment", APP, _REPLICAS)


def _delete_pod(play: Play) -> None:
    pod = play.pods()[0]["metadata"]["name"]
    play.parameters["pod"] = pod
    play.mark("delete", pod)
    play.namespace.delete_object("pod", pod)


@dataclass(frozen=True)
class Part:
    """A component that can be stopped.

    Attributes
    ----------
    program : str
        As providers call it.
    replicas : int
        Pods before it stops.
    ask : callable
        Does what needs it.
    """

    program: str
    replicas: int
    ask: Callable[[Play], None]


COMPONENTS: Mapping[str, Part] = {
    "scheduler": Part("kube-scheduler", 1, _scale_up),
    "controller-manager": Part("kube-controller-manager", _REPLICAS, _delete_pod),
}
"""By name, in the order in which the course shows them."""


def _check(names: Sequence[str], stopped_s: float, rate_per_s: float) -> None:
    if not names or any(name not in COMPONENTS for name in names):
        raise UsageError(
            "Arrêter un composant du plan de contrôle",
            f"les composants demandés sont {names!r}",
            f"Choisissez parmi : {', '.join(COMPONENTS)}.",
        )
    if not (1 <= stopped_s <= 60 and 1 <= rate_per_s <= 200):
        raise UsageError(
            "Arrêter un composant du plan de contrôle",
            f"{stopped_s} s d’arrêt, {rate_per_s} requêtes par seconde",
            "Donnez 1 à 60 s d’arrêt et 1 à 200 requêtes par seconde.",
        )
