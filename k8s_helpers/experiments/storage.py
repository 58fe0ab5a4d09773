"""Claims, volumes and classes: who waits for whom, what is made, what is left when the claim goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from .._watch import Watch
from ..cluster import Cluster
from ..recorder import Recorder
from ..recording import Recording
from .carnet import PROGRAM, execute, playing, tell
from .play import Play, Show
from .stage import ROLLOUT_TIMEOUT_S
from .together import together

WATCHED_S = 2.0
"""How long a claim without consumer is seen to wait."""

_CLAIM, _POD = "notes", "carnet"
_NOTE = "à garder"
_VOLUMES = "/api/v1/persistentvolumes"
_JOIN_S = 10.0


@stoppable
def storage(
    *,
    cluster: Cluster | None = None,
    patience_s: float = 8.0,
    progress: Progress | None = None,
) -> Recording:
    """Follow claims and volumes through their phases, in three runs at the same time.

    "delete": a claim of the default class waits for a pod, gets a volume made for it, outlives the pod, and takes the
    volume with it when it goes. "retain": the volume's reclaim policy is changed first; it stays, with its data, and is
    given to a new claim by hand. "impossible": the claim names a class that does not exist.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    patience_s : float
        How long the impossible claim is waited for, in seconds; 2 to 60.
    progress : Progress, optional
        Told each step.

    Raises
    ------
    UsageError
        A number out of its bounds.
    WaitTimeoutError
        A claim that is not served although it could be.
    """
    if not 2 <= patience_s <= 60:
        raise UsageError(
            "Suivre des demandes de volumes",
            f"{patience_s} s de patience",
            "Donnez 2 à 60 s.",
        )
    with playing("storage", "13_volumes", cluster, progress) as show:
        acts = {
            "delete": partial(_delete, show),
            "retain": partial(_retain, show),
            "impossible": partial(_impossible, show, patience_s),
        }
        together(show, acts)
        return show.recording()


def _delete(show: Show) -> None:
    with show.play("delete", "Delete") as play, _followed(show, play):
        _claim_waits(play)
        _consume(play)
        play.step("le pod meurt, un autre vient")
        _drop_pod(play)
        _consume(play, write=False)
        play.step("la demande est supprimée pendant que le pod l’utilise")
        play.mark("delete-claim")
        play.namespace.delete_object("persistentvolumeclaim", _CLAIM)
        play.pause(WATCHED_S)
        _drop_pod(play)
        play.until(lambda: not _volumes(play), ROLLOUT_TIMEOUT_S, "suppression du volume")


def _retain(show: Show) -> None:
    with show.play("retain", "Retain") as play, _followed(show, play):
        _claim_waits(play)
        _consume(play)
        (volume,) = _volumes(play)
        name = volume["metadata"]["name"]
        try:
            _keep(play, name)
        finally:
            _drop_pod(play)
            _give_back(play, name)


def _keep(play: Play, name: str) -> None:
    """Change the policy, delete the claim, and hand what is left over to a new one."""
    play.step("politique Retain")
    play.mark("retain")
    _patch_volume(play, name, {"spec": {"persistentVolumeReclaimPolicy": "Retain"}})
    _drop_pod(play)
    play.step("la demande est supprimée, le volume reste")
    play.mark("delete-claim")
    play.namespace.delete_object("persistentvolumeclaim", _CLAIM, timeout_s=ROLLOUT_TIMEOUT_S)
    _wait_volume(play, name, "Released")
    play.pause(WATCHED_S)
    play.step("le volume est rendu disponible à la main")
    play.mark("clear-claim")
    _patch_volume(play, name, {"spec": {"claimRef": None}})
    _wait_volume(play, name, "Available")
    play.pause(1.0)
    play.mark("claim")
    play.apply("demande.yaml", lambda plain: plain["spec"].update(volumeName=name))
    _wait_volume(play, name, "Bound")
    _consume(play, write=False)


def _impossible(show: Show, patience_s: float) -> None:
    with show.play("impossible", "Classe inconnue") as play, _followed(show, play):
        play.step(f"une demande que personne ne satisfait, pendant {patience_s:g} s")
        play.mark("claim")
        play.apply("demande-impossible.yaml")
        play.mark("consumer")
        play.apply("carnet.yaml")
        play.pause(patience_s)
        claim = play.namespace.get("persistentvolumeclaim", _CLAIM)
        pod = play.namespace.get("pod", _POD)
        conditions = pod["status"].get("conditions", ())
        said = next((one.get("message", "") for one in conditions if one["status"] == "False"), "")
        tell(play, "stuck", claim=claim["status"]["phase"], pod=pod["status"]["phase"], said=said)


# --- acts


def _claim_waits(play: Play) -> None:
    """Make a claim of the default class, and see that nothing happens as long as no pod wants it."""
    play.step("une demande que personne n’utilise encore")
    play.mark("claim")
    play.apply("demande.yaml")
    play.pause(WATCHED_S)


def _consume(play: Play, *, write: bool = True) -> None:
    """Start a pod that uses the claim; write a note, or read those that are there."""
    play.step("un pod l’utilise")
    play.mark("consumer")
    play.apply("carnet.yaml")
    play.in_background(lambda: play.namespace.wait("pod", _POD, "Ready", ROLLOUT_TIMEOUT_S))
    if write:
        execute(play, _POD, *PROGRAM, "note", _NOTE)
    notes = execute(play, _POD, *PROGRAM, "notes").splitlines()
    tell(play, "read", written=write, found=notes == [_NOTE])


def _drop_pod(play: Play) -> None:
    play.mark("delete-pod")
    play.in_background(
        lambda: play.namespace.delete_object("pod", _POD, timeout_s=ROLLOUT_TIMEOUT_S)
    )


def _give_back(play: Play, name: str) -> None:
    """Let the provisioner take the volume away with the claim, as it would have without us."""
    _patch_volume(play, name, {"spec": {"persistentVolumeReclaimPolicy": "Delete"}})
    play.namespace.delete_object("persistentvolumeclaim", _CLAIM, timeout_s=ROLLOUT_TIMEOUT_S)
    play.until(lambda: not _volumes(play), ROLLOUT_TIMEOUT_S, "suppression du volume")


# --- what the API shows


@contextmanager
def _followed(show: Show, play: Play) -> Iterator[None]:
    """Record the run, with each phase of its claims and volumes."""
    with play.recorded(events=True) as recorder, ExitStack() as following:
        for path in (play.namespace.path("persistentvolumeclaim"), _VOLUMES):
            watch = show.cluster.api.watch(path)
            thread = threading.Thread(
                target=_follow, args=(play, recorder, watch), daemon=True, name=path
            )
            thread.start()
            following.callback(thread.join, _JOIN_S)
            following.callback(watch.close)
        yield


def _follow(play: Play, recorder: Recorder, watch: Watch) -> None:
    """Tell each change of phase; a volume is ours from its claim on."""
    known: dict[str, str] = {}
    for event in watch:
        item, name = event.object, event.object["metadata"]["name"]
        owner = item["metadata"].get("namespace") or (item["spec"].get("claimRef") or {}).get(
            "namespace"
        )
        if owner != play.namespace.name and name not in known:
            continue
        phase = _phase(event.type, item)
        if known.get(name) == phase:
            continue
        known[name] = phase
        kind = "PersistentVolumeClaim" if "namespace" in item["metadata"] else "PersistentVolume"
        facts = {"kind": kind, "name": name, "uid": item["metadata"]["uid"], "phase": phase}
        detail = json.dumps(facts)
        recorder.mark("phase", detail, recorder.clock.from_monotonic(event.received_s))


def _phase(change: str, item: dict[str, Any]) -> str:
    if change == "DELETED":
        return "Deleted"
    if "deletionTimestamp" in item["metadata"]:
        return "Terminating"
    return str((item.get("status") or {}).get("phase") or "Pending")


def _volumes(play: Play) -> list[dict[str, Any]]:
    """Return the volumes whose claim is, or was, in this namespace."""
    return [
        one
        for one in play.namespace.list("persistentvolumes")
        if (one["spec"].get("claimRef") or {}).get("namespace") == play.namespace.name
    ]


def _patch_volume(play: Play, name: str, patch: dict[str, Any]) -> None:
    play.namespace.patch("persistentvolume", name, patch)


def _wait_volume(play: Play, name: str, phase: str) -> None:
    play.until(
        lambda: play.namespace.get("persistentvolume", name)["status"].get("phase") == phase,
        ROLLOUT_TIMEOUT_S,
        f"volume {phase}",
    )
