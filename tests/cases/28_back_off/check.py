"""Back-off: what STATUS says while a restart waits, how long it waits, and that two kills go before any wait."""

import calendar
import time

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    # A crash: the second one waits ten seconds, or up to half as much again, and goes on showing how it ended.
    case.eventually(lambda: case.status("crash")["restartCount"] == 1)
    case.eventually(lambda: "terminated" in case.status("crash")["state"])
    assert case.column("crash") == "Error"
    ended = case.status("crash")["state"]["terminated"]
    assert ended["exitCode"] == 3
    case.eventually(lambda: case.events("crash", "BackOff"))
    started = case.eventually(lambda: _third_start(case))
    waited_s = _seconds(started) - _seconds(ended["finishedAt"])
    assert 9 <= waited_s <= 15 + 5  # whole seconds, and what a start takes
    # What a probe kills is looked at twice: it says that it waits, from the third time on.
    last = case.eventually(lambda: _waiting(case, "sick"), timeout_s=90)
    assert last["restartCount"] >= 2
    assert last["state"]["waiting"]["message"].startswith("back-off ")


def _third_start(case: Case) -> str:
    status = case.status("crash")
    assert status["restartCount"] == 2
    return str(status["state"]["running"]["startedAt"])


def _waiting(case: Case, pod: str) -> dict | None:
    status = case.status(pod)
    waits = status["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
    return status if waits else None


def _seconds(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
