"""Volumes in memory (`emptyDir` with `medium: Memory`): a tmpfs in the mount namespace that containers come from.

The host does not see it at its own path; this process reaches it through the spawner's root.
(source: `calculateEmptyDirMemorySize` of `pkg/volume/emptydir/empty_dir.go`)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...quantities import parse_bytes
from ..records import Object
from ..rules.resources import memory_limit_of_pod


def in_memory(volume: Object) -> bool:
    """Return whether a volume is an `emptyDir` in memory."""
    return "emptyDir" in volume and (volume["emptyDir"] or {}).get("medium") == "Memory"


def size_bytes(volume: Object, pod: Object, allocatable: Mapping[str, str]) -> int:
    """Return how large a volume in memory may become: the least of its limit, its pod's memory and the node's."""
    spec = pod["spec"]
    containers = [
        *(
            container
            for container in spec.get("initContainers") or ()
            if container.get("restartPolicy") == "Always"
        ),
        *spec["containers"],
    ]
    bounds = [
        parse_bytes(allocatable["memory"]),
        memory_limit_of_pod(
            spec.get("resources") or {},
            [container.get("resources") or {} for container in containers],
        ),
        parse_bytes(str(volume["emptyDir"].get("sizeLimit") or "0")),
    ]
    return min(bound for bound in bounds if bound)


def charged(container: Object, pod: Object, volumes: Iterable[Object]) -> list[str]:
    """Return the volumes in memory whose files count as a container's memory.

    The kernel counts a page where it was first written; here the first container that may write is taken for that one.
    """
    names = []
    for volume in filter(in_memory, volumes):
        writers = [
            container["name"]
            for container in (
                *pod["spec"]["containers"],
                *(pod["spec"].get("initContainers") or ()),
            )
            for mount in container.get("volumeMounts") or ()
            if mount["name"] == volume["name"] and not mount.get("readOnly")
        ]
        if writers[:1] == [container["name"]]:
            names.append(volume["name"])
    return names
