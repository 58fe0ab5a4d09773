"""The volumes of one pod: folders on the host, and where its containers see them.

ConfigMaps and Secrets are watched, so that a change shows in running containers within a second where a kubelet
takes up to a minute (it looks again at each of its periodic rounds).
(source: `pkg/volume`, `makeMounts` of `pkg/kubelet/kubelet_pods.go`)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from ...quantities import parse_bytes
from ..api import Api, ApiError
from ..cri import ContainerStartError, ImageConfig, Mount, Runtime
from ..environment.env import ConfigError
from ..environment.expansion import expand
from ..records import Object
from ..runtime.rootfs import inside
from ..runtime.users.file_tasks import READABLE
from ..runtime.users.ranges import delete
from . import atomic_writer
from .atomic_writer import File
from .memory_volumes import charged, in_memory, size_bytes
from .payloads import MountError, PayloadSources, is_payload, payload, references

T = TypeVar("T")

Pull = Callable[[str, str], Awaitable[ImageConfig]]
"""Returns an image by reference and pull policy."""

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
        Mounts those in memory, and joins the layers of images.
    """

    def __init__(self, folder: Path, sources: PayloadSources, api: Api, runtime: Runtime) -> None:
        self.sources = sources
        self.folder = folder
        self._api = api
        self._runtime = runtime
        self._in_memory: set[str] = set()
        self._joined: set[str] = set()
        self._used = contextlib.ExitStack()
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
        """Make every volume, but for those that are images (see `lay_images`).

        Raises
        ------
        MountError
            One cannot be made; the message is the event's.
        """
        missing = [
            name
            for name, volume in self._volumes.items()
            if name not in self._places and "image" not in volume
        ]
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
            if "secret" in volume:
                await self._keep_off_the_disk(volume["name"])
            return await self._write(volume), True
        if "emptyDir" in volume:
            folder = self.folder / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(PermissionError):  # a container of an earlier node took it
                folder.chmod(0o777)
            if in_memory(volume):
                await self._mount_memory(volume, folder)
            await self._give(folder, writable=True)
            return folder, False
        if "hostPath" in volume:
            source = volume["hostPath"]
            return host_path(Path(source["path"]), source.get("type", "")), False
        claim = None
        if "persistentVolumeClaim" in volume:
            claim = volume["persistentVolumeClaim"]["claimName"]
        elif "ephemeral" in volume:
            claim = f"{self.sources.pod['metadata']['name']}-{volume['name']}"
        if claim is None:
            kind = ", ".join(key for key in volume if key != "name")
            raise MountError(f"volumes of type {kind} are not available on this node")
        return await self._claimed(claim), False

    async def _give(self, folder: Path, *, writable: bool) -> None:
        """Give a volume to the pod's group, if it asks for one."""
        context = self.sources.pod["spec"].get("securityContext") or {}
        group = context.get("fsGroup")
        if group is not None:
            only_if_new = context.get("fsGroupChangePolicy") == "OnRootMismatch"
            await self._runtime.give_to_group(
                folder, group, writable=writable, only_if_new=only_if_new
            )

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

    async def _keep_off_the_disk(self, name: str) -> None:
        """Let a Secret's files be in memory only, where there are mounts."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(ContainerStartError):
            await self._runtime.mount_memory(
                folder, parse_bytes(self.sources.allocatable["memory"])
            )
            self._in_memory.add(name)

    async def restore(self) -> None:
        """Write the Secrets again that were in memory when what had mounted it ended.

        Raises
        ------
        MountError
            A Secret is gone.
        """
        for name in self._in_memory:
            if is_payload(self._volumes[name]):
                await self._keep_off_the_disk(name)
                if not atomic_writer.is_written(self._seen(name)):
                    await self._told(name, self._write(self._volumes[name]))

    def _seen(self, name: str) -> Path:
        """Return where this process sees a volume that lives with the pod."""
        folder = self.folder / name
        return self._runtime.mounted(folder) if name in self._in_memory else folder

    async def lay_images(self, container: Object, pull: Pull) -> None:
        """Make the volumes of a container that are images.

        Parameters
        ----------
        container : dict
            Its spec.
        pull : callable
            Finds an image, or pulls it; its errors pass.

        Raises
        ------
        ConfigError
            An image has no files of its own.
        OSError
            Its layers cannot be joined, or have just been removed.
        """
        for mount in container.get("volumeMounts") or ():
            name = mount["name"]
            source = self._volumes[name].get("image") if name in self._volumes else None
            if source is not None and name not in self._places:
                image = await pull(source["reference"], source.get("pullPolicy", "IfNotPresent"))
                self._places[name] = (await self._layers(name, image), True)

    async def _layers(self, name: str, image: ImageConfig) -> Path:
        """Return where the files of an image lie."""
        if image.built_in or not image.layers:
            raise ConfigError(
                f'image "{image.reference}": cette image est faite des programmes de cette machine et n’a '
                "pas de fichiers à monter ; construisez une image"
            )
        self._used.enter_context(self._runtime.use_layers(image.layers))
        if len(image.layers) == 1:
            return image.layers[0]
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        await self._runtime.join_layers(folder, image.layers)
        self._joined.add(name)
        return folder

    async def _write(self, volume: Object) -> Path:
        name: str = volume["name"]
        made = await payload(volume, self.sources)
        if made.renew_wall_s is not None:
            self._renewals[name] = made.renew_wall_s
        folder = self.folder / name
        files = self._for_group(made.files)
        seen = self._seen(name)
        fresh = atomic_writer.prepare(seen, files)
        if fresh is not None:
            try:
                await self._give(folder / fresh.name, writable=False)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
            atomic_writer.reveal(seen, fresh, files)
        return folder

    def _for_group(self, files: Mapping[str, File]) -> Mapping[str, File]:
        """Return files that the pod's group may read, if it asks for one."""
        context = self.sources.pod["spec"].get("securityContext") or {}
        if context.get("fsGroup") is None:
            return files
        return {name: File(file.content, file.mode | READABLE) for name, file in files.items()}

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
            sub_path = _expanded(mount["subPathExpr"], env)
        if sub_path.startswith("/"):
            raise ConfigError(f"error SubPath `{sub_path}` must not be an absolute path")
        if sub_path and fixed and "image" in self._volumes[mount["name"]]:
            seen = self._runtime.mounted(place) if mount["name"] in self._joined else place
            place = _of_image(place, seen, sub_path)
        elif sub_path and mount["name"] in self._in_memory:
            place = _below_in_memory(place, self._runtime.mounted(place), sub_path)
        elif sub_path:
            place = _below(place, sub_path, mount["name"])
        path = mount["mountPath"]
        if not path.startswith("/"):
            path = f"/{path}"
        return Mount(place, path, fixed or bool(mount.get("readOnly")))

    async def remove(self) -> None:
        """Delete what lives with the pod."""
        for name in (*self._in_memory, *self._joined):
            await self._runtime.unmount(self.folder / name)
        self._in_memory.clear()
        self._joined.clear()
        self._used.close()
        await asyncio.to_thread(delete, self.folder)


