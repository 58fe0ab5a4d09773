"""A pod's conditions from the states of its containers. Pure.

(source: `pkg/kubelet/status/generate.go`)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..records import Object, Record
from ..wall import timestamp
from .decisions import restarts_all

Verdict = tuple[bool, str, str]
"""Status, reason, message."""


def verdicts(
    pod: Object,
    records: Sequence[Record],
    statuses: Mapping[str, Object],
    phase: str,
    *,
    sandbox_ready: bool,
) -> dict[str, Verdict]:
    """Return what the conditions that a node owns say of a pod.

    Parameters
    ----------
    pod : dict
        The pod as the API has it: others' conditions count for its readiness gates.
    records : sequence of Record
        Its containers.
    statuses : mapping
        Name → entry of `containerStatuses`.
    phase : str
        The pod's phase.
    sandbox_ready : bool
        Whether it has its address and its volumes.
    """
    containers_ready = _containers_ready(records, statuses, phase)
    return {
        "PodReadyToStartContainers": (
            sandbox_ready,
            "" if sandbox_ready else "PodSandboxNotReady",
            "",
        ),
        "Initialized": _initialised(records, statuses, phase),
        "Ready": _gates(pod) if containers_ready[0] else containers_ready,
        "ContainersReady": containers_ready,
        "PodScheduled": (True, "", ""),
    }


def conditions_of(status: Object) -> dict[str, Object]:
    """Return a status's conditions by type."""
    return {
        condition["type"]: condition
        for condition in status.get("conditions") or ()
        if "$patch" not in condition
    }


def condition(
    kind: str, verdict: Verdict, old: Object | None, generation: int, now_wall_s: float
) -> Object:
    """Return a condition; the time of its transition is the old one's where its status is the same."""
    status = "True" if verdict[0] else "False"
    since = timestamp(now_wall_s)
    if old is not None and old.get("status") == status:
        since = old["lastTransitionTime"]
    return {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": since,
        # None takes away what an earlier state left there (strategic merge patch).
        "reason": verdict[1] or None,
        "message": verdict[2] or None,
        "observedGeneration": generation,
    }


def _containers_ready(
    records: Sequence[Record], statuses: Mapping[str, Object], phase: str
) -> Verdict:
    if phase == "Succeeded":
        return False, "PodCompleted", ""
    if phase == "Failed":
        return False, "PodFailed", ""
    unready = [
        record.name
        for record in records
        if record.role in ("sidecar", "main") and not statuses[record.name]["ready"]
    ]
    if unready:
        words = f"containers with unready status: [{' '.join(unready)}]"
        return False, "ContainersNotReady", words
    return True, "", ""


def restarting_all(records: Sequence[Record], phase: str) -> Verdict:
    """Return whether all containers of a pod are being restarted because one has asked for it."""
    if phase in ("Succeeded", "Failed"):
        return False, f"Pod{'Completed' if phase == 'Succeeded' else 'Failed'}", ""
    if restarts_all(records):
        words = "container exited with restart policy rule"
        return True, "RestartAllContainersStarted", words
    return False, "", ""


def _gates(pod: Object) -> Verdict:
    held = conditions_of(pod.get("status") or {})
    words = []
    for gate in pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in held:
            words.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif held[kind]["status"] != "True":
            said = held[kind]["status"]
            words.append(f'the status of pod readiness gate "{kind}" is not "True", but {said}')
    return (False, "ReadinessGatesNotReady", ", ".join(words)) if words else (True, "", "")


def _initialised(records: Sequence[Record], statuses: Mapping[str, Object], phase: str) -> Verdict:
    if phase == "Succeeded":
        return True, "PodCompleted", ""
    if any(record.lives for record in records if record.role == "main"):
        return True, "", ""
    missing = [
        record.name
        for record in records
        if (record.role == "init" and not statuses[record.name]["ready"])
        or (record.role == "sidecar" and not statuses[record.name]["started"])
    ]
    if missing:
        words = f"containers with incomplete status: [{' '.join(missing)}]"
        return False, "ContainersNotInitialized", words
    return True, "", ""
