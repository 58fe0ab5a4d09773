"""`kubectl logs -f` over a rotation: no line is lost and none comes twice; afterwards `logs` has the younger file."""

import os
import subprocess

from side_by_side import Case

from k8s_helpers.cluster.clusters import environment

LINES = 140_000


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.ready("chatty"))
    followed = list(_follow(case))
    assert followed == [*range(LINES), "END"]
    # The kubelet looks every ten seconds whether a log has become too long.
    kept = case.eventually(lambda: (now := case.logs("chatty").splitlines())[0] != _line(0) and now)
    assert kept[-1] == "END"
    assert kept[:-1] == [_line(number) for number in range(LINES - len(kept) + 1, LINES)]
    assert case.out("logs", "chatty", "--tail=2").splitlines() == [_line(LINES - 1), "END"]


def _line(number: int) -> str:
    return f"{number:09d} " + "x" * 89


def _follow(case: Case) -> list[int | str]:
    argv = ["kubectl", "--namespace", case.namespace.name, "logs", "-f", "chatty"]
    process = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment(case.cluster.provider)},
    )
    found: list[int | str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            word = line.split()[0]
            found.append(int(word) if word.isdigit() else word)
            if word == "END":
                return found
    finally:
        process.kill()
        process.communicate()
    raise AssertionError(f"the log ended after {len(found)} lines, at {found[-1:]}")
