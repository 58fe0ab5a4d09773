"""Claims, volumes and classes: who waits for whom, what is made, what is left when the claim goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..._checks import bounds
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...kube.watch import WatchEvent
from ...measure.carnet import PROGRAM, execute
from ...measure.lane import ROLLOUT_TIMEOUT_S, Lane
from ...measure.measure import Measure
from ...measure.recorder import Recorder
from ...measure.recording import Recording
from .codes import Claim, NoteRead, PhaseChange, StorageMark, Stuck
from .lab import LAB
from .summary import CLAIM_KIND, GONE

WATCHED_S = 2.0
"""How long a claim without consumer is seen to wait."""

_CLAIM, _POD = "notes", "carnet"
_NOTE = "à garder"
_VOLUMES = "/api/v1/persistentvolumes"


@stoppable
def measure(
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
    cluster
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
    bounds("Suivre des demandes de volumes", (patience_s, 2, 60, "s de patience"))
    with LAB.open(cluster, progress, app="carnet", live=False) as measure:
        acts: dict[str, Callable[[], None]] = {
            Claim.DELETE: partial(_delete, measure),
            Claim.RETAIN: partial(_retain, measure),
            Claim.IMPOSSIBLE: partial(_impossible, measure, patience_s),
        }
        measure.together(acts)
        return measure.recording()


def _delete(measure: Measure) -> None:
    with measure.lane(Claim.DELETE, "Delete") as lane, _followed(lane):
        _claim_waits(lane)
        _consume(lane)
        lane.step("le pod meurt, un autre vient")
        _drop_pod(lane)
        _consume(lane, write=False)
        lane.step("la demande est supprimée pendant que le pod l’utilise")
        lane.mark(StorageMark.DELETE_CLAIM)
        lane.namespace.delete_object("persistentvolumeclaim", _CLAIM)
        lane.pause(WATCHED_S)
        _drop_pod(lane)
        lane.until(lambda: not _volumes(lane), ROLLOUT_TIMEOUT_S, "suppression du volume")


def _retain(measure: Measure) -> None:
    with measure.lane(Claim.RETAIN, "Retain") as lane, _followed(lane):
        _claim_waits(lane)
        _consume(lane)
        (volume,) = _volumes(lane)
        name = volume["metadata"]["name"]
        try:
            _keep(lane, name)
        finally:
            _drop_pod(lane)
            _give_back(lane, name)


def _keep(lane: Lane, name: str) -> None:
    """Change the policy, delete the claim, and hand what is left over to a new one."""
    lane.step("politique Retain")
    lane.mark(StorageMark.RETAIN)
    _patch_volume(lane, name, {"spec": {"persistentVolumeReclaimPolicy": "Retain"}})
    _drop_pod(lane)
    lane.step("la demande est supprimée, le volume reste")
    lane.mark(StorageMark.DELETE_CLAIM)
    lane.namespace.delete_object("persistentvolumeclaim", _CLAIM, timeout_s=ROLLOUT_TIMEOUT_S)
    _wait_volume(lane, name, "Released")
    lane.pause(WATCHED_S)
    lane.step("le volume est rendu disponible à la main")
    lane.mark(StorageMark.CLEAR_CLAIM)
    _patch_volume(lane, name, {"spec": {"claimRef": None}})
    _wait_volume(lane, name, "Available")
    lane.pause(1.0)
    lane.mark(StorageMark.CLAIM)
    lane.apply("demande.yaml", lambda plain: plain["spec"].update(volumeName=name))
    _wait_volume(lane, name, "Bound")
    _consume(lane, write=False)


def _impossible(measure: Measure, patience_s: float) -> None:
    with measure.lane(Claim.IMPOSSIBLE, "Classe inconnue") as lane, _followed(lane):
        lane.step(f"une demande que personne ne satisfait, pendant {patience_s:g} s")
        lane.mark(StorageMark.CLAIM)
        lane.apply("demande-impossible.yaml")
        lane.mark(StorageMark.CONSUMER)
        lane.apply("carnet.yaml")
        lane.pause(patience_s)
        claim = lane.namespace.get("persistentvolumeclaim", _CLAIM)
        pod = lane.namespace.get("pod", _POD)
        messages = (
            condition.get("message", "")
            for condition in pod["status"].get("conditions", ())
            if condition["status"] == "False"
        )
        stuck = Stuck(claim["status"]["phase"], pod["status"]["phase"], next(messages, ""))
        lane.note(StorageMark.STUCK, stuck)


# --- acts


def _claim_waits(lane: Lane) -> None:
    """Make a claim of the default class, and see that nothing happens as long as no pod wants it."""
    lane.step("une demande que personne n’utilise encore")
    lane.mark(StorageMark.CLAIM)
    lane.apply("demande.yaml")
    lane.pause(WATCHED_S)


def _consume(lane: Lane, *, write: bool = True) -> None:
    """Start a pod that uses the claim; write a note, or read those that are there."""
    lane.step("un pod l’utilise")
    lane.mark(StorageMark.CONSUMER)
    lane.apply("carnet.yaml")
    lane.in_background(lambda: lane.namespace.wait("pod", _POD, "Ready", ROLLOUT_TIMEOUT_S))
    if write:
        execute(lane, _POD, *PROGRAM, "note", _NOTE)
    notes = execute(lane, _POD, *PROGRAM, "notes").splitlines()
    lane.note(StorageMark.READ, NoteRead(written=write, kept=notes == [_NOTE]))


def _drop_pod(lane: Lane) -> None:
    lane.mark(StorageMark.DELETE_POD)
    lane.in_background(
        lambda: lane.namespace.delete_object("pod", _POD, timeout_s=ROLLOUT_TIMEOUT_S)
    )


def _give_back(lane: Lane, name: str) -> None:
    """Let the provisioner take the volume away with the claim, as it would have without us."""
    _patch_volume(lane, name, {"spec": {"persistentVolumeReclaimPolicy": "Delete"}})
    lane.namespace.delete_object("persistentvolumeclaim", _CLAIM, timeout_s=ROLLOUT_TIMEOUT_S)
    lane.until(lambda: not _volumes(lane), ROLLOUT_TIMEOUT_S, "suppression du volume")


# --- what the API shows


@contextmanager
def _followed(lane: Lane) -> Iterator[None]:
    """Record the run, with each phase of its claims and volumes."""
    with lane.recorded(events=True) as recorder:
        for path in (lane.namespace.path("persistentvolumeclaim"), _VOLUMES):
            recorder.follow(path, partial(_note_phase, lane, recorder, {}))
        yield


def _note_phase(lane: Lane, recorder: Recorder, known: dict[str, str], event: WatchEvent) -> None:
    """Note each change of phase; a volume is ours from its claim on."""
    item, name = event.object, event.object["metadata"]["name"]
    owner = item["metadata"].get("namespace") or _claimed_in(item)
    phase = _phase(event.type, item)
    if (owner == lane.namespace.name or name in known) and known.get(name) != phase:
        known[name] = phase
        kind = CLAIM_KIND if "namespace" in item["metadata"] else "PersistentVolume"
        change = PhaseChange(kind, name, item["metadata"]["uid"], phase)
        lane.note(StorageMark.PHASE, change, recorder.clock.from_monotonic(event.received_s))


def _claimed_in(volume: dict[str, Any]) -> str | None:
    """Return the namespace of a volume's claim; None where it has none."""
    claim: dict[str, str] = volume["spec"].get("claimRef") or {}
    return claim.get("namespace")


def _phase(change: str, item: dict[str, Any]) -> str:
    if change == "DELETED":
        return GONE
    if "deletionTimestamp" in item["metadata"]:
        return "Terminating"
    return str((item.get("status") or {}).get("phase") or "Pending")


def _volumes(lane: Lane) -> list[dict[str, Any]]:
    """Return the volumes whose claim is, or was, in this namespace."""
    volumes = lane.namespace.list("persistentvolumes")
    return [volume for volume in volumes if _claimed_in(volume) == lane.namespace.name]


def _patch_volume(lane: Lane, name: str, patch: dict[str, Any]) -> None:
    lane.namespace.patch("persistentvolume", name, patch)


def _wait_volume(lane: Lane, name: str, phase: str) -> None:
    lane.until(
        lambda: lane.namespace.get("persistentvolume", name)["status"].get("phase") == phase,
        ROLLOUT_TIMEOUT_S,
        f"volume {phase}",
    )
