"""The Node object: registered as soon as the API server answers, Ready at once, kept alive by a Lease.

(source: `pkg/kubelet/kubelet_node_status.go`, https://kubernetes.io/docs/reference/node/node-status/)
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..config import ClusterConfig
from .api import Api, ApiError
from .cri import ImageConfig
from .records import Object
from .wall import timestamp, timestamp_micro

_log = logging.getLogger(__name__)

_RETRY_S = 0.03
_LEASE_S = 40
_RENEW_S = 10.0
_STATUS_S = 300.0
"""How often a status that has not changed is written again, as a kubelet does."""
_MOST_IMAGES, _MOST_NAMES = 50, 5
"""What a node's status holds of images (`nodeStatusMaxImages`, `MaxNamesPerImageInNodeStatus`)."""
_MAX_PODS = 110
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def capacity(folder: Path) -> dict[str, str]:
    """Return what this machine has: processors, memory, disk under `folder`."""
    memory_kib = next(
        int(line.split()[1])
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemTotal:")
    )
    disk = os.statvfs(folder)
    return {
        "cpu": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_kib}Ki",
        "ephemeral-storage": f"{disk.f_blocks * disk.f_frsize // 1024}Ki",
        "pods": str(_MAX_PODS),
    }


def node_info(kubernetes_version: str, isolation: str) -> Object:
    """Return `status.nodeInfo`: what this machine and this node really are."""
    system = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    machine = Path("/etc/machine-id")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {
        "machineID": machine.read_text().strip() if machine.exists() else "",
        "systemUUID": "",
        "bootID": boot,
        "kernelVersion": platform.release(),
        "osImage": system.get("PRETTY_NAME", "Linux"),
        "containerRuntimeVersion": f"process://{platform.python_version()}-{isolation}",
        "kubeletVersion": kubernetes_version,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": _architecture(),
    }


def _architecture() -> str:
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def labels(name: str) -> dict[str, str]:
    """Return the labels that a kubelet gives its node."""
    architecture = _architecture()
    return {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": architecture,
    }


def addresses(config: ClusterConfig, name: str) -> list[Object]:
    """Return `status.addresses` of a node."""
    known = [
        {"type": "InternalIP", "address": config.host_address(name)},
        {"type": "Hostname", "address": name},
    ]
    if config.network == "host":
        known.append({"type": "InternalDNS", "address": config.node_shown(name)})
    return known


_DECLARED_FEATURES = (
    "ExtendWebSocketsToKubelet",
    "InPlacePodLevelResourcesVerticalScaling",
    "InPlacePodVerticalScalingInitContainers",
    "RestartAllContainersOnContainerExits",
)
"""What scheduler and API server ask of a node before they let a pod use it, sorted as they demand.

(source: `k8s.io/component-helpers/nodedeclaredfeatures/features`)
"""

_CONDITIONS = (
    (
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def conditions(since_wall_s: float, now_wall_s: float) -> list[Object]:
    """Return the node's conditions; this node has no pressure of its own to tell of."""
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": timestamp(now_wall_s),
            "lastTransitionTime": timestamp(since_wall_s),
        }
        for kind, status, reason, message in _CONDITIONS
    ]


def image_list(images: Sequence[ImageConfig]) -> list[Object]:
    """Return `status.images`: names and size of each image, the largest first, fifty at most.

    (source: `Images` of `pkg/kubelet/nodestatus/setters.go`)
    """
    names: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}
    for image in images:
        known = names.setdefault(image.image_id, list(image.repo_digests))
        if image.reference not in known:
            known.append(image.reference)
        sizes[image.image_id] = image.size_bytes
    largest = sorted(names, key=lambda image_id: -sizes[image_id])[:_MOST_IMAGES]
    return [
        {"names": names[image_id][:_MOST_NAMES], "sizeBytes": sizes[image_id]}
        for image_id in largest
    ]


