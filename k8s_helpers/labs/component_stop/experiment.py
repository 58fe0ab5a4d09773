"""A component of the control plane is stopped, something is asked for, and it is started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..._checks import bounds, names
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import APP, Lane, with_replicas
from ...measure.recording import Recording
from .codes import StopMark, StoppedComponent
from .lab import LAB

BEFORE_S = 2.0
AFTER_S = 2.0
_REPLICAS = 3


@stoppable
def measure(
    components: str | Sequence[str] = tuple(StoppedComponent),
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
    cluster
        Otherwise the one that `connect` returned.
    stopped_s : float
        How long nothing is done while the component is away, in seconds; 1 to 60.
    rate_per_s : float
        Requests per second, 1 to 200.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown component, or a number out of its bounds.
    PlatformError
        The cluster's control plane is not ours to stop.
    WaitTimeoutError
        What was missed is not caught up.
    """
    asked = [components] if isinstance(components, str) else components
    names("Arrêter un composant du plan de contrôle", "composants", asked, PARTS, feminine=False)
    bounds(
        "Arrêter un composant du plan de contrôle",
        (stopped_s, 1, 60, "s d’arrêt"),
        (rate_per_s, 1, 200, "requêtes par seconde"),
    )
    with LAB.open(cluster, progress) as measure:
        for number, name in enumerate(asked):
            part = PARTS[name]
            parameters = {"component": part.program, "stopped_s": stopped_s, "replicas": _REPLICAS}
            measure.share = number / len(asked)
            with measure.lane(name, f"arrêt de {part.program}", parameters) as lane:
                lane.deploy("deployment.yaml", "service.yaml", change=with_replicas(part.replicas))
                with lane.recorded("vitrine", rate_per_s):
                    lane.pause(BEFORE_S)
                    with _stopped(lane, part.program):
                        part.ask(lane)
                        lane.step(f"{part.program} est arrêté")
                        lane.pause(stopped_s)
                    lane.step("rattrapage")
                    lane.wait_pods(_REPLICAS)
                    lane.mark(StopMark.COMPLETE)
                    lane.wait_answers()
                    lane.pause(AFTER_S)
        return measure.recording()


@contextmanager
def _stopped(lane: Lane, program: str) -> Iterator[None]:
    """Keep a component stopped meanwhile; it is started again however this ends."""
    provider = lane.measure.cluster.provider
    lane.step(f"arrêt de {program}")
    lane.stopped_components.add(program)
    try:
        provider.stop_component(program)
        lane.mark(StopMark.STOP, program)
        yield
        lane.step(f"redémarrage de {program}")
        lane.mark(StopMark.START, program)
    finally:
        provider.start_component(program)


def _scale_up(lane: Lane) -> None:
    lane.mark(StopMark.SCALE, str(_REPLICAS))
    lane.namespace.scale("deployment", APP, _REPLICAS)


def _delete_pod(lane: Lane) -> None:
    pod = lane.pods()[0]["metadata"]["name"]
    lane.parameters["pod"] = pod
    lane.mark(StopMark.DELETE, pod)
    lane.namespace.delete_object("pod", pod)


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
    ask: Callable[[Lane], None]


PARTS: Mapping[str, Part] = {
    StoppedComponent.SCHEDULER: Part("kube-scheduler", 1, _scale_up),
    StoppedComponent.CONTROLLER_MANAGER: Part("kube-controller-manager", _REPLICAS, _delete_pod),
}
"""By name, in the order in which the course shows them."""
