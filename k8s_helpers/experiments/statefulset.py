"""A StatefulSet beside a Deployment: order, names, storage after a death, DNS, updates, fewer and more pods again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..cluster.conditions import ready
from ..recording import Recording
from .carnet import PROGRAM, attempt, execute, playing, tell
from .play import Change, Play, Show
from .stage import ROLLOUT_TIMEOUT_S
from .together import together

VARIANTS = {
    "ordered": "StatefulSet",
    "parallel": "StatefulSet, Parallel",
    "deployment": "Deployment",
}
"""Names in recordings, and in French."""
WATCHED_S = 2.0
"""How long the update's partition is seen to hold."""

_NAME = "base"
_PORT = 8081


@stoppable
def statefulset(
    variants: Sequence[str] = tuple(VARIANTS),
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
    cluster : Cluster, optional
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
    unknown = [name for name in variants if name not in VARIANTS]
    if isinstance(variants, str) or unknown or not variants:
        raise UsageError(
            "Comparer un StatefulSet et un Deployment",
            f"les variantes demandées sont {variants!r}",
            f"Donnez une liste, parmi : {', '.join(VARIANTS)}.",
        )
    if not (2 <= replicas <= 6 and 0 <= startup_s <= 30):
        raise UsageError(
            "Comparer un StatefulSet et un Deployment",
            f"{replicas} réplicas, {startup_s} s de démarrage",
            "Donnez 2 à 6 réplicas et 0 à 30 s de démarrage.",
        )
    with playing("statefulset", "11_statefulsets", cluster, progress, ("v1", "v2")) as show:
        together(show, {name: partial(_play, show, name, replicas, startup_s) for name in variants})
        return show.recording()


def _play(show: Show, name: str, replicas: int, startup_s: float) -> None:
    numbers = {"replicas": replicas, "startup_s": startup_s}
    with show.play(name, VARIANTS[name], **numbers) as play, play.recorded():
        kind = "deployment" if name == "deployment" else "statefulset"
        _create(play, kind, _fitted(name, replicas, startup_s))
        if kind == "statefulset":
            _names(play)
        _kill(play, replicas)
        _update(play, kind, show.refs["carnet:v2"], replicas)
        _scale(play, kind, replicas)


def _fitted(name: str, replicas: int, startup_s: float) -> Change:
    """Return what fits the manifests to a variant."""

    def change(plain: dict[str, Any]) -> None:
        plain["spec"]["replicas"] = replicas
        if name == "parallel":
            plain["spec"]["podManagementPolicy"] = "Parallel"
        for one in plain["spec"]["template"]["spec"]["containers"][0]["env"]:
            if one["name"] == "STARTUP_SECONDS":
                one["value"] = f"{startup_s:g}"

    return change


def _create(play: Play, kind: str, change: Change) -> None:
    play.step("création")
    play.mark("apply", kind)
    play.apply(f"{'deployment' if kind == 'deployment' else 'base'}.yaml", change)
    play.wait_rollout(_NAME, kind)
    play.mark("complete")
    for pod in _pods(play):
        execute(play, pod["metadata"]["name"], *PROGRAM, "note", _written_by(pod))
    _identify(play, "born")


def _names(play: Play) -> None:
    """Ask for a pod by its name in the DNS: before the headless Service is there, and after."""
    play.step("le nom de chaque pod dans le DNS")
    asked, asker = f"{_NAME}-1.{_NAME}", f"{_NAME}-0"
    command = (*PROGRAM, "info", f"http://{asked}:{_PORT}")
    before = attempt(play, asker, *command)
    services = [one["metadata"]["name"] for one in play.namespace.list("services")]
    tell(play, "dns", name=asked, answer=_answer(before), services=services)
    play.mark("headless")
    play.apply("service.yaml")
    answers: list[str | None] = []

    def found() -> bool:
        answers.append(_answer(attempt(play, asker, *command)))
        return answers[-1] is not None

    play.until(found, ROLLOUT_TIMEOUT_S, f"une réponse de {asked}")
    tell(play, "dns", name=asked, answer=answers[-1], services=[_NAME])


def _answer(done: Any) -> str | None:
    return None if done.returncode else str(json.loads(done.stdout)["pod"])


def _kill(play: Play, replicas: int) -> None:
    """Delete the second pod, and see who comes in its place."""
    play.step("mort d’un pod")
    killed = _pods(play)[1]["metadata"]
    play.mark("delete", killed["name"])
    play.namespace.delete_object("pod", killed["name"])
    _wait(play, replicas, lambda pods: all(one["metadata"]["uid"] != killed["uid"] for one in pods))
    play.mark("replaced")
    _identify(play, "replaced-by")


def _update(play: Play, kind: str, image: str, replicas: int) -> None:
    container = {"name": _NAME, "image": image}
    template: dict[str, Any] = {"template": {"spec": {"containers": [container]}}}
    if kind == "statefulset":
        play.step("mise à jour du dernier pod seulement (partition)")
        last = replicas - 1
        play.mark("partition", str(last))
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": last}}
        play.namespace.patch(kind, _NAME, {"spec": {**template, "updateStrategy": strategy}})
        _wait(play, replicas, lambda pods: any(_image(pod) == image for pod in pods))
        play.pause(WATCHED_S)
        template = {"updateStrategy": {"rollingUpdate": {"partition": 0}}}
    play.step("mise à jour")
    play.mark("update")
    play.namespace.patch(kind, _NAME, {"spec": template})
    play.wait_rollout(_NAME, kind)
    _wait(play, replicas, lambda pods: all(_image(pod) == image for pod in pods))
    play.mark("updated")


def _scale(play: Play, kind: str, replicas: int) -> None:
    play.step("un seul pod, puis tous")
    play.mark("scale-down", "1")
    play.namespace.scale(kind, _NAME, 1)
    _wait(play, 1, lambda pods: True)
    claims = [one["metadata"]["name"] for one in play.namespace.list("persistentvolumeclaims")]
    tell(play, "claims", claims=sorted(claims))
    play.mark("scale-up", str(replicas))
    play.namespace.scale(kind, _NAME, replicas)
    _wait(play, replicas, lambda pods: True)
    _identify(play, "back")


def _wait(play: Play, count: int, wish: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Wait until there are that many pods in all, each ready, and as wished."""

    def over() -> bool:
        pods = _pods(play)
        return len(pods) == count and all(map(ready, pods)) and wish(pods)

    play.until(over, ROLLOUT_TIMEOUT_S, f"{count} pods prêts")


def _pods(play: Play) -> list[dict[str, Any]]:
    """Return all pods by name, those that end included."""
    found = play.namespace.list("pods", f"app={_NAME}")
    return sorted(found, key=lambda one: one["metadata"]["name"])


def _image(pod: dict[str, Any]) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _written_by(pod: dict[str, Any]) -> str:
    return f"écrite dans {pod['metadata']['name']}"


def _identify(play: Play, moment: str) -> None:
    """Tell who each pod is and which notes it has."""
    for pod in _pods(play):
        name, spec = pod["metadata"]["name"], pod["spec"]
        claims = (volume.get("persistentVolumeClaim") or {} for volume in spec["volumes"])
        tell(
            play,
            "identity",
            moment=moment,
            pod=name,
            uid=pod["metadata"]["uid"],
            ip=pod["status"]["podIP"],
            claim=next((one["claimName"] for one in claims if one), None),
            notes=execute(play, name, *PROGRAM, "notes").splitlines(),
        )