class Registration:
    """Makes the node known and keeps it alive.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    name : str
        The node.
    api : Api
        With the node's identity.
    allocatable : dict
        What pods may take; all of the machine.
    isolation : str
        How containers are kept apart (see `cri.Runtime`).
    images : callable
        Returns the images that the node has.
    """

    def __init__(
        self,
        config: ClusterConfig,
        name: str,
        api: Api,
        allocatable: dict[str, str],
        isolation: str,
        images: Callable[[], Sequence[ImageConfig]],
    ) -> None:
        self._images = images
        self._shown_images: list[Object] = []
        self._config = config
        self._name = name
        self._api = api
        self._allocatable = allocatable
        self._isolation = isolation
        self._since_wall_s = time.time()
        self._uid = ""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Register; returns when the API has the node and shows it Ready."""
        while True:
            try:
                await self._register()
                break
            except ApiError as error:
                _log.debug("not registered yet: %s", error)
                await asyncio.sleep(_RETRY_S)
        self._task = asyncio.create_task(self._beat(), name="node heartbeat")

    async def close(self) -> None:
        """Beat no more: the cluster notices after its grace period."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def reference(self) -> Object:
        """Return the node as events refer to it."""
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self._name, "uid": self._uid},
        }

    async def _register(self) -> None:
        path = f"/api/v1/nodes/{self._name}"
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self._name, "labels": labels(self._name)},
            "spec": {},
            "status": self._status(),
        }
        try:
            made = await self._api.create("/api/v1/nodes", node)
        except ApiError as error:
            if error.status != 409:
                raise
            await self._api.patch(path, {"metadata": {"labels": labels(self._name)}})
            made = await self._api.patch(f"{path}/status", {"status": self._status()})
        self._uid = made["metadata"]["uid"]

    def _status(self) -> Object:
        index = self._config.node_names.index(self._name)
        self._shown_images = self._listed()
        return {
            "images": self._shown_images,
            "capacity": self._allocatable,
            "allocatable": self._allocatable,
            "conditions": conditions(self._since_wall_s, time.time()),
            "addresses": addresses(self._config, self._name),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._config.kubelet_ports[index]}},
            "nodeInfo": node_info(self._config.kubernetes_version, self._isolation),
            "declaredFeatures": list(_DECLARED_FEATURES),
        }

    def _listed(self) -> list[Object]:
        """Return `status.images`; as it was shown where the store cannot be read now: no heartbeat stops for that."""
        try:
            return image_list(self._images())
        except (OSError, ValueError):
            _log.exception("images not listed")
            return self._shown_images

    async def _beat(self) -> None:
        written_s = time.monotonic()
        while True:
            pause_s = _RENEW_S
            try:
                await self._renew()
                old = time.monotonic() - written_s > _STATUS_S
                changed = self._shown_images != self._listed()
                if old or changed or not await self._known_ready():
                    await self._register()
                    written_s = time.monotonic()
            except ApiError as error:
                _log.debug("lease not renewed: %s", error)
                pause_s = 0.5
            await asyncio.sleep(pause_s)

    async def _known_ready(self) -> bool:
        """Return whether the API shows the node Ready.

        Where it was away for longer than the grace period, the node lifecycle controller has written Unknown: a kubelet
        sees the difference at its next look and writes its status again (`tryUpdateNodeStatus`).
        """
        node = await self._api.get(f"/api/v1/nodes/{self._name}")
        conditions = node["status"].get("conditions", ())
        return any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in conditions
        )

    async def _renew(self) -> None:
        now = timestamp_micro(time.time())
        try:
            await self._api.patch(
                f"{_LEASES}/{self._name}", {"spec": {"renewTime": now}}, kind="merge"
            )
        except ApiError as error:
            if error.status != 404:
                raise
            owner = {
                "apiVersion": "v1",
                "kind": "Node",
                "name": self._name,
                "uid": self._uid,
            }
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {
                    "name": self._name,
                    "namespace": "kube-node-lease",
                    "ownerReferences": [owner],
                },
                "spec": {
                    "holderIdentity": self._name,
                    "leaseDurationSeconds": _LEASE_S,
                    "renewTime": now,
                },
            }
            await self._api.create(_LEASES, lease)
