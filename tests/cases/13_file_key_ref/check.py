"""A variable out of a file that an init container has written."""

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.phase("envfile") == "Succeeded", timeout_s=180)
    assert case.logs("envfile", "app").strip() == "A=x y B= C="
