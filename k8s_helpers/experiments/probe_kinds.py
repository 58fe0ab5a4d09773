"""Four pods, four kinds of probes: what each of them sees of a failure, and what it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import manifests
from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.probe_kinds import probe_kinds as draw
from ..cluster import Cluster
from ..cluster.conditions import restarted
from ..forecasts.probe_spec import Probe, container_of, probes_of
from ..recording import Recording
from .in_pod import post
from .play import MANIFESTS, Play, opened

FOLDER = "10_sondes"
BEFORE_S = 2.0
AFTER_S = 2.0
_ROUND_S = 1.0
_TIMEOUT_S = 90.0

_BREAKS: Mapping[str, Callable[[Play, str], object]] = {
    "http": lambda play, pod: post(play.namespace, pod, "/admin/live/off"),
    "tcp": lambda play, pod: post(play.namespace, pod, "/admin/grpc/off"),
    "exec": lambda play, pod: play.namespace.exec(pod, ["rm", "/tmp/en-forme"]),
    "grpc": lambda play, pod: post(play.namespace, pod, "/admin/live/off"),
}
"""What makes the probe of each kind fail."""
_SAME = ("http", "grpc")
"""Whom the program's own word breaks already."""


@stoppable
def probe_kinds(
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
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown kind, or none.
    WaitTimeoutError
        A consequence that does not come.
    """
    if isinstance(kinds, str) or not kinds or set(kinds) - set(_BREAKS):
        raise UsageError(
            "Comparer les genres de sondes",
            f"les genres demandés sont {kinds!r}",
            f"Donnez une liste de genres, parmi : {', '.join(_BREAKS)}.",
        )
    with opened("probe_kinds", FOLDER, cluster, progress, draw=draw) as show:
        told = {kind: _foreseen(kind) for kind in kinds}
        with show.play("sondes", "Quatre genres de sondes", kinds=told) as play:
            play.step("déploiement")
            for kind in kinds:
                play.apply(f"sonde-{kind}.yaml")
            play.wait_pods(len(kinds), "groupe=sondes")
            with play.recorded(events=True):
                play.pause(BEFORE_S)
                _fail(play, kinds)
                _break(play, [kind for kind in kinds if kind not in _SAME])
                play.pause(AFTER_S)
        return show.recording()


def _foreseen(kind: str) -> dict[str, Any]:
    """Return what a kind's manifest asks, and when the kubelet must act once that fails."""
    found = manifests.read(MANIFESTS / FOLDER / f"sonde-{kind}.yaml")[0].object
    probes = probes_of(container_of(found))
    return {
        "asks": _asked(probes["readiness"]),
        "unready_s": probes["readiness"].fails_after(0.0).to_plain(),
        "kill_s": probes["liveness"].fails_after(0.0).to_plain(),
    }


def _asked(probe: Probe) -> str:
    """Say in French what a probe asks."""
    ((name, action),) = probe.action.items()
    if name == "httpGet":
        return f"GET {action['path']}, port {action['port']}"
    if name == "grpc":
        return f"Health/Check « {action.get('service', '')} », port {action['port']}"
    return " ".join(action["command"]) if name == "exec" else f"port {action['port']} ouvert ?"


def _fail(play: Play, kinds: Sequence[str]) -> None:
    """Let every program say that it is in trouble, and give each probe the time to see it."""
    play.step("chaque programme se dit en panne")
    seen_s = max(found["kill_s"][1] for found in play.parameters["kinds"].values())
    for kind in kinds:
        play.mark("fail", kind)
        if kind in _SAME:
            _break_one(play, kind)
        else:
            post(play.namespace, _pod(kind), "/admin/live/off")
    end_s = time.monotonic() + seen_s + _ROUND_S
    for kind in kinds:
        if kind in _SAME:
            _await_restart(play, kind)
    if set(kinds) - set(_SAME):
        play.step("les autres sondes ne voient rien")
        play.pause(end_s - time.monotonic())


def _break(play: Play, kinds: Sequence[str]) -> None:
    """Break what the other probes look at."""
    if kinds:
        play.step("le port se ferme, le fichier disparaît")
    for kind in kinds:
        _break_one(play, kind)
    for kind in kinds:
        _await_restart(play, kind)


def _break_one(play: Play, kind: str) -> None:
    play.mark("break", kind)
    _BREAKS[kind](play, _pod(kind))
    play.mark("broken", kind)


def _await_restart(play: Play, kind: str) -> None:
    play.in_background(lambda: play.namespace.wait("pod", _pod(kind), restarted, _TIMEOUT_S))


def _pod(kind: str) -> str:
    return f"sonde-{kind}"
