"""Whether containers may have namespaces: tried by what runs them, refused by a real kernel, explained."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import refused_calls

from embedded_kubernetes.node import isolation
from embedded_kubernetes.node.isolation import Refusal
from k8s_helpers.cli.checks import machine

PYTHON = Path("/usr/bin/python3.12")
OPEN = {
    "kernel.apparmor_restrict_unprivileged_userns": 0,
    "kernel.unprivileged_userns_clone": 1,
    "user.max_user_namespaces": 1000,
}

JUDGE = """
import json, sys
from dataclasses import asdict
from k8s_helpers.cli.checks import machine
print(json.dumps(asdict(machine.check_namespaces())))
"""

WITHOUT_USER_NAMESPACES = """
import os, sys
from pathlib import Path
from embedded_kubernetes.node.runtime import syscalls
user, group = os.getuid(), os.getgid()
syscalls.unshare(syscalls.CLONE_NEWUSER)
Path("/proc/self/setgroups").write_text("deny")
Path("/proc/self/uid_map").write_text(f"1000 {user} 1")
Path("/proc/self/gid_map").write_text(f"1000 {group} 1")
Path("/proc/sys/user/max_user_namespaces").write_text("0")
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""


def examined(*launcher: str, **environment: str) -> dict[str, Any]:
    """Return what the doctor finds out in a process that `launcher` starts."""
    argv = [*launcher, sys.executable, "-c", JUDGE]
    done = subprocess.run(
        argv, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refusing(*calls: str) -> list[str]:
    return [sys.executable, refused_calls.__file__, *calls, "--"]


@pytest.fixture
def _allowed() -> None:
    if (refusal := isolation.refusals().network) is not None:
        pytest.skip(f"this machine refuses them anyway: {refusal}")


@pytest.mark.usefixtures("_allowed")
def test_the_trial_needs_no_program_of_the_system(tmp_path: Path) -> None:
    found = examined(PATH=str(tmp_path))
    assert found["state"] == "ok", found


@pytest.mark.usefixtures("_allowed")
@pytest.mark.parametrize(
    ("call", "error", "what"),
    [
        ("unshare", "EPERM", "unshare"),
        ("unshare", "ENOSYS", "unshare"),
        ("mount", "EACCES", "mount /"),
        ("pivot_root", "EPERM", "pivot_root"),
    ],
)
def test_whatever_the_kernel_refuses_is_named(call: str, error: str, what: str) -> None:
    found = examined(*refusing(f"{call}={error}"))
    assert found["state"] == "limited", found
    assert f": {what}, " in found["found"] and f"({error})" in found["found"]
    assert str(isolation.python()) in found["found"]
    assert "Rien d’obligatoire" in found["advice"]


@pytest.mark.usefixtures("_allowed")
def test_unshare_of_the_shell_says_nothing_of_ours() -> None:
    """The namespace is granted and its mounts are not: `unshare --user` is content, a container is not."""
    granted = subprocess.run(
        [*refusing("mount=EPERM"), "unshare", "--user", "--map-root-user", "true"], check=False
    )
    assert granted.returncode == 0
    assert examined(*refusing("mount=EPERM"))["state"] == "limited"


@pytest.mark.usefixtures("_allowed")
def test_a_limit_of_none_is_told_with_its_setting() -> None:
    found = examined(sys.executable, "-c", WITHOUT_USER_NAMESPACES, JUDGE, "--")
    assert "(ENOSPC)" in found["found"] and "user.max_user_namespaces = 0" in found["found"]
    assert "sysctl -w user.max_user_namespaces=" in found["advice"]


def test_who_does_without_them_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(isolation.variable(), "prefix")
    check = machine.check_namespaces()
    assert check.state == "limited" and f"{isolation.variable()}=prefix" in check.found


def test_a_trial_that_is_killed_is_a_refusal(tmp_path: Path) -> None:
    """A child that never says that it arrived has not arrived."""
    script = """
import os, signal
from embedded_kubernetes.node.runtime import namespaces
namespaces._go_apart = lambda settings, joined: os.kill(os.getpid(), signal.SIGKILL)
print(namespaces.tried({})[0])
namespaces._go_apart = lambda settings, joined: {}["machine"]
print(namespaces.tried({}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    killed, raised = done.stdout.splitlines()
    assert killed == "0" and "KeyError" in raised


@pytest.mark.parametrize(
    ("number", "switches", "root", "word"),
    [
        (
            errno.EPERM,
            {"kernel.apparmor_restrict_unprivileged_userns": 1},
            False,
            "profil AppArmor",
        ),
        (errno.EACCES, {"kernel.apparmor_restrict_unprivileged_userns": 1}, False, "userns=0 »"),
        (errno.EPERM, {"kernel.unprivileged_userns_clone": 0}, False, "userns_clone=1 »"),
        (errno.ENOSPC, {"user.max_user_namespaces": 0}, False, "max_user_namespaces=15000 »"),
        (errno.EPERM, {}, False, "seccomp"),
        (errno.EPERM, {"kernel.apparmor_restrict_unprivileged_userns": 1}, True, "seccomp"),
        (errno.ENOSYS, {}, False, "noyau ne les connaît pas"),
        (0, {}, False, "Rien d’obligatoire"),
    ],
)
def test_the_advice_fits_the_refusal(
    number: int, switches: dict[str, int | None], root: bool, word: str
) -> None:
    refusal = Refusal(number, "words", "/proc/self/uid_map")
    check = machine.judge_namespaces(refusal, OPEN | switches, PYTHON, root)
    assert check.state == "limited" and check.stops == ()
    assert f"refusés à {PYTHON} : /proc/self/uid_map" in check.found
    assert word in check.advice


def test_nothing_refused_is_nothing_to_do() -> None:
    assert machine.judge_network(None, "").state == "ok"
    assert machine.judge_network(None, "").advice == ""


def test_a_device_that_pods_lack_for_the_internet_is_named() -> None:
    check = machine.judge_network(None, "/dev/net/tun")
    assert check.state == "ok" and "chmod 666 /dev/net/tun" in check.advice
    assert machine.judge_network(None, "slirp4netns").advice == ""


@pytest.mark.usefixtures("_allowed")
def test_a_network_that_is_refused_leaves_the_rest() -> None:
    found = examined(*refusing("bind=EPERM"))
    assert found["state"] == "limited", found
    assert "un pod ne peut pas avoir son réseau : transparent socket" in found["found"]


def test_a_kernel_without_cables_is_told_how_to_get_them() -> None:
    check = machine.judge_network(
        Refusal(errno.EOPNOTSUPP, "Operation not supported", "add veth"), ""
    )
    assert check.state == "limited" and "modprobe veth" in check.advice
