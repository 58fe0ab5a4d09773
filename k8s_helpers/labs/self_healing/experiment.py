"""Gaps between what is wished and what is, each made in a namespace of its own, and how they close."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ..._checks import bounds, names
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...cluster.conditions import restarted
from ...kube.image_names import short
from ...measure.lane import APP, Lane, with_replicas
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import RECOVERED, Disturbance, Gap
from .lab import LAB
from .words import STEPS

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
def measure(
    disturbances: Sequence[str] = tuple(Disturbance),
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
    cluster
        Otherwise the one that `connect` returned.
    replicas : int
        Pods at first, 2 to 10.
    rate_per_s : float
        Requests per second, 1 to 200.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown disturbance, or a number out of its bounds.
    WaitTimeoutError
        The cluster does not close the gap: says what the pods complain of.
    """
    names("Mesurer l’auto-guérison", "écarts", disturbances, DISTURBANCES, feminine=False)
    bounds(
        "Mesurer l’auto-guérison",
        (replicas, 2, 10, "réplicas"),
        (rate_per_s, 1, 200, "requêtes par seconde"),
    )
    versions = ("v1", "v2") if Disturbance.IMAGE in disturbances else ("v1",)
    with LAB.open(cluster, progress, versions=versions) as measure:
        acts = {name: partial(_heal, measure, name, replicas, rate_per_s) for name in disturbances}
        for first in range(0, len(disturbances), _AT_ONCE):
            measure.together({name: acts[name] for name in disturbances[first : first + _AT_ONCE]})
        return measure.recording()


def _heal(measure: Measure, name: str, replicas: int, rate_per_s: float) -> None:
    """Open one gap in a namespace of its own, and record how it is closed."""
    with measure.lane(name, STEPS[name], {"replicas": replicas}) as lane:
        lane.deploy("deployment.yaml", "service.yaml", change=with_replicas(replicas))
        with lane.recorded("vitrine", rate_per_s):
            lane.step("trafic avant l’écart")
            lane.pause(BEFORE_S)
            lane.step(STEPS[name])
            DISTURBANCES[name](lane, replicas)
            lane.mark(RECOVERED)
            lane.wait_answers()
            lane.pause(AFTER_S)


def _kill(lane: Lane, replicas: int) -> None:
    """End the program of one container, and wait until it is ready again."""
    pod = lane.pods()[0]["metadata"]["name"]
    lane.parameters["pod"] = pod
    lane.mark(Gap.KILL, pod)
    done = lane.namespace.exec(pod, ["python3", "-c", KILL])
    lane.parameters["kill_code"] = done.returncode
    lane.in_background(lambda: lane.namespace.wait("pod", pod, restarted, _TIMEOUT_S))


def _delete(lane: Lane, replicas: int) -> None:
    """Delete one pod, and wait until there are as many ready ones as before."""
    pod = lane.pods()[0]["metadata"]["name"]
    lane.parameters["pod"] = pod
    lane.mark(Gap.DELETE, pod)
    lane.namespace.delete_object("pod", pod)
    lane.in_background(lambda: lane.namespace.wait("pod", pod, "deleted", _TIMEOUT_S))
    lane.wait_pods(replicas)


def _scale(lane: Lane, replicas: int) -> None:
    """Edit the replica count twice, up and down."""
    lane.parameters["asked"] = [replicas, replicas + _MORE, replicas - _FEWER]
    for asked in (replicas + _MORE, replicas - _FEWER):
        lane.mark(Gap.SCALE, str(asked))
        lane.namespace.scale("deployment", APP, asked)
        lane.wait_pods(asked)
        lane.pause(AFTER_S)


def _set_image(lane: Lane, replicas: int) -> None:
    """Change the image, and look at the ReplicaSets afterwards."""
    lane.mark(Gap.IMAGE, "v2")
    container = {"name": APP, "image": lane.image("v2")}
    template = {"spec": {"containers": [container]}}
    lane.namespace.patch("deployment", APP, {"spec": {"template": template}})
    lane.wait_rollout(APP)
    lane.parameters["replica_sets"] = [
        {
            "name": each["metadata"]["name"],
            "revision": int(each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]),
            "replicas": each["spec"]["replicas"],
            "image": short(each["spec"]["template"]["spec"]["containers"][0]["image"]),
        }
        for each in lane.namespace.list("replicasets")
    ]


DISTURBANCES: Mapping[str, Callable[[Lane, int], None]] = {
    Disturbance.CONTAINER: _kill,
    Disturbance.POD: _delete,
    Disturbance.REPLICAS: _scale,
    Disturbance.IMAGE: _set_image,
}
"""What makes each gap and waits for its end, in the order in which the course shows them."""
