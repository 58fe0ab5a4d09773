"""Limits of local storage: what a pod writes is measured now and then, and who has written too much is evicted.

(source: `localStorageEviction` of `pkg/kubelet/eviction/eviction_manager.go`)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...quantities import format_bytes, parse, parse_bytes
from ..pods.context import PodContext
from ..records import Object, Record
from .disk import written_bytes
from .memory_volumes import in_memory
from .volumes import PodVolumes

PERIOD_S = 10.0
"""How often it is looked at (`evictionMonitoringPeriod`)."""

_RESOURCE = "ephemeral-storage"


@dataclass(frozen=True)
class Measured:
    """What a pod has written (bytes): its `emptyDir` volumes on disk, its containers' own files, their logs."""

    volumes: dict[str, int] = field(default_factory=dict)
    containers: dict[str, int] = field(default_factory=dict)


def limited(pod: Object) -> bool:
    """Return whether anything of what a pod writes is limited."""
    spec = pod["spec"]
    return any(_volume_limit(volume) for volume in spec.get("volumes") or ()) or any(
        _container_limit(container) is not None for container in _containers(spec)
    )


def excess(pod: Object, measured: Measured) -> str | None:
    """Return what a pod has written too much of, in the words of the kubelet; None where nothing is over its limit."""
    spec = pod["spec"]
    for volume in spec.get("volumes") or ():
        limit = _volume_limit(volume)
        if limit and measured.volumes.get(volume["name"], 0) > parse_bytes(limit):
            return f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". '
    limits = {
        container["name"]: limit
        for container in _containers(spec)
        if (limit := _container_limit(container)) is not None
    }
    total = sum(measured.volumes.values()) + sum(measured.containers.values())
    mains = {container["name"] for container in spec["containers"]}
    of_pod = [limit for name, limit in limits.items() if name in mains]
    if of_pod and total > (whole := sum(map(parse_bytes, of_pod))):
        words = of_pod[0] if len(of_pod) == 1 else format_bytes(whole)
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {words}. "
    for name, limit in limits.items():
        if measured.containers.get(name, 0) > parse_bytes(limit):
            return f'Container {name} exceeded its local ephemeral storage limit "{limit}". '
    return None


def _containers(spec: Object) -> list[Object]:
    return [*(spec.get("initContainers") or ()), *spec["containers"]]


def _container_limit(container: Object) -> str | None:
    limit = ((container.get("resources") or {}).get("limits") or {}).get(_RESOURCE)
    return None if limit is None else str(limit)


def _volume_limit(volume: Object) -> str | None:
    """Return the limit of an `emptyDir` on disk; the kernel itself holds one in memory to its size."""
    if "emptyDir" not in volume or in_memory(volume):
        return None
    limit = str((volume["emptyDir"] or {}).get("sizeLimit") or "0")
    return limit if parse(limit) > 0 else None


class LocalStorage:
    """What one pod may write.

    Parameters
    ----------
    context : PodContext
        The pod.
    records : list of Record
        Its containers.
    volumes : PodVolumes
        Its volumes.
    """

    def __init__(self, context: PodContext, records: Sequence[Record], volumes: PodVolumes) -> None:
        self._context = context
        self._records = records
        self._volumes = volumes
        self._due_s = time.monotonic() + PERIOD_S

    @property
    def pause_s(self) -> float | None:
        """In how many seconds to look again; None where nothing is limited."""
        if not limited(self._context.pod):
            return None
        return max(0.0, self._due_s - time.monotonic())

    async def excess(self) -> str | None:
        """Return what the pod has written too much of; None where it has not, or where it is too early to look."""
        if self.pause_s != 0:
            return None
        measured = await asyncio.to_thread(self._measure)
        self._due_s = time.monotonic() + PERIOD_S
        return excess(self._context.pod, measured)

    def _measure(self) -> Measured:
        names = [
            volume["name"]
            for volume in self._context.pod["spec"].get("volumes") or ()
            if "emptyDir" in volume and not in_memory(volume)
        ]
        return Measured(
            {name: written_bytes(self._volumes.folder / name) for name in names},
            {
                record.name: record.container.written_bytes()
                + written_bytes(self._context.folder / "logs" / record.name)
                for record in list(self._records)
                if record.container is not None
            },
        )
