"""Hooks that fail or take too long: who is killed when, and what events and STATUS say."""

import time

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    case.out("wait", "--for=condition=Ready", "pod/long", "pod/badhook", "--timeout=60s")
    case.eventually(lambda: case.column("badstart") == "PostStartHookError")
    assert case.events("badstart", "FailedPostStartHook")
    began_s = time.monotonic()
    case.out("delete", "pod", "long")
    # Five seconds of grace go to the hook, and two more to the program, which ignores its signal.
    assert 6 <= time.monotonic() - began_s < 30
    case.out("delete", "pod", "badhook")
    for name in ("long", "badhook"):
        case.eventually(lambda name=name: case.events(name, "FailedPreStopHook"))
