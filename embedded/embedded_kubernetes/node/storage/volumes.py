"""The volumes of one pod: folders on the host, and where its containers see them.

ConfigMaps and Secrets are watched, so that a change shows in running containers within a second where a kubelet
takes up to a minute (it looks again at each of its periodic rounds).
(source: `pkg/volume`, `makeMounts` of `pkg/kubelet/kubelet_pods.go`)
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from ..api import Api, ApiError
from ..cri import ContainerStartError, Mount, Runtime
from ..environment.env import ConfigError
from ..environment.expansion import expand, lookup_in
from ..records import Object
from ..runtime.rootfs import inside
from .atomic_writer import write
from .memory_volumes import charged, in_memory, size_bytes
from .payloads import MountError, PayloadSources, is_payload, payload, references

T = TypeVar("T")

_HOST_TYPES: Mapping[str, tuple[Callable[[int], bool], str]] = {
    "Directory": (stat.S_ISDIR, "directory"),
    "File": (stat.S_ISREG, "file"),
    "Socket": (stat.S_ISSOCK, "socket file"),
    "CharDevice": (stat.S_ISCHR, "character device"),
    "BlockDevice": (stat.S_ISBLK, "block device"),
}


class PodVolumes:
    """The volumes of one pod.

    Parameters
    ----------
    folder : Path
        Where those that live with the pod are kept.
    sources : PayloadSources
        Where the API's files come from; replaced when the pod changes.
    api : Api
        Reads claims and volumes.
    runtime : Runtime
        Has the images of `image` volumes, and mounts those in memory.
    """

    def __init__(self, folder: Path, sources: PayloadSources, api: Api, runtime: Runtime) -> None:
        self.sources = sources
        self.folder = folder
        self._api = api
        self._runtime = runtime
        self._in_memory: set[str] = set()
        self._places: dict[str, tuple[Path, bool]] = {}
        self._volumes = {
            volume["name"]: volume for volume in sources.pod["spec"].get("volumes") or ()
        }
        self._renewals: dict[str, float] = {}

    @property
    def references(self) -> set[tuple[str, str]]:
        """(resource, name) of the ConfigMaps and Secrets that the volumes show."""
        return {reference for volume in self._volumes.values() for reference in references(volume)}

    @property
    def renew_wall_s(self) -> float | None:
        """When a token must be renewed next."""
        return min(self._renewals.values(), default=None)

    async def set_up(self) -> None:
        """Make every volume.

        Raises
        ------
        MountError
            One cannot be made; the message is the event's.
        """
        missing = [name for name in self._volumes if name not in self._places]
        results = await asyncio.gather(
            *(self._told(name, self._set_up(self._volumes[name])) for name in missing),
            return_exceptions=True,
        )
        for name, result in zip(missing, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            self._places[name] = result

    async def refresh(self) -> None:
        """Write again what comes from the API; what has not changed stays as it is.

        Raises
        ------
        MountError
            What a volume shows is gone; its files stay.
        """
        for name, volume in self._volumes.items():
            if name in self._places and is_payload(volume):
                await self._told(name, self._write(volume))

    @staticmethod
    async def _told(name: str, work: Awaitable[T]) -> T:
        """Do a part of the work for one volume; its failure names the volume."""
        try:
            return await work
        except (MountError, OSError) as error:
            words = f'MountVolume.SetUp failed for volume "{name}" : {error}'
            raise MountError(words) from None

    async def _set_up(self, volume: Object) -> tuple[Path, bool]:
        """Return where a volume lies and whether it is read-only by nature."""
        if is_payload(volume):
            return await self._write(volume), True
        if "emptyDir" in volume:
            folder = self.folder / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
            if in_memory(volume):
                await self._mount_memory(volume, folder)
            return folder, False
        if "hostPath" in volume:
            source = volume["hostPath"]
            return host_path(Path(source["path"]), source.get("type", "")), False
        if "image" in volume:
            return self._from_image(volume["image"]["reference"]), True
        claim = None
        if "persistentVolumeClaim" in volume:
            claim = volume["persistentVolumeClaim"]["claimName"]
        elif "ephemeral" in volume:
            claim = f"{self.sources.pod['metadata']['name']}-{volume['name']}"
        if claim is None:
            kind = ", ".join(key for key in volume if key != "name")
            raise MountError(f"volumes of type {kind} are not available on this node")
        return await self._claimed(claim), False

    async def _mount_memory(self, volume: Object, folder: Path) -> None:
        sources = self.sources
        try:
            await self._runtime.mount_memory(
                folder, size_bytes(volume, sources.pod, sources.allocatable)
            )
        except ContainerStartError as error:
            words = f'medium "Memory" is not available on this node: {error}'
            raise MountError(words) from None
        self._in_memory.add(volume["name"])

    def _from_image(self, reference: str) -> Path:
        image = self._runtime.image(reference)
        if image is None:
            raise MountError(f'failed to pull image "{reference}": not found')
        if image.built_in:
            raise MountError(
                f'image "{reference}": les images de base de ce cluster sont les programmes de cette machine et n’ont '
                "pas de fichiers à monter ; construisez une image"
            )
        return image.rootfs

    async def _write(self, volume: Object) -> Path:
        name: str = volume["name"]
        made = await payload(volume, self.sources)
        if made.renew_wall_s is not None:
            self._renewals[name] = made.renew_wall_s
        folder = self.folder / name
        write(folder, made.files)
        return folder

    async def _claimed(self, claim: str) -> Path:
        namespace = self.sources.pod["metadata"]["namespace"]
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}"
        try:
            bound = await self._api.get(path)
            if (bound.get("status") or {}).get("phase") != "Bound":
                raise MountError(f'PVC "{namespace}/{claim}" is not bound')
            volume = await self._api.get(f"/api/v1/persistentvolumes/{bound['spec']['volumeName']}")
        except ApiError as error:
            raise MountError(str(error)) from None
        spec: Object = volume["spec"]
        if "hostPath" in spec:
            return host_path(Path(spec["hostPath"]["path"]), spec["hostPath"].get("type", ""))
        if "local" in spec:
            return host_path(Path(spec["local"]["path"]), "Directory")
        raise MountError(f'PV "{volume["metadata"]["name"]}" is neither hostPath nor local')

    def file(self, volume: str, path: str) -> Path:
        """Return where a path of a volume lies on the host, symbolic links followed as seen from inside the volume.

        Raises
        ------
        KeyError
            No such volume.
        """
        place, _ = self._places[volume]
        if volume in self._in_memory:
            place = self._runtime.mounted(place)
        return Path(inside(path, str(place)))

    def in_memory(self, container: Object) -> tuple[Path, ...]:
        """Return the file systems in memory whose files count as a container's memory."""
        names = charged(container, self.sources.pod, self._volumes.values())
        return tuple(self.folder / name for name in names if name in self._in_memory)

    def mounts(self, container: Object, env: Mapping[str, str]) -> tuple[Mount, ...]:
        """Return the mounts of a container.

        Parameters
        ----------
        container : dict
            Its spec.
        env : mapping
            Its variables, for `subPathExpr`.

        Raises
        ------
        ConfigError
            A sub-path that cannot be made.
        """
        return tuple(self._mount(mount, env) for mount in container.get("volumeMounts") or ())

    def _mount(self, mount: Object, env: Mapping[str, str]) -> Mount:
        place, fixed = self._places[mount["name"]]
        sub_path = mount.get("subPath", "")
        if mount.get("subPathExpr"):
            sub_path = expand(mount["subPathExpr"], lookup_in(env))
        if sub_path and mount["name"] in self._in_memory:
            place = _below_in_memory(place, self._runtime.mounted(place), sub_path)
        elif sub_path:
            place = _below(place, sub_path, mount["name"])
        path = mount["mountPath"]
        if not path.startswith("/"):
            path = f"/{path}"
        return Mount(place, path, fixed or bool(mount.get("readOnly")))

    async def remove(self) -> None:
        """Delete what lives with the pod."""
        for name in self._in_memory:
            await self._runtime.unmount_memory(self.folder / name)
        self._in_memory.clear()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


