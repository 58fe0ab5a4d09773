"""Resources of running containers are changed: up, below what is in use, back up; by a restart; and what is refused."""

import json
from typing import Any

from side_by_side import Case

BELOW_USE = 'attempting to set container "app" memory limit (104857600) below current usage ('


def check(case: Case) -> None:
    case.apply()
    for pod in ("r", "restarts", "bare"):
        case.eventually(lambda pod=pod: case.ready(pod), timeout_s=180)
    case.eventually(lambda: "has 120 MB" in case.logs("r"))
    case.out(*_resize("r", {"requests": {"cpu": "200m"}, "limits": {"memory": "300Mi"}}))
    case.eventually(lambda: _limit(case, "r") == "300Mi" and not _condition(case, "r"))
    _below_use(case)
    case.out(*_resize("r", {"limits": {"memory": "280Mi"}}))
    case.eventually(lambda: _limit(case, "r") == "280Mi" and not _condition(case, "r"))
    assert case.status("r")["restartCount"] == 0
    case.out(*_resize("restarts", {"requests": {"memory": "150Mi"}, "limits": {"memory": "150Mi"}}))
    case.eventually(lambda: case.status("restarts")["restartCount"] == 1)
    case.eventually(lambda: _limit(case, "restarts") == "150Mi")
    _refused(case)


def _below_use(case: Case) -> None:
    case.out(*_resize("r", {"limits": {"memory": "100Mi"}}))
    case.eventually(lambda: _condition(case, "r").get("status") == "True")
    condition = case.eventually(lambda: _failed(case, "r"), timeout_s=90)
    assert BELOW_USE in condition["message"], condition
    assert case.eventually(lambda: case.events("r", "ResizeError"))[0]["type"] == "Warning"
    status = case.status("r")
    assert (status["restartCount"], "running" in status["state"]) == (0, True)
    assert status["resources"]["limits"]["memory"] == "300Mi"


def _refused(case: Case) -> None:
    much = {"requests": {"cpu": "100"}, "limits": {"cpu": "100"}}
    assert "node didn't have enough allocatable resources" in _error(case, "r", much)
    same = {"cpu": "500m", "memory": "280Mi"}
    guaranteed = _error(case, "r", {"requests": same, "limits": same})
    assert "Pod QOS Class may not change as a result of resizing" in guaranteed
    some = _error(case, "bare", {"requests": {"cpu": "50m"}})
    assert "Pod QOS Class may not change as a result of resizing" in some


def _resize(pod: str, resources: dict[str, Any]) -> tuple[str, ...]:
    patch = {"spec": {"containers": [{"name": "app", "resources": resources}]}}
    return ("patch", "pod", pod, "--subresource=resize", "--patch", json.dumps(patch))


def _error(case: Case, pod: str, resources: dict[str, Any]) -> str:
    done = case.kubectl(*_resize(pod, resources))
    assert done.returncode != 0
    return str(done.stderr)


def _limit(case: Case, pod: str) -> str:
    return str(case.status(pod)["resources"]["limits"]["memory"])


def _condition(case: Case, pod: str) -> dict[str, Any]:
    conditions = case.get("pod", pod)["status"]["conditions"]
    return next((one for one in conditions if one["type"] == "PodResizeInProgress"), {})


def _failed(case: Case, pod: str) -> dict[str, Any]:
    """Return the condition once it tells of a limit below use: a busy kind said something else first, once."""
    condition = _condition(case, pod)
    why = condition.get("message", "").startswith("cannot decrease memory limits: ")
    return condition if condition.get("reason") == "Error" and why else {}
