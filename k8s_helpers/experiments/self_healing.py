"""Gaps between what is wished and what is, each made in a namespace of its own, and how they close."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.self_healing import self_healing as draw
from ..cluster import Cluster
from ..cluster.conditions import restarted
from ..recording import Recording
from .play import APP, Play, Show, opened, with_replicas
from .together import together

BEFORE_S = 2.0
AFTER_S = 2.0
_MORE, _FEWER = 2, 1
"""How many pods more than at first, then how many fewer, the replica count is edited to."""
_AT_ONCE = 2
"""Disturbances at the same time: no more, so that starts of programs do not make each other late."""
_TIMEOUT_S = 60.0

KILL = (
    "import os, signal\n"
    "wanted = os.environ['POD_NAME'].encode()\n"
    "for name in sorted(filter(str.isdigit, os.listdir('/proc')), key=int):\n"
    "    try:\n"
    "        line = open(f'/proc/{name}/cmdline', 'rb').read()\n"
    "        about = open(f'/proc/{name}/environ', 'rb').read()\n"
    "    except OSError:\n"
    "        continue\n"
    "    if b'main.py' in line and b'POD_NAME=' + wanted in about:\n"
    "        os.kill(int(name), signal.SIGTERM)\n"
    "        break\n"
)
"""Ends the container's program, as `kill 1` would: where containers share one list of processes it has not number 1."""


@stoppable
def self_healing(
    disturbances: Sequence[str] = ("container", "pod", "replicas", "image"),
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    rate_per_s: float = 20.0,
    progress: Progress | None = None,
) -> Recording:
    """Disturb a Deployment under traffic, once a disturbance, and record how the cluster closes the gap.

    Two disturbances at a time, each in a namespace of its own.

    A container whose program dies is restarted in place, in the same pod; a deleted pod is replaced by another one; an
    edited replica count is followed; another image makes a new ReplicaSet, and the old one is kept.

    Parameters
    ----------
    disturbances : sequence of str
        Among "container", "pod", "replicas", "image"; runs come in this order.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    replicas : int
        Pods at first, 2 to 10.
    rate_per_s : float
        Requests per second, 1 to 200.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown disturbance, or a number out of its bounds.
    WaitTimeoutError
        The cluster does not close the gap: says what the pods complain of.
    """
    _check(disturbances, replicas, rate_per_s)
    with opened(
        "self_healing",
        "01_introduction",
        cluster,
        progress,
        versions=("v1", "v2") if "image" in disturbances else ("v1",),
        draw=draw,
    ) as show:
        acts = {name: partial(_play, show, name, replicas, rate_per_s) for name in disturbances}
        for first in range(0, len(disturbances), _AT_ONCE):
            together(show, {name: acts[name] for name in disturbances[first : first + _AT_ONCE]})
        return show.recording()


def _play(show: Show, name: str, replicas: int, rate_per_s: float) -> None:
    disturbance = DISTURBANCES[name]
    with show.play(name, disturbance.title, replicas=replicas) as play:
        play.deploy("deployment.yaml", "service.yaml", change=with_replicas(replicas))
        with play.recorded("vitrine", rate_per_s):
            play.step("trafic avant l’écart")
            play.pause(BEFORE_S)
            play.step(disturbance.title)
            disturbance.make(play, replicas)
            play.mark("recovered")
            play.wait_answers()
            play.pause(AFTER_S)


def _kill(play: Play, replicas: int) -> None:
    """End the program of one container, and wait until it is ready again."""
    pod = play.pods()[0]["metadata"]["name"]
    play.parameters["pod"] = pod
    play.mark("kill", pod)
    done = play.namespace.exec(pod, ["python3", "-c", KILL])
    play.parameters["kill_code"] = done.returncode
    play.in_background(lambda: play.namespace.wait("pod", pod, restarted, _TIMEOUT_S))


def _delete(play: Play, replicas: int) -> None:
    """Delete one pod, and wait until there are as many ready ones as before."""
    pod = play.pods()[0]["metadata"]["name"]
    play.parameters["pod"] = pod
    play.mark("delete", pod)
    play.namespace.delete_object("pod", pod)
    play.in_background(lambda: play.namespace.wait("pod", pod, "deleted", _TIMEOUT_S))
    play.wait_pods(replicas)


def _scale(play: Play, replicas: int) -> None:
    """Edit the replica count twice, up and down."""
    play.parameters["asked"] = [replicas, replicas + _MORE, replicas - _FEWER]
    for asked in (replicas + _MORE, replicas - _FEWER):
        play.mark("scale", str(asked))
        play.namespace.scale("deployment", APP, asked)
        play.wait_pods(asked)
        play.pause(AFTER_S)


def _set_image(play: Play, replicas: int) -> None:
    """Change the image, and look at the ReplicaSets afterwards."""
    play.mark("image", "v2")
    container = {"name": APP, "image": play.ref("v2")}
    template = {"spec": {"containers": [container]}}
    play.namespace.patch("deployment", APP, {"spec": {"template": template}})
    play.wait_rollout(APP)
    play.parameters["replica_sets"] = [
        {
            "name": one["metadata"]["name"],
            "revision": int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]),
            "replicas": one["spec"]["replicas"],
            "image": one["spec"]["template"]["spec"]["containers"][0]["image"].rpartition("/")[2],
        }
        for one in play.namespace.list("replicasets")
    ]


@dataclass(frozen=True)
class Disturbance:
    """A gap: what it is called in French, and what makes it and waits for its end."""

    title: str
    make: Callable[[Play, int], None]


DISTURBANCES: Mapping[str, Disturbance] = {
    "container": Disturbance("arrêt du processus d’un conteneur", _kill),
    "pod": Disturbance("suppression d’un pod", _delete),
    "replicas": Disturbance("nombre de réplicas modifié", _scale),
    "image": Disturbance("image modifiée", _set_image),
}
"""By name, in the order in which the course shows them."""


def _check(disturbances: Sequence[str], replicas: int, rate_per_s: float) -> None:
    unknown = [name for name in disturbances if name not in DISTURBANCES]
    if isinstance(disturbances, str) or unknown or not disturbances:
        raise UsageError(
            "Mesurer l’auto-guérison",
            f"les écarts demandés sont {disturbances!r}",
            f"Donnez une liste d’écarts, parmi : {', '.join(DISTURBANCES)}.",
        )
    if not (2 <= replicas <= 10 and 1 <= rate_per_s <= 200):
        raise UsageError(
            "Mesurer l’auto-guérison",
            f"{replicas} réplicas, {rate_per_s} requêtes par seconde",
            "Donnez 2 à 10 réplicas et 1 à 200 requêtes par seconde.",
        )