def _below_in_memory(place: Path, seen: Path, sub_path: str) -> Path:
    """Return a sub-path of a volume in memory, as containers mount it: links lead nowhere but within the volume."""
    target = inside(sub_path, str(seen))
    os.makedirs(target, exist_ok=True)  # noqa: PTH103 — the path is not the host's
    return place / target[len(str(seen)) :].lstrip("/")


def _below(place: Path, sub_path: str, volume: str) -> Path:
    """Return a sub-path of a volume, made as a folder where missing; it must not lead outside."""
    target = place / sub_path.lstrip("/")
    resolved = target.resolve()
    if ".." in Path(sub_path).parts or not resolved.is_relative_to(place.resolve()):
        raise ConfigError(f'failed to prepare subPath for volumeMount "{volume}" of container')
    try:
        if not resolved.exists():
            resolved.mkdir(parents=True)
            resolved.chmod(0o777)
    except OSError as error:
        raise ConfigError(
            f'failed to create subPath directory for volumeMount "{volume}": {error.strerror}'
        ) from None
    return resolved


def host_path(path: Path, kind: str) -> Path:
    """Return a path of the host after the checks that its type asks for.

    Raises
    ------
    MountError
        It is not there, or of another type.
    """
    try:
        if kind == "DirectoryOrCreate":
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        elif kind == "FileOrCreate":
            path.touch(mode=0o644, exist_ok=True)
        elif kind in _HOST_TYPES:
            is_type, word = _HOST_TYPES[kind]
            if not path.exists() or not is_type(path.stat().st_mode):
                raise MountError(f"hostPath type check failed: {path} is not a {word}")
        elif not path.exists():
            # Container runtimes make a folder where no type is asked for and nothing is there.
            path.mkdir(mode=0o755, parents=True)
    except OSError as error:
        raise MountError(f"hostPath {path}: {error.strerror}") from None
    return path
