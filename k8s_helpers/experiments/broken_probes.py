"""A readiness probe, then a liveness probe, that begin to fail in a pod under traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .. import manifests
from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.broken_probes import broken_probes as draw
from ..cluster import Cluster
from ..cluster.conditions import restarted
from ..forecasts.probe_spec import KINDS, ProbeKind, container_of, probes_of
from ..recording import Recording
from .in_pod import post
from .play import MANIFESTS, Play, Show, opened
from .together import together

BEFORE_S = 2.0
AFTER_S = 2.0
_TIMEOUT_S = 60.0
_SWITCHES: Mapping[str, str] = {"readiness": "ready", "liveness": "live"}
"""What each probe asks of the vitrine, as its `/admin` addresses call it."""


@stoppable
def broken_probes(
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
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown probe, or a rate out of its bounds.
    WaitTimeoutError
        A consequence that does not come.
    """
    if isinstance(probes, str) or not probes or set(probes) - set(_SWITCHES):
        raise UsageError(
            "Casser des sondes",
            f"les sondes demandées sont {probes!r}",
            f"Donnez une liste de sondes, parmi : {', '.join(_SWITCHES)}.",
        )
    if not 1 <= rate_per_s <= 200:
        raise UsageError(
            "Casser des sondes",
            f"{rate_per_s} requêtes par seconde",
            "Donnez 1 à 200 requêtes par seconde.",
        )
    with opened("broken_probes", "10_sondes", cluster, progress, draw=draw) as show:
        kinds = [kind for name in probes for kind in KINDS if kind == name]
        together(show, {kind: partial(_play, show, kind, rate_per_s) for kind in kinds})
        return show.recording()


def _play(show: Show, kind: ProbeKind, rate_per_s: float) -> None:
    with show.play(kind, f"La {kind} se casse", predicted_s=_foreseen(kind)) as play:
        play.deploy("vitrine.yaml")
        with play.recorded("vitrine", rate_per_s, events=True):
            _break(play, kind)


def _foreseen(kind: ProbeKind) -> list[float]:
    """Return when failures enough in a row come after a break, long after the initial delay."""
    found = manifests.read(MANIFESTS / "10_sondes" / "vitrine.yaml")[0].object
    return probes_of(container_of(found))[kind].fails_after(0.0).to_plain()


def _break(play: Play, kind: ProbeKind) -> None:
    pod = play.pods()[0]["metadata"]["name"]
    play.pause(BEFORE_S)
    play.step("la sonde se casse")
    play.mark("break", pod)
    _switch(play, pod, kind, "off")
    if kind == "readiness":
        _await(play, pod, lambda found: not _status(found)["ready"])
        play.pause(AFTER_S)
        play.step("réparation")
        play.mark("repair", pod)
        _switch(play, pod, kind, "on")
        _await(play, pod, lambda found: _status(found)["ready"])
    else:
        _await(play, pod, restarted)
    play.wait_answers()
    play.pause(AFTER_S)


def _switch(play: Play, pod: str, kind: ProbeKind, way: str) -> None:
    post(play.namespace, pod, f"/admin/{_SWITCHES[kind]}/{way}")


def _await(play: Play, pod: str, test: Any) -> None:
    play.in_background(
        lambda: play.namespace.wait("pod", pod, lambda found: bool(test(found)), _TIMEOUT_S)
    )


def _status(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = pod["status"]["containerStatuses"][0]
    return found