def _expanded(text: str, env: Mapping[str, str]) -> str:
    """Return a sub-path with its variables; an empty one is as bad as none (`ExpandContainerVolumeMounts`)."""
    missing: set[str] = set()

    def value(name: str) -> str:
        if not env.get(name):
            missing.add(name)
        return env.get(name, "")

    expanded = expand(text, value)
    if missing:
        raise ConfigError(f"missing value for {', '.join(sorted(missing))}")
    return expanded


def _below_in_memory(place: Path, seen: Path, sub_path: str) -> Path:
    """Return a sub-path of a volume in memory, as containers mount it: links lead nowhere but within the volume."""
    target = inside(sub_path, str(seen))
    if not os.path.exists(target):  # noqa: PTH110 — the path is not the host's
        os.makedirs(target)  # noqa: PTH103
    return place / target[len(str(seen)) :].lstrip("/")


def _of_image(place: Path, seen: Path, sub_path: str) -> Path:
    """Return a sub-path of an image's files, to which nothing is added; links lead nowhere but within them."""
    target = inside(sub_path, str(seen))
    if ".." in sub_path.split("/") or not os.path.lexists(target):
        raise ConfigError(f'subpath "{sub_path}" not found in image volume')
    return place / target[len(str(seen)) :].lstrip("/")


def _below(place: Path, sub_path: str, volume: str) -> Path:
    """Return a sub-path of a volume, made as a folder where missing; it must not lead outside."""
    target = place / sub_path
    resolved = target.resolve()
    if ".." in Path(sub_path).parts or not resolved.is_relative_to(place.resolve()):
        raise ConfigError(f'failed to prepare subPath for volumeMount "{volume}" of container')
    try:
        if not resolved.exists():
            resolved.mkdir(parents=True)
            resolved.chmod(stat.S_IMODE(place.stat().st_mode))
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
            if not path.exists():  # one that is somebody else's cannot be touched
                path.touch(mode=0o644)
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
