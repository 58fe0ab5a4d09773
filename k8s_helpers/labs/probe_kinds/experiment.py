"""Four pods, four kinds of probes: what each of them sees of a failure, and what it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ... import _checks
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...cluster.conditions import restarted
from ...forecasts.probe_spec import Probe, container_of, probes_of
from ...kube import manifests
from ...measure.in_pod import post
from ...measure.lane import Lane
from ...measure.recording import Recording
from .codes import KindMark
from .lab import LAB
from .summary import pod_of

BEFORE_S = 2.0
AFTER_S = 2.0
_ROUND_S = 1.0
_TIMEOUT_S = 90.0

_BREAKS: Mapping[str, Callable[[Lane, str], object]] = {
    "http": lambda lane, pod: post(lane.namespace, pod, "/admin/live/off"),
    "tcp": lambda lane, pod: post(lane.namespace, pod, "/admin/grpc/off"),
    "exec": lambda lane, pod: lane.namespace.exec(pod, ["rm", "/tmp/en-forme"]),
    "grpc": lambda lane, pod: post(lane.namespace, pod, "/admin/live/off"),
}
"""What makes the probe of each kind fail."""
_SAME = ("http", "grpc")
"""Whom the program's own word breaks already."""


@stoppable
def measure(
    kinds: Sequence[str] = ("http", "tcp", "exec", "grpc"),
    *,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Ask one pod each by HTTP, TCP, a command and gRPC, and let them fail.

    First every program says that it is in trouble (HTTP 503, gRPC NOT_SERVING), all at the same time: the probes that
    ask it see it, those that look at a port or at a file do not. Then what these two look at goes too. Readiness and
    liveness of a pod ask the same; the liveness is more patient, so that a pod first leaves its Service and is then
    restarted, which repairs it. The run's `kinds` holds, for each, what is asked, and when the kubelet must draw each
    consequence, in seconds after the break.

    Parameters
    ----------
    kinds : sequence of str
        Among "http", "tcp", "exec", "grpc"; lanes come in this order.
    cluster, progress : optional
        Otherwise those in use.

    Raises
    ------
    UsageError
        An unknown kind, or none.
    WaitTimeoutError
        A consequence that does not come.
    """
    _checks.names("Comparer les genres de sondes", "genres", kinds, _BREAKS, feminine=False)
    with LAB.open(cluster, progress) as measure:
        asked = {kind: _foreseen(measure.folder / f"sonde-{kind}.yaml") for kind in kinds}
        with measure.lane("sondes", "Genres de sondes", {"kinds": asked}) as lane:
            lane.step("déploiement")
            for kind in kinds:
                lane.apply(f"sonde-{kind}.yaml")
            lane.wait_pods(len(kinds), "groupe=sondes")
            with lane.recorded(events=True):
                lane.pause(BEFORE_S)
                _fail(lane, kinds)
                _break(lane, [kind for kind in kinds if kind not in _SAME])
                lane.pause(AFTER_S)
        return measure.recording()


def _foreseen(manifest: Path) -> dict[str, Any]:
    """Return what a kind's manifest asks, and when the kubelet must act once that fails."""
    probes = probes_of(container_of(manifests.read(manifest)[0].object))
    return {
        "asks": _action(probes["readiness"]),
        "unready_s": probes["readiness"].fails_after(0.0).to_plain(),
        "kill_s": probes["liveness"].fails_after(0.0).to_plain(),
    }


def _action(probe: Probe) -> str:
    """Return what a probe asks: the field of the manifest, then its values."""
    ((field, action),) = probe.action.items()
    names = [name for name in ("path", "service", "port") if name in action]
    values = action["command"] if field == "exec" else [action[name] for name in names]
    return " ".join(map(str, [field, *values]))


def _fail(lane: Lane, kinds: Sequence[str]) -> None:
    """Let every program say that it is in trouble, and give each probe the time to see it."""
    lane.step("chaque programme se dit en panne")
    seen_s = max(asked["kill_s"][1] for asked in lane.parameters["kinds"].values())
    for kind in kinds:
        lane.mark(KindMark.FAIL, kind)
        if kind in _SAME:
            _break_one(lane, kind)
        else:
            post(lane.namespace, pod_of(kind), "/admin/live/off")
    end_s = time.monotonic() + seen_s + _ROUND_S
    for kind in kinds:
        if kind in _SAME:
            _await_restart(lane, kind)
    if set(kinds) - set(_SAME):
        lane.step("les autres sondes ne voient rien")
        lane.pause(end_s - time.monotonic())


def _break(lane: Lane, kinds: Sequence[str]) -> None:
    """Break what the other probes look at."""
    if kinds:
        lane.step("le port se ferme, le fichier disparaît")
    for kind in kinds:
        _break_one(lane, kind)
    for kind in kinds:
        _await_restart(lane, kind)


def _break_one(lane: Lane, kind: str) -> None:
    lane.mark(KindMark.BREAK, kind)
    _BREAKS[kind](lane, pod_of(kind))
    lane.mark(KindMark.BROKEN, kind)


def _await_restart(lane: Lane, kind: str) -> None:
    lane.in_background(lambda: lane.namespace.wait("pod", pod_of(kind), restarted, _TIMEOUT_S))
