"""What survives what: four places where a program may write, a container that restarts, a pod that is deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..cluster.conditions import ready
from ..recording import Recording
from ..timeline.volumes import READ_ONLY_ENFORCED
from .carnet import PROGRAM, attempt, playing, tell
from .play import Change, Play, Show
from .stage import ROLLOUT_TIMEOUT_S
from .together import together

PLACES = {"root": "/data", "emptyDir": "/vide", "hostPath": "/hote", "claim": "/disque"}
"""Folders of the manifest by what they are."""

_POD = "carnet"
_MANIFEST = "quatre-endroits.yaml"
_FILE = "temoin"
_HOST_FOLDER = "/tmp"


@stoppable
def volumes(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Write in a container's own files, an emptyDir, a hostPath and a claimed volume, and see what is still there.

    The first run reads the four places after the container's restart, after the pod was deleted and made again, and
    after pod and claim were. The second tries to write with a read-only root file system; it is left out where nothing
    can enforce one (the embedded cluster without the kernel's namespaces).

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step.

    Raises
    ------
    WaitTimeoutError
        A pod that does not come (back) to life.
    """
    with playing("volumes", "13_volumes", cluster, progress) as show:
        enforced = not any(map(_without_namespaces, show.cluster.nodes()))
        acts = {"survie": partial(_survive, show, enforced)}
        if enforced:
            acts["lecture-seule"] = partial(_read_only, show)
        together(show, acts)
        return show.recording()


def _without_namespaces(node: dict[str, Any]) -> bool:
    """Return whether a node only translates its pods' paths, as its runtime's version says."""
    return str(node["status"]["nodeInfo"]["containerRuntimeVersion"]).endswith("-prefix")


def _survive(show: Show, read_only_enforced: bool) -> None:
    folder = f"{_HOST_FOLDER}/carnet-{secrets.token_hex(4)}"
    change = _fitted(folder)
    parameters = {READ_ONLY_ENFORCED: read_only_enforced}
    with show.play("survie", "Ce qui survit", **parameters) as play:
        try:
            with play.recorded(events=True):
                _start(play, change)
                for place in PLACES:
                    _write(play, place)
                _observe(play, "written")
                _restart(play)
                _observe(play, "container")
                _replace(play, change, "pod")
                _observe(play, "pod")
                _replace(play, change, "pod", "persistentvolumeclaim")
                _observe(play, "claim")
        finally:
            _clean_host(play, folder, show.refs["carnet:v1"])


def _read_only(show: Show) -> None:
    """Try to write where the container's own files are read-only."""

    def change(plain: dict[str, Any]) -> None:
        _fitted(folder)(plain)
        if plain["kind"] == "Pod":
            container = plain["spec"]["containers"][0]
            container["securityContext"] = {"readOnlyRootFilesystem": True}

    folder = f"{_HOST_FOLDER}/carnet-{secrets.token_hex(4)}"
    with show.play("lecture-seule", "Racine en lecture seule") as play:
        try:
            with play.recorded():
                _start(play, change)
                for place in PLACES:
                    _write(play, place)
        finally:
            _clean_host(play, folder, show.refs["carnet:v1"])


def _fitted(host_folder: str) -> Change:
    """Return what gives a run its own folder of the node."""

    def change(plain: dict[str, Any]) -> None:
        for volume in plain["spec"].get("volumes", ()):
            if "hostPath" in volume:
                volume["hostPath"]["path"] = host_folder

    return change


def _start(play: Play, change: Change) -> None:
    play.step("démarrage du pod")
    play.mark("apply")
    play.apply(_MANIFEST, change)
    _wait_ready(play, lambda pod: True)
    play.mark("complete")


def _wait_ready(play: Play, wish: Callable[[dict[str, Any]], bool]) -> None:
    play.in_background(
        lambda: play.namespace.wait(
            "pod", _POD, lambda pod: ready(pod) and wish(pod), ROLLOUT_TIMEOUT_S
        )
    )


def _write(play: Play, place: str) -> None:
    done = attempt(play, _POD, "sh", "-c", f"echo {place} > {PLACES[place]}/{_FILE}")
    tell(play, "write", place=place, written=not done.returncode, said=done.stderr.strip())


def _observe(play: Play, moment: str) -> None:
    """Tell which of the places still have what was written there."""
    kept = {}
    for place, folder in PLACES.items():
        done = attempt(play, _POD, "cat", f"{folder}/{_FILE}")
        kept[place] = not done.returncode and done.stdout.strip() == place
    pod = play.namespace.get("pod", _POD)
    status = pod["status"]["containerStatuses"][0]
    tell(
        play,
        "observation",
        moment=moment,
        kept=kept,
        uid=pod["metadata"]["uid"],
        restarts=status["restartCount"],
    )


def _restart(play: Play) -> None:
    """Let the program die: the kubelet starts another container, in the same pod."""
    play.step("mort du programme")
    play.mark("crash")
    attempt(play, _POD, *PROGRAM, "panne")  # may be cut off with the container that it kills
    _wait_ready(play, lambda pod: bool(pod["status"]["containerStatuses"][0]["restartCount"]))
    play.mark("restarted")


def _replace(play: Play, change: Change, *kinds: str) -> None:
    """Delete the pod (and its claim), and apply the manifest again."""
    names = {"pod": _POD, "persistentvolumeclaim": "disque"}
    play.step("suppression : " + " et ".join(names[kind] for kind in kinds))
    play.mark("delete", ", ".join(kinds))
    for kind in kinds:
        play.in_background(partial(_delete, play, kind, names[kind]))
    play.mark("gone")
    play.apply(_MANIFEST, change)
    _wait_ready(play, lambda pod: True)


def _delete(play: Play, kind: str, name: str) -> None:
    play.namespace.delete_object(kind, name, timeout_s=ROLLOUT_TIMEOUT_S)


def _clean_host(play: Play, folder: str, image: str) -> None:
    """Take away what a hostPath leaves on the node for ever, by a pod that sees the folder above it."""
    menage: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "menage"},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "menage",
                    "image": image,
                    "command": ["rm", "-rf", folder.replace(_HOST_FOLDER, "/menage", 1)],
                    "volumeMounts": [{"name": "hote", "mountPath": "/menage"}],
                }
            ],
            "volumes": [{"name": "hote", "hostPath": {"path": _HOST_FOLDER}}],
        },
    }
    play.namespace.apply(menage)
    play.namespace.wait(
        "pod",
        "menage",
        lambda pod: pod["status"].get("phase") in ("Succeeded", "Failed"),
        ROLLOUT_TIMEOUT_S,
    )
