"""Linux capabilities: their numbers, those that containers have, and those that a pod may ask for here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import id_maps

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS = {
    name: number
    for number, name in enumerate(
        [
            "CHOWN",
            "DAC_OVERRIDE",
            "DAC_READ_SEARCH",
            "FOWNER",
            "FSETID",
            "KILL",
            "SETGID",
            "SETUID",
            "SETPCAP",
            "LINUX_IMMUTABLE",
            "NET_BIND_SERVICE",
            "NET_BROADCAST",
            "NET_ADMIN",
            "NET_RAW",
            "IPC_LOCK",
            "IPC_OWNER",
            "SYS_MODULE",
            "SYS_RAWIO",
            "SYS_CHROOT",
            "SYS_PTRACE",
            "SYS_PACCT",
            "SYS_ADMIN",
            "SYS_BOOT",
            "SYS_NICE",
            "SYS_RESOURCE",
            "SYS_TIME",
            "SYS_TTY_CONFIG",
            "MKNOD",
            "LEASE",
            "AUDIT_WRITE",
            "AUDIT_CONTROL",
            "SETFCAP",
            "MAC_OVERRIDE",
            "MAC_ADMIN",
            "SYSLOG",
            "WAKE_ALARM",
            "BLOCK_SUSPEND",
            "AUDIT_READ",
            "PERFMON",
            "BPF",
            "CHECKPOINT_RESTORE",
        ]
    )
}
"""Name without `CAP_` → number (`linux/capability.h`)."""

_USUAL = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SYS_CHROOT",
    "MKNOD",
    "AUDIT_WRITE",
    "SETFCAP",
]
"""What container engines leave (`moby/profiles`, `DefaultCapabilities`)."""

_WITHIN_NAMESPACES = [
    "NET_ADMIN",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_PTRACE",
    "SYS_NICE",
    "SYS_RESOURCE",
    "LEASE",
]
"""What reaches no further than a container's own namespaces although its root is the machine's."""


def usual(map_name: str) -> frozenset[int]:
    """Return what containers have by default.

    No device cgroup keeps root's own containers from the machine's disks: they make no devices.
    """
    return _numbers(name for name in _USUAL if name != "MKNOD" or map_name != id_maps.ROOT)


def possible(map_name: str, network: str) -> frozenset[int]:
    """Return all that a container may be given.

    In a user namespace every capability ends at its border. Root's own containers get what cannot harm the machine.

    Parameters
    ----------
    map_name : str
        `IdMap["name"]`.
    network : str
        `pods`, or `host`: the machine's own network, which is nobody's to administer.
    """
    if map_name == id_maps.ROOT:
        names = {*_USUAL, *_WITHIN_NAMESPACES} - {"MKNOD"}
        return _numbers(names - ({"NET_ADMIN"} if network == "host" else set()))
    return frozenset(NUMBERS.values())


def _numbers(names: Iterable[str]) -> frozenset[int]:
    return frozenset(NUMBERS[name] for name in names)
