"""Kernel settings of pods: those that a kubelet lets through (`SafeSysctlAllowlist`), and its words for the others."""

import pytest

from embedded_kubernetes.node.rules.sysctls import forbidden, sysctls


def pod(*settings: tuple[str, str], **spec):
    asked = [{"name": name, "value": value} for name, value in settings]
    return {"spec": {"securityContext": {"sysctls": asked}, **spec}}


def test_both_ways_to_write_a_name_are_one() -> None:
    asked = pod(("net.ipv4.tcp_rmem", "1 2 3"), ("kernel/shm_rmid_forced", "1"))
    assert sysctls(asked) == {"net.ipv4.tcp_rmem": "1 2 3", "kernel.shm_rmid_forced": "1"}
    assert forbidden(asked) is None
    assert sysctls({"spec": {}}) == {}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (pod(("kernel.msgmax", "9")), '"kernel.msgmax" not allowlisted'),
        (
            pod(("net.ipv4.tcp_syncookies", "1"), hostNetwork=True),
            '"net.ipv4.tcp_syncookies" not allowed with host net enabled',
        ),
    ],
)
def test_what_a_kubelet_refuses(asked: dict, words: str) -> None:
    assert forbidden(asked) == ("SysctlForbidden", f"forbidden sysctl: {words}")
