"""A sidecar's exit code restarts every container of a pod, init containers first; another one only its own."""

from typing import Any

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.phase("all") == "Running" and case.ready("all"), timeout_s=180)
    before = case.get("pod", "all")
    assert _condition(before)["status"] == "False"
    case.eventually(lambda: case.status("all", "main").get("restartCount") == 1, timeout_s=180)
    case.eventually(lambda: case.ready("all"), timeout_s=180)
    after = case.get("pod", "all")
    for path in (("metadata", "uid"), ("status", "podIP")):
        assert after[path[0]][path[1]] == before[path[0]][path[1]]
    statuses = [*after["status"]["initContainerStatuses"], *after["status"]["containerStatuses"]]
    assert {one["name"]: one["restartCount"] for one in statuses} == {
        "first": 1,
        "watcher": 1,
        "main": 1,
    }
    last = case.status("all", "main")["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("RestartingAllContainers", 137)
    assert case.logs("all", "first").split() == ["init", "init"]
    assert _condition(after)["status"] == "False"
    case.eventually(lambda: case.phase("rule") == "Failed", timeout_s=180)
    assert case.status("rule")["restartCount"] == 2
    assert case.logs("rule").strip() == "life 3"


def _condition(pod: dict[str, Any]) -> dict[str, Any]:
    conditions = {one["type"]: one for one in pod["status"]["conditions"]}
    return dict(conditions["AllContainersRestarting"])
