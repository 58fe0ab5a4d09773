"""A pod's status from what the node knows of its containers: states, conditions, phase. Pure.

(source: `generateAPIPodStatus` and `getPhase` of `pkg/kubelet/kubelet_pods.go`, `pkg/kubelet/status/generate.go`)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..records import RESTARTING_ALL, Object, Record
from ..wall import timestamp
from .conditions import condition, conditions_of, restarting_all, verdicts
from .decisions import may_restart_all, restarts_all, should_restart

RUNTIME_NAME = "process"
_GROUPS = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
RESIZE_CONDITIONS = ("PodResizePending", "PodResizeInProgress")


@dataclass(frozen=True)
class PodFacts:
    """What the node knows of a pod beside its containers.

    Attributes
    ----------
    ended : bool
        Nothing of it will ever run again on this node.
    generation : int, or None
        Of the spec that was last acted on; the pod's by default.
    rejected : tuple of str, or None
        Reason and message where the node itself has failed the pod (`DeadlineExceeded`).
    resize : tuple of dict
        Conditions of a resize under way.
    resources, allocated : dict
        What the pod as a whole runs with, and what of it the node has granted (requests).
    """

    host_ip: str
    pod_ip: str
    started_wall_s: float
    sandbox_ready: bool
    ended: bool = False
    rejected: tuple[str, str] | None = None
    generation: int | None = None
    resize: tuple[Object, ...] = field(default=())
    resources: Object | None = None
    allocated: Object = field(default_factory=dict)


def pod_status(
    pod: Object, records: Sequence[Record], facts: PodFacts, previous: Object, now_wall_s: float
) -> Object:
    """Return the fields of a pod's status that its node owns.

    Parameters
    ----------
    pod : dict
        The pod as the API has it (others' conditions count for its readiness gates).
    previous : dict
        The status that was last computed, or the API's for the first one.
    records : sequence of Record
        Its containers in the order of the spec.
    facts : PodFacts
        The rest.
    now_wall_s : float
        Instant of the transitions that this status brings.
    """
    waits_for_init = bool(pod["spec"].get("initContainers"))
    shown = {
        entry["name"]: entry
        for group in _GROUPS
        for entry in previous.get(group) or ()
        if "state" in entry
    }
    statuses = {
        record.name: shown[record.name]
        if record.starting and record.name in shown
        else container_status(record, waits_for_init and record.role != "ephemeral")
        for record in records
    }
    for record in records:
        if record.user is not None and record.container_id:
            statuses[record.name]["user"] = record.user
    phase = _phase(pod, records, statuses, facts, previous)
    generation = facts.generation or pod["metadata"].get("generation", 1)
    said = verdicts(pod, records, statuses, phase, sandbox_ready=facts.sandbox_ready)
    old = conditions_of(previous)
    if not said["Initialized"][0] and old.get("Initialized", {}).get("status") == "True":
        said["Initialized"] = (True, "", "")  # what was initialised once stays so
    if may_restart_all(pod["spec"]):
        said["AllContainersRestarting"] = restarting_all(records, phase)
    conditions = [
        condition(kind, verdict, old.get(kind), generation, now_wall_s)
        for kind, verdict in said.items()
    ]
    status: Object = {
        "observedGeneration": generation,
        "phase": phase,
        "conditions": [*conditions, *facts.resize, *_past_resizes(pod, facts)],
        "hostIP": facts.host_ip,
        "hostIPs": [{"ip": facts.host_ip}],
        "startTime": timestamp(facts.started_wall_s),
        "containerStatuses": sorted(
            _of_role(records, statuses, "main"), key=lambda status: str(status["name"])
        ),
    }
    if facts.resources is not None:
        status["resources"] = facts.resources
        status["allocatedResources"] = facts.allocated
    if facts.pod_ip:
        status["podIP"] = facts.pod_ip
        status["podIPs"] = [{"ip": facts.pod_ip}]
    if waits_for_init:
        status["initContainerStatuses"] = _of_role(records, statuses, "init", "sidecar")
    if pod["spec"].get("ephemeralContainers"):
        status["ephemeralContainerStatuses"] = _of_role(records, statuses, "ephemeral")
    if facts.rejected is not None:
        status["reason"], status["message"] = facts.rejected
    return status


def _past_resizes(pod: Object, facts: PodFacts) -> list[Object]:
    """Return what takes the conditions of a resize away that is over."""
    current = {condition["type"] for condition in facts.resize}
    shown = conditions_of(pod.get("status") or {})
    return [
        {"$patch": "delete", "type": kind}
        for kind in RESIZE_CONDITIONS
        if kind in shown and kind not in current
    ]


def _of_role(
    records: Sequence[Record], statuses: Mapping[str, Object], *roles: str
) -> list[Object]:
    return [statuses[record.name] for record in records if record.role in roles]


def container_status(record: Record, waits_for_init: bool) -> Object:
    """Return one entry of `containerStatuses`."""
    spec = record.spec
    status: Object = {
        "name": record.name,
        "image": record.image_name or spec["image"],
        "imageID": record.image_id,
        "restartCount": record.restart_count,
        "state": _state(record, waits_for_init),
        "lastState": {},
        "started": record.announced and record.running and record.started,
        "ready": _ready(record),
    }
    if record.container_id or record.lives:
        status["resources"] = record.actuated if record.running else record.allocated
    if record.container_id:
        status["containerID"] = f"{RUNTIME_NAME}://{record.container_id}"
    last = record.last
    if "waiting" in status["state"] and record.exited is not None:
        last = record.exited
    if last is not None:
        status["lastState"] = {"terminated": last}
    if record.allocated.get("requests") and "resources" in status:
        status["allocatedResources"] = record.allocated["requests"]
    mounts = [_mount_status(mount) for mount in spec.get("volumeMounts") or ()]
    if mounts:
        status["volumeMounts"] = mounts
    return status


def _mount_status(mount: Object) -> Object:
    status = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        status["readOnly"] = True
        status["recursiveReadOnly"] = "Disabled"
    return status


def _state(record: Record, waits_for_init: bool) -> Object:
    if record.running and record.announced and record.container is not None:
        return {"running": {"startedAt": timestamp(record.started_wall_s)}}
    if not record.running and record.waiting is not None:
        waiting = {"reason": record.waiting.reason}
        if record.waiting.message:
            waiting["message"] = record.waiting.message
        return {"waiting": waiting}
    if record.exited is not None:
        return {"terminated": record.exited}
    reason = "PodInitializing" if waits_for_init else "ContainerCreating"
    return {"waiting": {"reason": reason}}


def _ready(record: Record) -> bool:
    if record.role == "ephemeral":
        return False
    if record.role == "init":
        return record.exit_code == 0
    return record.running and record.announced and record.started and record.ready


def _phase(
    pod: Object,
    records: Sequence[Record],
    statuses: Mapping[str, Object],
    facts: PodFacts,
    previous: Object,
) -> str:
    known = previous.get("phase")
    if known in ("Succeeded", "Failed"):
        return str(known)
    if facts.rejected is not None:
        return "Failed"
    counts = _count(pod["spec"], records, statuses)
    if counts.failed_init:
        return "Failed"
    initialised = any(record.lives for record in records if record.role == "main")
    pending = counts.pending_init or (counts.pending_sidecars and not initialised)
    unfinished = pending or counts.waiting
    if facts.ended:
        succeeded = counts.stopped == counts.succeeded and not unfinished
        return "Succeeded" if succeeded else "Failed"
    if unfinished:
        return "Pending"
    if counts.running or counts.restarting:
        return "Running"
    if not counts.stopped:
        return "Pending"
    return "Succeeded" if counts.stopped == counts.succeeded else "Failed"


@dataclass
class _Counts:
    pending_init: int = 0
    failed_init: int = 0
    pending_sidecars: int = 0
    running: int = 0
    waiting: int = 0
    stopped: int = 0
    succeeded: int = 0
    restarting: int = 0


def _count(pod_spec: Object, records: Sequence[Record], statuses: Mapping[str, Object]) -> _Counts:
    counts = _Counts()
    begins_again = restarts_all(records)

    def restarts(record: Record, ended: Object) -> bool:
        return (
            begins_again
            or ended.get("reason") == RESTARTING_ALL.reason
            or should_restart(record.spec, pod_spec, ended["exitCode"])
        )

    for record in records:
        status = statuses[record.name]
        state = status["state"]
        ended = state.get("terminated") or (status["lastState"] or {}).get("terminated")
        running = "running" in state
        if record.role == "init":
            if running or ended is None:
                counts.pending_init += 1
            elif ended["exitCode"] != 0 and not restarts(record, ended):
                counts.failed_init += 1
        elif record.role == "sidecar":
            counts.running += running
            counts.pending_sidecars += running and not status["started"]
            counts.waiting += not running and ended is None
        elif record.role == "main":
            if running:
                counts.running += 1
            elif ended is None:
                counts.waiting += 1
            else:
                counts.stopped += 1
                # A life that ended with 0 and is being restarted waits: only a final one has succeeded.
                counts.succeeded += "terminated" in state and ended["exitCode"] == 0
                counts.restarting += restarts(record, ended)
    return counts
