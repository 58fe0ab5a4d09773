"""exec into what has ended, of what is not there, and its exit codes."""

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: "terminated" in case.status("half", "a")["state"])
    case.eventually(lambda: "running" in case.status("half", "b")["state"])
    assert 'container not found ("a")' in _exec(case, "a", "true")[1]
    code, said = _exec(case, "b", "nosuchprogram")
    assert code != 0
    assert "OCI runtime exec failed: exec failed: unable to start container process" in said
    assert 'exec: "nosuchprogram": executable file not found in $PATH' in said
    assert _exec(case, "b", "sh", "-c", "exit 7")[0] == 7
    assert _exec(case, "b", "sh", "-c", "kill -9 $$")[0] == 137


def _exec(case: Case, container: str, *command: str) -> tuple[int, str]:
    done = case.kubectl("exec", "half", "--container", container, "--", *command)
    return done.returncode, done.stderr
