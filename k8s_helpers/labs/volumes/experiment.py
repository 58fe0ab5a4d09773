"""What survives what: four places where a program may write, a container that restarts, a pod that is deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...cluster.conditions import ready
from ...measure.carnet import PROGRAM, run
from ...measure.lane import ROLLOUT_TIMEOUT_S, Change, Lane
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import WRITTEN, Disruption, SurvivalCheck, VolumeTrial, Write, WritePlace
from .lab import LAB
from .summary import READ_ONLY_ENFORCED

FOLDERS = {
    WritePlace.ROOT: "/data",
    WritePlace.EMPTY_DIR: "/vide",
    WritePlace.HOST_PATH: "/hote",
    WritePlace.CLAIM: "/disque",
}
"""Of the manifest, by what they are."""

_POD = "carnet"
_MANIFEST = "quatre-endroits.yaml"
_FILE = "temoin"
_HOST_FOLDER = "/tmp"


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Write in a container's own files, an emptyDir, a hostPath and a claimed volume, and see what is still there.

    The first run reads the four places after the container's restart, after the pod was deleted and made again, and
    after pod and claim were. The second tries to write with a read-only root file system; it is left out where nothing
    can enforce one (the embedded cluster without the kernel's namespaces).

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step.

    Raises
    ------
    WaitTimeoutError
        A pod that does not come (back) to life.
    """
    with LAB.open(cluster, progress, app="carnet", live=False) as measure:
        enforced = not any(map(_without_namespaces, measure.cluster.nodes()))
        acts: dict[str, Callable[[], None]] = {
            VolumeTrial.SURVIVAL: partial(_survive, measure, read_only_enforced=enforced)
        }
        if enforced:
            acts[VolumeTrial.READ_ONLY] = partial(_write_read_only, measure)
        measure.together(acts)
        return measure.recording()


def _without_namespaces(node: dict[str, Any]) -> bool:
    """Return whether a node only translates its pods' paths, as its runtime's version says."""
    return str(node["status"]["nodeInfo"]["containerRuntimeVersion"]).endswith("-prefix")


def _survive(measure: Measure, *, read_only_enforced: bool) -> None:
    parameters = {READ_ONLY_ENFORCED: read_only_enforced}
    with (
        measure.lane(VolumeTrial.SURVIVAL, "Ce qui survit", parameters) as lane,
        _host_folder(lane) as change,
        lane.recorded(events=True),
    ):
        _start(lane, change)
        _write(lane)
        _observe(lane, WRITTEN)
        _restart(lane)
        _observe(lane, Disruption.CONTAINER)
        _replace(lane, change, "pod")
        _observe(lane, Disruption.POD)
        _replace(lane, change, "pod", "persistentvolumeclaim")
        _observe(lane, Disruption.CLAIM)


def _write_read_only(measure: Measure) -> None:
    """Try to write where the container's own files are read-only."""
    with (
        measure.lane(VolumeTrial.READ_ONLY, "Racine en lecture seule") as lane,
        _host_folder(lane) as fit,
        lane.recorded(),
    ):

        def change(plain: dict[str, Any]) -> None:
            fit(plain)
            if plain["kind"] == "Pod":
                container = plain["spec"]["containers"][0]
                container["securityContext"] = {"readOnlyRootFilesystem": True}

        _start(lane, change)
        _write(lane)


@contextmanager
def _host_folder(lane: Lane) -> Iterator[Change]:
    """Give what sets a run's own folder of the node in its manifest; it is cleaned afterwards."""
    folder = f"{_HOST_FOLDER}/carnet-{secrets.token_hex(4)}"

    def change(plain: dict[str, Any]) -> None:
        for volume in plain["spec"].get("volumes", ()):
            if "hostPath" in volume:
                volume["hostPath"]["path"] = folder

    try:
        yield change
    finally:
        _clean_host(lane, folder)


def _start(lane: Lane, change: Change) -> None:
    lane.step("démarrage du pod")
    lane.mark("apply")
    lane.apply(_MANIFEST, change)
    _wait_ready(lane, lambda pod: True)
    lane.mark("complete")


def _wait_ready(lane: Lane, wish: Callable[[dict[str, Any]], bool]) -> None:
    lane.in_background(
        lambda: lane.namespace.wait(
            "pod", _POD, lambda pod: ready(pod) and wish(pod), ROLLOUT_TIMEOUT_S
        )
    )


def _write(lane: Lane) -> None:
    """Write a file in each place."""
    for place, folder in FOLDERS.items():
        done = run(lane, _POD, "sh", "-c", f"echo {place} > {folder}/{_FILE}")
        lane.note("write", Write(place, not done.returncode, done.stderr.strip()))


def _observe(lane: Lane, moment: str) -> None:
    """Note which of the places still have what was written there."""
    kept = {}
    for place, folder in FOLDERS.items():
        done = run(lane, _POD, "cat", f"{folder}/{_FILE}")
        kept[place] = not done.returncode and done.stdout.strip() == place
    pod = lane.namespace.get("pod", _POD)
    restarts = pod["status"]["containerStatuses"][0]["restartCount"]
    lane.note("observation", SurvivalCheck(moment, kept, pod["metadata"]["uid"], restarts))


def _restart(lane: Lane) -> None:
    """Let the program die: the kubelet starts another container, in the same pod."""
    lane.step("mort du programme")
    lane.mark("crash")
    run(lane, _POD, *PROGRAM, "panne")  # may be cut off with the container that it kills
    _wait_ready(lane, lambda pod: bool(pod["status"]["containerStatuses"][0]["restartCount"]))
    lane.mark("restarted")


def _replace(lane: Lane, change: Change, *kinds: str) -> None:
    """Delete the pod (and its claim), and apply the manifest again."""
    names = {"pod": _POD, "persistentvolumeclaim": "disque"}
    lane.step("suppression : " + " et ".join(names[kind] for kind in kinds))
    lane.mark("delete", ", ".join(kinds))
    for kind in kinds:
        lane.in_background(partial(_delete, lane, kind, names[kind]))
    lane.mark("gone")
    lane.apply(_MANIFEST, change)
    _wait_ready(lane, lambda pod: True)


def _delete(lane: Lane, kind: str, name: str) -> None:
    lane.namespace.delete_object(kind, name, timeout_s=ROLLOUT_TIMEOUT_S)


def _clean_host(lane: Lane, folder: str) -> None:
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
                    "image": lane.image("v1", app="carnet"),
                    "command": ["rm", "-rf", folder.replace(_HOST_FOLDER, "/menage", 1)],
                    "volumeMounts": [{"name": "hote", "mountPath": "/menage"}],
                }
            ],
            "volumes": [{"name": "hote", "hostPath": {"path": _HOST_FOLDER}}],
        },
    }
    lane.namespace.apply(menage)
    lane.namespace.wait(
        "pod",
        "menage",
        lambda pod: pod["status"].get("phase") in ("Succeeded", "Failed"),
        ROLLOUT_TIMEOUT_S,
    )
