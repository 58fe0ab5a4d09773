"""Dynamic volumes: the StorageClass `standard` and its provisioner, folders of this machine.

(source: https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/; the contract of external provisioners,
`sigs.k8s.io/sig-storage-lib-external-provisioner`)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ...config import ClusterConfig
from ..api import Api, ApiError, Informer
from ..install import install
from ..runtime.users.ranges import delete
from ..servers.streams import EventWriter
from ..tasks import Tasks

CLASS_NAME = "standard"
PROVISIONER = "k8s-helpers.dev/embedded-storage"

_PROVISIONER_KEY = "volume.kubernetes.io/storage-provisioner"
_NODE_KEY = "volume.kubernetes.io/selected-node"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_VOLUMES = "/api/v1/persistentvolumes"
_CLAIMS = "/api/v1/persistentvolumeclaims"
_RETRIES_S = (0.5, 1.0, 2.0, 5.0, 10.0)


def storage_class() -> dict[str, Any]:
    """Return the class that claims get by default."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": CLASS_NAME,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def wants_volume(claim: dict[str, Any]) -> bool:
    """Return whether a claim waits for this provisioner.

    The volume controller writes the provisioner's name on it: at once for Immediate, after the
    scheduler has chosen a node for WaitForFirstConsumer.
    """
    annotations = claim["metadata"].get("annotations") or {}
    return bool(
        annotations.get(_PROVISIONER_KEY) == PROVISIONER
        and not claim["spec"].get("volumeName")
        and (claim.get("status") or {}).get("phase", "Pending") == "Pending"
        and not claim["metadata"].get("deletionTimestamp")
    )


def unsupported(claim: dict[str, Any]) -> str | None:
    """Return why a claim cannot be served here, None where it can."""
    if claim["spec"].get("volumeMode") == "Block":
        return "block volumes cannot be provisioned: this cluster's volumes are folders"
    if claim["spec"].get("selector"):
        return "claim Selector is not supported by dynamic provisioning"
    return None


def persistent_volume(
    claim: dict[str, Any], storage: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Return the volume of a claim.

    Parameters
    ----------
    claim : dict
        The PersistentVolumeClaim.
    storage : dict
        Its StorageClass.
    folder : Path
        The folder that is the volume.
    """
    meta, spec = claim["metadata"], claim["spec"]
    volume: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume_name(claim), "annotations": {_PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": "Filesystem",
            "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
            "storageClassName": storage["metadata"]["name"],
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
            },
            "hostPath": {"path": str(folder), "type": "DirectoryOrCreate"},
        },
    }
    node = (meta.get("annotations") or {}).get(_NODE_KEY)
    if node:
        term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        volume["spec"]["nodeAffinity"] = {
            "required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]}
        }
    return volume


def volume_name(claim: dict[str, Any]) -> str:
    """Return the name of a claim's volume."""
    return f"pvc-{claim['metadata']['uid']}"


class Storage:
    """The provisioner.

    Parameters
    ----------
    config : ClusterConfig
        Volumes are folders of `<cluster>/storage`.
    api : Api
        With the rights of a provisioner.
    event : callable
        Writes an Event on an object.
    """

    def __init__(self, config: ClusterConfig, api: Api, event: EventWriter) -> None:
        self._root = config.path / "storage"
        self._api = api
        self._event = event
        self._claims = Informer(api, _CLAIMS, on_change=self._claim_changed)
        self._volumes = Informer(api, _VOLUMES, on_change=self._volume_changed)
        self._busy: set[str] = set()
        self._tasks = Tasks()

    async def start(self) -> None:
        """Create the class and watch claims and volumes."""
        self._root.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._tasks.start(install(self._api, [(_CLASSES, storage_class())]))
        await self._volumes.start()
        await self._claims.start()

    async def close(self) -> None:
        """Stop; volumes stay."""
        await self._claims.close()
        await self._volumes.close()
        await self._tasks.close()

    def _claim_changed(self, kind: str, claim: dict[str, Any]) -> None:
        if kind != "DELETED" and wants_volume(claim):
            about = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim}
            self._work_on(about, self._provision)

    def _volume_changed(self, kind: str, volume: dict[str, Any]) -> None:
        ours = (volume["metadata"].get("annotations") or {}).get(_PROVISIONED_BY) == PROVISIONER
        released = (volume.get("status") or {}).get("phase") == "Released"
        delete = volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        if kind != "DELETED" and ours and released and delete:
            about = {"apiVersion": "v1", "kind": "PersistentVolume", **volume}
            self._work_on(about, self._reclaim)

    def _work_on(
        self,
        item: dict[str, Any],
        work: Callable[[dict[str, Any]], Coroutine[Any, Any, None]],
    ) -> None:
        uid = item["metadata"]["uid"]
        if uid not in self._busy:
            self._busy.add(uid)
            task = self._tasks.start(self._persist(item, work))
            task.add_done_callback(lambda _: self._busy.discard(uid))

    async def _persist(
        self,
        item: dict[str, Any],
        work: Callable[[dict[str, Any]], Coroutine[Any, Any, None]],
    ) -> None:
        """Do the work, again after a failure, later and later; then leave it to the next change."""
        for pause_s in _RETRIES_S:
            try:
                await work(item)
            except (ApiError, OSError) as error:
                reason = (
                    "VolumeFailedDelete" if "claimRef" in item["spec"] else "ProvisioningFailed"
                )
                self._event(item, "Warning", reason, str(error))
                await asyncio.sleep(pause_s)
            else:
                return

    async def _provision(self, claim: dict[str, Any]) -> None:
        meta = claim["metadata"]
        why_not = unsupported(claim)
        if why_not is not None:
            self._event(claim, "Warning", "ProvisioningFailed", why_not)
            return
        storage = await self._api.get(f"{_CLASSES}/{claim['spec']['storageClassName']}")
        folder = self._root / f"{volume_name(claim)}_{meta['namespace']}_{meta['name']}"
        folder.mkdir(parents=True, exist_ok=True)
        # Programs in containers may run under another user than the folder's owner.
        folder.chmod(0o777)
        try:
            await self._api.create(_VOLUMES, persistent_volume(claim, storage, folder))
        except ApiError as error:
            if error.status != 409:
                raise
        message = f"Successfully provisioned volume {volume_name(claim)}"
        self._event(claim, "Normal", "ProvisioningSucceeded", message)

    async def _reclaim(self, volume: dict[str, Any]) -> None:
        folder = Path(volume["spec"]["hostPath"]["path"])
        if folder.parent == self._root:
            await asyncio.to_thread(delete, folder)
        try:
            await self._api.delete(f"{_VOLUMES}/{volume['metadata']['name']}")
        except ApiError as error:
            if error.status != 404:
                raise
