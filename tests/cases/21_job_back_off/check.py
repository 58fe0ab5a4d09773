"""Jobs that fail, that take too long, and an indexed one: what their conditions say."""

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    assert case.eventually(lambda: _failed(case, "fails")) == (
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
    )
    assert len(case.list("pod", "job-name=fails")) == 2  # the first one, and one retry
    assert case.eventually(lambda: _failed(case, "deadline")) == (
        "DeadlineExceeded",
        "Job was active longer than specified deadline",
    )
    case.eventually(lambda: case.phase("late") == "Failed")
    late = case.get("pod", "late")["status"]
    assert late["reason"] == "DeadlineExceeded"
    assert late["message"] == "Pod was active on the node longer than the specified deadline"
    case.eventually(lambda: case.get("job", "indexed")["status"].get("succeeded") == 3)
    said = {
        case.logs(pod["metadata"]["name"]).strip() for pod in case.list("pod", "job-name=indexed")
    }
    assert said == {f"index {number} on indexed-{number}" for number in range(3)}


def _failed(case: Case, job: str) -> tuple[str, str] | None:
    conditions = case.get("job", job)["status"].get("conditions") or ()
    failed = [one for one in conditions if one["type"] == "Failed" and one["status"] == "True"]
    return (failed[0]["reason"], failed[0]["message"]) if failed else None
