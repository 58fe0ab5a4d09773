"""A StatefulSet beside a Deployment: order, names, storage after a death, DNS, updates, fewer and more pods again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from embedded_kubernetes.processes import Completed

from ..._checks import bounds, names
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...cluster.conditions import ready
from ...measure.carnet import PROGRAM, execute, run
from ...measure.lane import ROLLOUT_TIMEOUT_S, Lane
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import Claims, DatabaseVariant, IdentityMoment, NameAnswer, PodIdentity
from .lab import LAB
from .words import TITLES

WATCHED_S = 2.0
"""How long the update's partition is seen to hold."""

_NAME = "base"
_PORT = 8081


@stoppable
def measure(
    variants: Sequence[str] = tuple(DatabaseVariant),
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    startup_s: float = 1.0,
    progress: Progress | None = None,
) -> Recording:
    """Run the database of "carnet" as a StatefulSet (ordered, then Parallel) and as a Deployment, and live its life.

    Create, write a note in each pod, look for the pods' names in the DNS before and after the headless Service is made,
    kill one pod, update (for a StatefulSet: first with a partition), scale down to one pod and up again. All variants
    live at the same time, each in a namespace of its own.

    Parameters
    ----------
    variants : sequence of str
        Among "ordered", "parallel", "deployment".
    cluster
        Otherwise the one that `connect` returned.
    replicas : int
        Pods, 2 to 6.
    startup_s : float
        What the program takes before it listens, in seconds; 0 to 30.
    progress : Progress, optional
        Told each step.

    Raises
    ------
    UsageError
        An unknown variant, or a number out of its bounds.
    WaitTimeoutError
        Pods that do not become ready.
    """
    tried = "Comparer un StatefulSet et un Deployment"
    names(tried, "variantes", variants, tuple(DatabaseVariant))
    bounds(tried, (replicas, 2, 6, "réplicas"), (startup_s, 0, 30, "s de démarrage"))
    sizes = {"replicas": replicas, "startup_s": startup_s}
    with LAB.open(cluster, progress, app="carnet", versions=("v1", "v2"), live=False) as measure:
        measure.together({name: partial(_live, measure, name, sizes) for name in variants})
        return measure.recording()


def _live(measure: Measure, name: str, sizes: Mapping[str, float]) -> None:
    """Lead one variant through its life."""
    with measure.lane(name, TITLES[name], sizes) as lane, lane.recorded():
        kind = "deployment" if name == DatabaseVariant.DEPLOYMENT else "statefulset"
        _create(lane, kind)
        if kind == "statefulset":
            _names(lane)
        _kill(lane)
        _update(lane, kind)
        _scale(lane, kind)


def _fit(lane: Lane, plain: dict[str, Any]) -> None:
    """Fit the manifests to a variant."""
    plain["spec"]["replicas"] = lane.parameters["replicas"]
    if lane.name == DatabaseVariant.PARALLEL:
        plain["spec"]["podManagementPolicy"] = "Parallel"
    for variable in plain["spec"]["template"]["spec"]["containers"][0]["env"]:
        if variable["name"] == "STARTUP_SECONDS":
            variable["value"] = f"{lane.parameters['startup_s']:g}"


def _create(lane: Lane, kind: str) -> None:
    lane.step("création")
    lane.mark("apply", kind)
    manifest = "deployment.yaml" if kind == "deployment" else "base.yaml"
    lane.apply(manifest, partial(_fit, lane))
    lane.wait_rollout(_NAME, kind)
    lane.mark("complete")
    for pod in _pods(lane):
        execute(
            lane,
            pod["metadata"]["name"],
            *PROGRAM,
            "note",
            f"écrite dans {pod['metadata']['name']}",
        )
    _identify(lane, IdentityMoment.BORN)


