"""The kernel settings that a pod asks for: those that are its own, and those that a kubelet refuses. Pure.

(source: `SafeSysctlAllowlist` of `pkg/kubelet/sysctl/safe_sysctls.go`, `allowlist.go`)
"""

from __future__ import annotations

from ..records import Object

_SAFE = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    }
)


def sysctls(pod: Object) -> dict[str, str]:
    """Return the settings that a pod asks for, by name with dots."""
    asked = (pod["spec"].get("securityContext") or {}).get("sysctls") or ()
    return {entry["name"].replace("/", "."): entry["value"] for entry in asked}


def forbidden(pod: Object) -> tuple[str, str] | None:
    """Return reason and message where a kubelet refuses a pod for its settings; None where it does not."""
    at_host = pod["spec"].get("hostNetwork")
    for name in sysctls(pod):
        if name not in _SAFE:
            return "SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted'
        if at_host and name.startswith("net."):
            words = f'forbidden sysctl: "{name}" not allowed with host net enabled'
            return "SysctlForbidden", words
    return None
