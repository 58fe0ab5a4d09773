"""What the containers of a pod become when the node begins again: their processes died with the node before.

What ran counts as a life that ended in an unknown way; what may run again does, with one more restart. Init
containers run again too, as the pod's sandbox is a new one. (source: `convertToAPIContainerStatuses` of
`pkg/kubelet/kubelet_pods.go`, `computePodActions` where the sandbox has changed)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..records import Object, Record, specs
from ..wall import seconds, timestamp
from .decisions import should_restart
from .status import RUNTIME_NAME

LOST_CODE = 137


def restored(pod: Object, now_wall_s: float) -> list[Record]:
    """Return the records of a pod's containers, with what its status says of earlier lives.

    Parameters
    ----------
    pod : dict
        The pod as the API has it.
    now_wall_s : float
        When what ran is said to have ended.
    """
    status = pod.get("status") or {}
    known = {
        container_status["name"]: container_status
        for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for container_status in status.get(field) or ()
    }
    records = [Record(spec, role) for spec, role in specs(pod)]
    for record in records:
        if record.name in known:
            _recall(record, known[record.name], now_wall_s)
    over = status.get("phase") in ("Succeeded", "Failed")
    if not over and any(_again(record, pod["spec"]) for record in records if record.role == "main"):
        _begin_again(records, pod["spec"])
    return records


def _recall(record: Record, status: Object, now_wall_s: float) -> None:
    """Take over what a status says of a container."""
    record.restart_count = status.get("restartCount", 0)
    record.container_id = status.get("containerID", "").removeprefix(f"{RUNTIME_NAME}://")
    record.image_id, record.image_name = status.get("imageID", ""), status.get("image", "")
    record.last = (status.get("lastState") or {}).get("terminated")
    state = status.get("state") or {}
    if "terminated" in state:
        record.exited = state["terminated"]
    elif "running" in state:
        record.exited = {
            "exitCode": LOST_CODE,
            "reason": "ContainerStatusUnknown",
            "message": "The container could not be located when the node started again: it ended with the node",
            "startedAt": state["running"].get("startedAt"),
            "finishedAt": timestamp(now_wall_s),
            "containerID": status.get("containerID", ""),
        }
    elif record.last is not None:
        record.exited, record.last = record.last, None
    if record.exited is not None:
        record.lives = 1
        finished = record.exited.get("finishedAt")
        record.finished_wall_s = seconds(finished) if finished else now_wall_s


def _again(record: Record, pod_spec: Object) -> bool:
    code = record.exit_code
    return code is None or should_restart(record.spec, pod_spec, code)


def _begin_again(records: Sequence[Record], pod_spec: Object) -> None:
    """Let init containers run again before the main ones, unless those that have run may not."""
    inits = [record for record in records if record.role in ("init", "sidecar")]
    if pod_spec.get("restartPolicy") == "Never":
        return
    for record in inits:
        if record.exited is None:
            continue
        record.last, record.exited = record.exited, None
        record.last_finished_wall_s = record.finished_wall_s
        record.restart_count += 1
        record.lives = 0
    if not inits:
        return
    for record in records:
        if record.role == "main" and record.exited is not None and _again(record, pod_spec):
            record.last, record.exited = record.exited, None
            record.last_finished_wall_s = record.finished_wall_s
            record.restart_count += 1
            record.lives = 0
