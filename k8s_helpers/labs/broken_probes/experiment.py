"""A readiness probe, then a liveness probe, that begin to fail in a pod under traffic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ... import _checks
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...cluster.conditions import ready, restarted
from ...forecasts.probe_spec import KINDS, ProbeKind, container_of, probes_of
from ...measure.in_pod import post
from ...measure.lane import Lane
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import APP, BreakMark
from .lab import LAB
from .words import title

BEFORE_S = 2.0
AFTER_S = 2.0
_TIMEOUT_S = 60.0
_SWITCHES: Mapping[str, str] = {"readiness": "ready", "liveness": "live"}
"""What each probe asks of the vitrine, as its `/admin` addresses call it."""


@stoppable
def measure(
    probes: Sequence[str] = ("readiness", "liveness"),
    *,
    rate_per_s: float = 20.0,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Break a probe of one of two pods of the vitrine under traffic, and record what follows.

    A broken readiness takes the pod out of its Service and leaves its container alone, until it is repaired; a broken
    liveness has the container restarted, which repairs it. Both break at the same time, in namespaces of their own.
    Runs hold `predicted_s`: when the kubelet must draw the consequence, in seconds after the break.

    Parameters
    ----------
    probes : sequence of str
        Among "readiness", "liveness"; runs come in this order.
    rate_per_s : float
        Requests per second, 1 to 200.
    cluster, progress : optional
        Otherwise those in use.

    Raises
    ------
    UsageError
        An unknown probe, or a rate out of its bounds.
    WaitTimeoutError
        A consequence that does not come.
    """
    tried = "Casser des sondes"
    _checks.names(tried, "sondes", probes, _SWITCHES)
    _checks.bounds(tried, (rate_per_s, 1, 200, "requêtes par seconde"))
    with LAB.open(cluster, progress) as measure:
        kinds = [kind for name in probes for kind in KINDS if kind == name]
        measure.together({kind: partial(_measure, measure, kind, rate_per_s) for kind in kinds})
        return measure.recording()


def _measure(measure: Measure, kind: ProbeKind, rate_per_s: float) -> None:
    with measure.lane(kind, title(kind)) as lane:
        (deployment,) = (
            plain for plain in lane.deploy("vitrine.yaml") if plain["kind"] == "Deployment"
        )
        # When failures enough in a row come after a break, long after the initial delay.
        probe = probes_of(container_of(deployment))[kind]
        lane.parameters["predicted_s"] = probe.fails_after(0.0).to_plain()
        with lane.recorded(APP, rate_per_s, events=True):
            _break(lane, kind)


def _break(lane: Lane, kind: ProbeKind) -> None:
    pod = lane.pods()[0]["metadata"]["name"]
    lane.pause(BEFORE_S)
    lane.step("la sonde se casse")
    lane.mark(BreakMark.BREAK, pod)
    _switch(lane, pod, kind, "off")
    if kind == "readiness":
        _await(lane, pod, lambda plain: not ready(plain))
        lane.pause(AFTER_S)
        lane.step("réparation")
        lane.mark(BreakMark.REPAIR, pod)
        _switch(lane, pod, kind, "on")
        _await(lane, pod, ready)
    else:
        _await(lane, pod, restarted)
    lane.wait_answers()
    lane.pause(AFTER_S)


def _switch(lane: Lane, pod: str, kind: ProbeKind, way: str) -> None:
    post(lane.namespace, pod, f"/admin/{_SWITCHES[kind]}/{way}")


def _await(lane: Lane, pod: str, test: Callable[[Mapping[str, Any]], bool]) -> None:
    lane.in_background(lambda: lane.namespace.wait("pod", pod, test, _TIMEOUT_S))
