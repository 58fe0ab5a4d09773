"""How a program finds a Service: by its name, and by variables that only pods created after it have."""

from __future__ import annotations

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.in_pod import try_to_fetch, variable, wait_name
from ...measure.lane import Lane
from ...measure.recording import Recording
from .codes import Outcome, What, Who
from .lab import LAB

PODS = {Who.BEFORE: "avant", Who.AFTER: "apres", Who.NO_LINKS: "sans-variables"}
VARIABLE = "VITRINE_SERVICE_HOST"
SHORT_URL = "http://vitrine"
_POD_TIMEOUT_S = 60.0


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Create a pod before a Service and two after it, and record how each of them finds the Service.

    Parameters
    ----------
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        A pod does not get ready, or the Service's name never answers.

    Source: https://kubernetes.io/docs/concepts/services-networking/service/#discovering-services
    """
    with (
        LAB.open(cluster, progress, live=False) as measure,
        measure.lane("service", "Trouver un Service") as lane,
    ):
        with lane.recorded():
            _start(lane, Who.BEFORE)
            lane.step("création du Service")
            lane.mark("service")
            lane.deploy("vitrine.yaml")
            _start(lane, Who.AFTER)
            _start(lane, Who.NO_LINKS)
            lane.step("chaque pod cherche le Service")
            wait_name(lane, PODS[Who.BEFORE], SHORT_URL)
            for who in PODS:
                _look(lane, who)
        return measure.recording()


def _start(lane: Lane, who: Who) -> None:
    pod = PODS[who]
    lane.step(f"pod « {pod} »")
    lane.apply(f"client-{pod}.yaml")
    lane.in_background(lambda: lane.namespace.wait("pod", pod, "Ready", _POD_TIMEOUT_S))


def _look(lane: Lane, who: Who) -> None:
    """Note what a pod knows of the Service."""
    address = variable(lane.namespace, PODS[who], VARIABLE)
    if address is None:
        lane.attempt(who, What.VARIABLE, False, Outcome.ABSENT)
    else:
        lane.attempt(who, What.VARIABLE, True, Outcome.PRESENT, address)
    full_url = f"{SHORT_URL}.{lane.namespace.name}.svc.cluster.local"
    for what, url in ((What.NAME, SHORT_URL), (What.FULL_NAME, full_url)):
        try_to_fetch(lane, who, what, PODS[who], url)
