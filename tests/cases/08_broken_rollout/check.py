"""A rollout of a revision that never works: how many pods stay, how many wait, and the way back."""

from side_by_side import Case

COMMAND = "/spec/template/spec/containers/0/command"


def check(case: Case) -> None:
    case.apply()
    for name in ("web", "one"):
        case.out("rollout", "status", f"deployment/{name}", "--timeout=90s", timeout_s=100)
    silent = f'[{{"op":"replace","path":"{COMMAND}/2","value":"sleep 3600"}}]'
    missing = f'[{{"op":"replace","path":"{COMMAND}","value":["nope"]}}]'
    case.out("patch", "deployment", "web", "--type=json", "--patch", silent)
    case.out("patch", "deployment", "one", "--type=json", "--patch", missing)
    # Of four, 25 % rounded down may be missing and 25 % rounded up may be too many: three stay, two wait.
    case.eventually(lambda: _numbers(case, "web") == (5, 2, 3))
    # Of one, maxUnavailable 25 % is none and maxSurge is 0: upstream then lets one be missing.
    case.eventually(lambda: _numbers(case, "one") == (1, 1, 0))
    last = case.eventually(lambda: _start_error(case))
    assert '"nope": executable file not found in $PATH' in last
    assert case.column(case.list("pod", "app=one")[0]["metadata"]["name"]) in (
        "RunContainerError",
        "CrashLoopBackOff",
        "StartError",
    )
    case.out("rollout", "undo", "deployment/one")
    case.out("rollout", "status", "deployment/one", "--timeout=90s", timeout_s=100)


def _numbers(case: Case, name: str) -> tuple[int, ...]:
    status = case.get("deployment", name)["status"]
    return tuple(status.get(field, 0) for field in ("replicas", "updatedReplicas", "readyReplicas"))


def _start_error(case: Case) -> str:
    pods = case.list("pod", "app=one")
    assert len(pods) == 1
    status = pods[0]["status"]["containerStatuses"][0]
    every = (status["state"], status.get("lastState") or {})
    ends = [state["terminated"] for state in every if "terminated" in state]
    return str(ends[0]["message"]) if ends else ""
