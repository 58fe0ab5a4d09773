"""An image for machines of any architecture: what a Containerfile adds to its base, made without running anything.

`COPY`, `WORKDIR`, `ENV` and the like mean the same everywhere. A `RUN` needs the programs of its base: `mkdir` is done
here without it, any other is for the caller to do, if its result is the same for all architectures. Files belong to
root, are as old as the epoch, and keep of their modes whether they can be executed: the same context gives the same
bytes, whoever builds it and wherever.
"""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..cri import ImageConfig
from .build_copy import make_folder
from .build_stage import Made
from .builder import Build
from .containerfile import BuildStage, Instruction, exec_form, words
from .content import oci
from .content.uploading import LocalBlob

Step = Callable[[str, Path, str], bool]
"""Does a `RUN` some other way, and returns whether it knows it: its text, the folder that stands for `/`, and the
working directory in the image."""


_SAID = frozenset(
    (
        "User",
        "ExposedPorts",
        "Env",
        "Entrypoint",
        "Cmd",
        "WorkingDir",
        "StopSignal",
        "Volumes",
        "Labels",
    )
)
"""What `ImageConfig.to_oci` says; the rest of a configuration is its base's."""


@dataclass(frozen=True)
class PlatformBase:
    """An image that others are built on, for one platform, as its registry has it.

    Attributes
    ----------
    name : str
        The reference that `FROM` names.
    config : dict
        Its OCI configuration.
    layers : tuple of Descriptor
        Its layers' blobs, the lowest first.
    """

    name: str
    config: Mapping[str, Any]
    layers: tuple[oci.Descriptor, ...]


def unstepped(text: str, folder: Path, working_dir: str) -> bool:
    """Know no `RUN` at all."""
    return False


class PortableBuild(Build):
    """One image for one platform.

    Parameters
    ----------
    context, tag, build_args
        As `Build` has them.
    base : callable
        Returns the image that a `FROM` names.
    step : callable
        Does what `RUN` asks for without the base's programs.

    Raises
    ------
    ImageError
        A Containerfile that cannot be read.
    """

    def __init__(
        self,
        context: Path,
        tag: str,
        build_args: Mapping[str, str],
        base: Callable[[str], PlatformBase],
        step: Step = unstepped,
    ) -> None:
        super().__init__(context, tag, build_args, context, self._find)
        self._base = base
        self._step = step

    def base_name(self) -> str:
        """Return what the last stage is built on; those that it stands on are followed."""
        stages = {stage.name: stage for stage in self._file.stages}
        name = self._base_name(self._file.stages[-1])
        while name in stages:
            name = self._base_name(stages[name])
        return name

    def make(self, scratch: Path) -> tuple[list[LocalBlob], dict[str, Any]]:
        """Return the layers that the image adds to its base, and its configuration, both the same at each build.

        Parameters
        ----------
        scratch : Path
            An empty folder, which the layers' files stay in.

        Raises
        ------
        ImageError
            A step that fails, or one that must run in the image.
        """
        for number, stage in enumerate(self._needed()):
            self._stages[stage.name] = self._make(stage, scratch / str(number))
        made = self._stages[self._file.stages[-1].name]
        blobs = []
        for number, layer in enumerate((*made.below, made.layer)):
            if any(layer.iterdir()):
                archive = scratch / f"layer-{number}.tar"
                write_layer(layer, archive)
                blobs.append(LocalBlob.of(archive, oci.OCI_LAYER))
        base = self._base(self.base_name())
        return blobs, _configuration(base.config, made, [blob.descriptor for blob in blobs])

    def _find(self, name: str) -> ImageConfig:
        base = self._base(name)
        return oci.image_config(
            dict(base.config),
            reference=name,
            image_id="",
            layers=(),
            size_bytes=0,
            repo_digests=(),
        )

    def _begin(self, stage: BuildStage, folder: Path) -> Made:
        return replace(super()._begin(stage, folder), own_ids=False)

    def _do_run(self, made: Made, instruction: Instruction) -> None:
        listed = exec_form(instruction.text)
        parts = list(listed) if listed else words(instruction.text, made.all_variables())
        mode = parts[2] if parts[:2] == ["mkdir", "-m"] and len(parts) > 3 else ""
        folders = [part for part in parts[3 if mode else 1 :] if part != "-p"]
        if parts[0] == "mkdir" and folders and not any(_special(part) for part in folders):
            for path in folders:
                make_folder(self._file, made, instruction, made.absolute(path))
                if mode:
                    made.layer.joinpath(made.absolute(path).lstrip("/")).chmod(int(mode, 8))
            return
        if not self._step(instruction.text, made.layer, made.working_dir):
            raise self._file.error(
                instruction.line,
                f"« RUN {instruction.text} » doit tourner dans l’image, et elle est faite ici pour plusieurs "
                "architectures",
                "Copiez par COPY ce que cette commande produit, ou construisez l’image par « docker buildx build "
                "--platform … ».",
            )

    def _do_copy(self, made: Made, instruction: Instruction) -> None:
        if instruction.flag("chown"):
            raise self._file.error(
                instruction.line,
                "« --chown » demande les comptes de l’image de base, que seul un moteur de conteneurs a ici",
                "Laissez les fichiers à root, ou construisez l’image par « docker buildx build --platform … ».",
            )
        super()._do_copy(made, instruction)

    _do_add = _do_copy


def _special(part: str) -> bool:
    return part.startswith("-") or any(mark in part for mark in "&|;<>()*?[]{}`$")


def write_layer(folder: Path, archive: Path) -> None:
    """Write a layer's files as a tar that is always the same: not compressed, as no two libraries compress alike."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            info = tarfile.TarInfo(path.relative_to(folder).as_posix())
            status = path.lstat()
            info.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
            if path.is_symlink():
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
                tar.addfile(info)
            elif path.is_dir():
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            else:
                info.size = status.st_size
                with path.open("rb") as file:
                    tar.addfile(info, file)


def _configuration(
    base: Mapping[str, Any], made: Made, layers: list[oci.Descriptor]
) -> dict[str, Any]:
    """Return the OCI configuration of what a build has come to, on that of its base."""
    said = ImageConfig(
        reference="",
        image_id="",
        layers=(),
        env=made.env,
        entrypoint=made.entrypoint,
        cmd=made.cmd,
        working_dir=made.working_dir,
        exposed_ports=tuple(made.ports),
        stop_signal=made.stop_signal,
        user=made.user,
        volumes=tuple(made.volumes),
        labels=made.labels,
    ).to_oci()
    kept = {key: value for key, value in (base.get("config") or {}).items() if key not in _SAID}
    rootfs = base.get("rootfs") or {"type": "layers", "diff_ids": []}
    step = {"created_by": "Containerfile", "created": base.get("created", "1970-01-01T00:00:00Z")}
    steps = [step] * len(layers) or [step | {"empty_layer": True}]
    return {
        **base,
        "config": kept | said,
        "history": [*(base.get("history") or ()), *steps],
        "rootfs": rootfs | {"diff_ids": [*rootfs["diff_ids"], *(blob.digest for blob in layers)]},
    }
