"""Limits of what a pod writes: emptyDir on disk and in memory, ephemeral-storage."""

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.phase("mem") == "Running", timeout_s=180)
    # What a program writes on its two streams may change places.
    listed = case.eventually(
        lambda: [line for line in case.logs("mem").splitlines() if line.endswith(" x")]
    )
    said = case.eventually(lambda: "records out" in case.logs("mem") and case.logs("mem"))
    assert "No space left on device" in said
    assert "size=2048k" in said
    assert listed[0].split()[4] == str(2 << 20)
    # On cgroup v1 the kernel kills the writer alone, on v2 the container.
    case.eventually(lambda: "rc 137" in case.logs("memoom") or _oom_killed(case, "memoom"))
    _evicted(case, "over", 'Usage of EmptyDir volume "d" exceeds the limit "1Mi". ')
    words = "Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. "
    _evicted(case, "eph", words)


def _evicted(case: Case, pod: str, message: str) -> None:
    case.eventually(lambda: case.phase(pod) == "Failed", timeout_s=150)
    status = case.get("pod", pod)["status"]
    assert (status["reason"], status["message"]) == ("Evicted", message)
    # The pod is said to be evicted before its container has ended.
    case.eventually(lambda: case.status(pod)["state"]["terminated"]["exitCode"] == 137)
    events = case.eventually(lambda: case.events(pod, "Evicted"))
    assert (events[0]["type"], events[0]["message"]) == ("Warning", message)


def _oom_killed(case: Case, pod: str) -> bool:
    return case.is_out_of_memory(case.status(pod)["state"]["terminated"])