def _names(lane: Lane) -> None:
    """Ask for a pod by its name in the DNS: before the headless Service is there, and after."""
    lane.step("le nom de chaque pod dans le DNS")
    asked, asker = f"{_NAME}-1.{_NAME}", f"{_NAME}-0"
    command = (*PROGRAM, "info", f"http://{asked}:{_PORT}")
    services = [service["metadata"]["name"] for service in lane.namespace.list("services")]
    before = _answer(run(lane, asker, *command))
    lane.note("dns", NameAnswer(asked, before, services))
    lane.mark("headless")
    lane.apply("service.yaml")
    answers: list[str | None] = []

    def answered() -> bool:
        answers.append(_answer(run(lane, asker, *command)))
        return answers[-1] is not None

    lane.until(answered, ROLLOUT_TIMEOUT_S, f"une réponse de {asked}")
    lane.note("dns", NameAnswer(asked, answers[-1], [_NAME]))


def _answer(done: Completed) -> str | None:
    return None if done.returncode else str(json.loads(done.stdout)["pod"])


def _kill(lane: Lane) -> None:
    """Delete the second pod, and see who comes in its place."""
    lane.step("mort d’un pod")
    killed = _pods(lane)[1]["metadata"]
    lane.mark("delete", killed["name"])
    lane.namespace.delete_object("pod", killed["name"])
    _wait(lane, lambda pods: all(pod["metadata"]["uid"] != killed["uid"] for pod in pods))
    lane.mark("replaced")
    _identify(lane, IdentityMoment.REPLACED)


def _update(lane: Lane, kind: str) -> None:
    image = lane.image("v2", app="carnet")
    container = {"name": _NAME, "image": image}
    template: dict[str, Any] = {"template": {"spec": {"containers": [container]}}}
    if kind == "statefulset":
        lane.step("mise à jour du dernier pod seulement (partition)")
        last = lane.parameters["replicas"] - 1
        lane.mark("partition", str(last))
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": last}}
        lane.namespace.patch(kind, _NAME, {"spec": {**template, "updateStrategy": strategy}})
        _wait(lane, lambda pods: any(_image(pod) == image for pod in pods))
        lane.pause(WATCHED_S)
        template = {"updateStrategy": {"rollingUpdate": {"partition": 0}}}
    lane.step("mise à jour")
    lane.mark("update")
    lane.namespace.patch(kind, _NAME, {"spec": template})
    lane.wait_rollout(_NAME, kind)
    _wait(lane, lambda pods: all(_image(pod) == image for pod in pods))
    lane.mark("updated")


def _scale(lane: Lane, kind: str) -> None:
    lane.step("un seul pod, puis tous")
    lane.mark("scale-down", "1")
    lane.namespace.scale(kind, _NAME, 1)
    _wait(lane, count=1)
    claims = [claim["metadata"]["name"] for claim in lane.namespace.list("persistentvolumeclaims")]
    lane.note("claims", Claims(sorted(claims)))
    replicas = lane.parameters["replicas"]
    lane.mark("scale-up", str(replicas))
    lane.namespace.scale(kind, _NAME, replicas)
    _wait(lane)
    _identify(lane, IdentityMoment.BACK)


def _wait(
    lane: Lane,
    wish: Callable[[list[dict[str, Any]]], bool] = lambda pods: True,
    count: int | None = None,
) -> None:
    """Wait until there are that many pods in all (the variant's replicas otherwise), each ready, and as wished."""
    wanted = lane.parameters["replicas"] if count is None else count

    def over() -> bool:
        pods = _pods(lane)
        return len(pods) == wanted and all(map(ready, pods)) and wish(pods)

    lane.until(over, ROLLOUT_TIMEOUT_S, f"{wanted} pods prêts")


def _pods(lane: Lane) -> list[dict[str, Any]]:
    """Return all pods by name, those that end included."""
    pods = lane.namespace.list("pods", f"app={_NAME}")
    return sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))


def _image(pod: dict[str, Any]) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _identify(lane: Lane, moment: IdentityMoment) -> None:
    """Note who each pod is and which notes it has."""
    for pod in _pods(lane):
        name, spec = pod["metadata"]["name"], pod["spec"]
        claims = (volume.get("persistentVolumeClaim") or {} for volume in spec["volumes"])
        identity = PodIdentity(
            moment=moment,
            pod=name,
            uid=pod["metadata"]["uid"],
            ip=pod["status"]["podIP"],
            claim=next((claim["claimName"] for claim in claims if claim), None),
            notes=execute(lane, name, *PROGRAM, "notes").splitlines(),
        )
        lane.note("identity", identity)
