"""Limits of the pod as a whole, where no container has one: memory, processor, a resize."""

import json

from side_by_side import Case

RESOURCES = {
    "limits": {"cpu": "200m", "memory": "64Mi"},
    "requests": {"cpu": "200m", "memory": "64Mi"},
}


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.phase("podlevel") == "Failed", timeout_s=180)
    ended = case.status("podlevel")["state"]["terminated"]
    assert case.is_out_of_memory(ended), ended
    case.eventually(lambda: _running(case, "podcpu"), timeout_s=180)
    # The node writes them a moment after the phase.
    case.eventually(lambda: case.get("pod", "podcpu")["status"]["resources"] == RESOURCES)
    allocated = case.get("pod", "podcpu")["status"]["allocatedResources"]
    assert allocated == RESOURCES["requests"], allocated
    case.eventually(lambda: _cores(case)[-1] < 0.3)
    half = {"spec": {"resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": "500m"}}}}
    case.out("patch", "pod", "podcpu", "--subresource=resize", "--patch", json.dumps(half))
    case.eventually(
        lambda: case.get("pod", "podcpu")["status"]["resources"]["limits"]["cpu"] == "500m"
    )
    case.eventually(lambda: case.events("podcpu", "ResizeCompleted"))
    case.eventually(
        lambda: case.get("pod", "podcpu")["status"]["allocatedResources"]["cpu"] == "500m"
    )
    assert case.status("podcpu")["restartCount"] == 0
    case.eventually(lambda: case.phase("emptyres") == "Running")


def _running(case: Case, pod: str) -> dict[str, object]:
    status = case.get("pod", pod)["status"]
    return status if status["phase"] == "Running" else {}


def _cores(case: Case) -> list[float]:
    return [float(line.split()[0]) for line in case.logs("podcpu").splitlines()]
