"""Builds an image from a Containerfile without a container engine: files are copied, `RUN` runs for real.

A stage stands on the layers of what its `FROM` names and adds one of its own. `host/…` (`bases`) has this machine's
programs below its layers, in the build as when the container runs; any other image brings all that it needs, and `RUN`
sees nothing of the host.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import ImageError
from ..cri import ImageConfig
from ..runtime import rootfs
from ..runtime.users import ranges
from ..storage import disk
from . import bases, names
from .build_copy import Origin, copy, make_folder
from .build_run import run_step
from .build_stage import Made
from .containerfile import (
    BuildStage,
    Containerfile,
    Instruction,
    command,
    exec_form,
    ignored,
    pairs,
    parse,
    words,
)

_NAMES = ("Containerfile", "Dockerfile")
_IGNORE_FILES = (".containerignore", ".dockerignore")
_ALWAYS_IGNORED = ["**/__pycache__", ".git"]
_NOTHING = "scratch"
"""The base of no files (docs.docker.com/build/building/base-images)."""
_FORMAT = "2"
"""Part of every image's identity: change it when the same Containerfile would give other files."""


class Build:
    """One build.

    Parameters
    ----------
    context : Path
        Folder with the Containerfile.
    tag : str
        The image's name, for messages.
    build_args : mapping
        Values for `ARG`.
    work : Path
        Where stages are made: the store's folder, so that the result can be renamed into place.
    find_image : callable
        Returns the image that `FROM` or `COPY --from` names: built, built in, or of a registry; None where there is
        none, `ImageError` where a registry refuses it.
    """

    def __init__(
        self,
        context: Path,
        tag: str,
        build_args: Mapping[str, str],
        work: Path,
        find_image: Callable[[str], ImageConfig | None],
    ) -> None:
        self._context = context.resolve()
        self._tag = tag
        self._arguments = dict(build_args)
        self._work = work
        self._find_image = find_image
        self._file = self._read()
        self._ignored = self._read_ignored()
        self._globals = self._read_globals()
        self._stages: dict[str, Made] = {}
        self._images: dict[str, ImageConfig | None] = {}

    def key(self) -> str:
        """Return the name of the result: a digest of all that goes into it."""
        digest = hashlib.sha256()
        for part in (_FORMAT, self._file.source.read_text(), repr(sorted(self._arguments.items()))):
            digest.update(part.encode() + b"\0")
        for name, line in self._outside().items():
            image = self._image(name, line)
            digest.update(b"" if image is None else image.image_id.encode())
        for path in self._context_files():
            mode = path.lstat().st_mode
            digest.update(f"{path.relative_to(self._context)}\0{stat.S_IMODE(mode)}\0".encode())
            digest.update(str(path.readlink()).encode() if path.is_symlink() else path.read_bytes())
        return digest.hexdigest()

    def layers(self) -> tuple[Path, ...]:
        """Return the layers of the images that the build takes from."""
        taken = (self._image(name, line) for name, line in self._outside().items())
        return tuple(layer for image in taken if image is not None for layer in image.layers)

    def run(self, key: str) -> None:
        """Make the image's folder `work/key`: `config.json`, and a folder for each stage that it stands on.

        Raises
        ------
        ImageError
            A step that fails; says which line.
        """
        scratch = self._work / f"building-{os.getpid()}"
        ranges.delete(scratch)
        try:
            for number, stage in enumerate(self._needed()):
                self._stages[stage.name] = self._make(stage, scratch / str(number))
            last = self._stages[self._file.stages[-1].name]
            for made in self._stages.values():
                if made is not last and made.layer not in last.below:
                    ranges.delete(made.folder)
            plain = self._config(last, key, scratch)
            (scratch / "config.json").write_text(json.dumps(plain, indent=1))
            scratch.replace(self._work / key)
        finally:
            ranges.delete(scratch)

    def _config(self, made: Made, key: str, scratch: Path) -> dict[str, Any]:
        """Return what `store` reads again: layers of this build are named from its folder, others in full."""
        layers = (*made.below, made.layer)
        own = [layer.is_relative_to(scratch) for layer in layers]
        labels = {bases.BASE_NAME_LABEL: made.base} if made.base else {}
        return {
            "image_id": f"sha256:{key}",
            "layers": [
                str(layer.relative_to(scratch) if ours else layer)
                for layer, ours in zip(layers, own, strict=True)
            ],
            "host_programs": made.host_programs,
            "env": made.env,
            "entrypoint": made.entrypoint,
            "cmd": made.cmd,
            "working_dir": made.working_dir,
            "exposed_ports": made.ports,
            "stop_signal": made.stop_signal,
            "user": made.user,
            "volumes": made.volumes,
            "labels": labels | made.labels,
            "size_bytes": sum(disk.written_bytes(layer) for layer in layers),
        }

    def _read(self) -> Containerfile:
        for name in _NAMES:
            path = self._context / name
            if path.is_file():
                return parse(path.read_text(), path)
        raise ImageError(
            f"Construire l’image « {self._tag} »",
            f"pas de {' ni de '.join(_NAMES)} dans {self._context}",
            "Donnez le dossier qui contient le Containerfile.",
        )

    def _read_ignored(self) -> list[str]:
        for name in _IGNORE_FILES:
            path = self._context / name
            if path.is_file():
                return [*path.read_text().splitlines(), *_ALWAYS_IGNORED]
        return _ALWAYS_IGNORED

    def _read_globals(self) -> dict[str, str]:
        known: dict[str, str] = {}
        for instruction in self._file.arguments:
            for name, default in pairs(instruction.text, known).items():
                known[name] = self._arguments.get(name, default)
        return known

    def _context_files(self) -> Iterator[Path]:
        for path in sorted(self._context.rglob("*")):
            inside = path.relative_to(self._context).as_posix()
            if (path.is_symlink() or path.is_file()) and not ignored(self._ignored, inside):
                yield path

    def _base_name(self, stage: BuildStage) -> str:
        parts = words(stage.start.text, self._globals)
        return parts[0] if parts else ""

    def _needed(self) -> list[BuildStage]:
        """Return the stages that the last one needs, in order."""
        by_name = {stage.name: stage for stage in self._file.stages}
        by_name |= {str(number): stage for number, stage in enumerate(self._file.stages)}
        wanted = [self._file.stages[-1]]
        for stage in wanted:  # grows while it is read
            sources = [self._base_name(stage)]
            sources += [instruction.flag("from") or "" for instruction in stage.body]
            wanted += [
                by_name[name] for name in sources if name in by_name and by_name[name] not in wanted
            ]
        return [stage for stage in self._file.stages if stage in wanted]

    def _make(self, stage: BuildStage, folder: Path) -> Made:
        made = self._begin(stage, folder)
        for instruction in stage.body:
            getattr(self, f"_do_{instruction.keyword.lower()}")(made, instruction)
        return made

    def _begin(self, stage: BuildStage, folder: Path) -> Made:
        name = self._base_name(stage)
        (folder / "rootfs").mkdir(parents=True)
        earlier = self._stages.get(name)
        if earlier is not None:
            layers = (*earlier.below, earlier.layer)
            return replace(
                earlier,
                folder=folder,
                below=_laid(layers, folder, host_programs=earlier.host_programs),
                env=dict(earlier.env),
                variables={},
                ports=list(earlier.ports),
                volumes=list(earlier.volumes),
                labels=dict(earlier.labels),
            )
        if name == _NOTHING:
            return Made(folder, "", (), host_programs=False)
        image = self._image(name, stage.start.line)
        if image is None:
            raise self._no_base(stage.start.line, name)
        return Made(
            folder,
            image.labels[bases.BASE_NAME_LABEL] if image.built_in else name,
            _laid(image.layers, folder, host_programs=image.host_programs),
            image.host_programs,
            dict(image.env),
            {},
            image.entrypoint,
            image.cmd,
            image.working_dir,
            list(image.exposed_ports),
            image.stop_signal,
            image.user,
            list(image.volumes),
            _without_base(image.labels),
        )

    def _no_base(self, line: int, name: str) -> ImageError:
        if bases.is_host(names.normalise(name)):
            return self._file.error(line, *bases.refusal(names.normalise(name)))
        known = ", ".join(bases.names())
        return self._file.error(
            line,
            f"l’image de base « {name} » n’est pas ici",
            f"Allez la chercher (« image pull {name} », ou « image load ARCHIVE » sans internet), ou partez d’une "
            f"image faite des programmes de cette machine : {known}.",
        )

    def _image(self, name: str, line: int) -> ImageConfig | None:
        """Return the image that a line names, asked for once: it may have to be fetched."""
        if name not in self._images:
            try:
                self._images[name] = None if name == _NOTHING else self._find_image(name)
            except ImageError as error:
                found = f"l’image « {name} » n’est pas ici : {error.found}"
                raise self._file.error(line, found, error.advice) from None
        return self._images[name]

    def _outside(self) -> dict[str, int]:
        """Return the images that the build takes from, which are no stages of it, with the line that names each."""
        stages = {stage.name for stage in self._file.stages}
        stages |= {str(number) for number in range(len(self._file.stages))}
        taken: dict[str, int] = {}
        for stage in self._needed():
            taken.setdefault(self._base_name(stage), stage.start.line)
            for instruction in stage.body:
                taken.setdefault(instruction.flag("from") or "", instruction.line)
        return {name: line for name, line in taken.items() if name and name not in stages}

    def _do_arg(self, made: Made, instruction: Instruction) -> None:
        for name, default in pairs(instruction.text, made.all_variables()).items():
            inherited = self._globals.get(name, "") if "=" not in instruction.text else default
            made.variables[name] = self._arguments.get(name, inherited)

    def _do_env(self, made: Made, instruction: Instruction) -> None:
        made.env |= pairs(instruction.text, made.all_variables())

    def _do_workdir(self, made: Made, instruction: Instruction) -> None:
        path = " ".join(words(instruction.text, made.all_variables()))
        made.working_dir = made.absolute(path)
        make_folder(self._file, made, instruction, made.working_dir)

    def _do_run(self, made: Made, instruction: Instruction) -> None:
        run_step(self._file, self._tag, self._work, made, instruction)

    def _do_cmd(self, made: Made, instruction: Instruction) -> None:
        made.cmd = command(instruction.text)

    def _do_entrypoint(self, made: Made, instruction: Instruction) -> None:
        made.entrypoint = command(instruction.text)
        if not any(other.keyword == "CMD" for other in self._body_of(instruction)):
            made.cmd = ()

    def _body_of(self, instruction: Instruction) -> tuple[Instruction, ...]:
        return next(stage.body for stage in self._file.stages if instruction in stage.body)

    def _do_expose(self, made: Made, instruction: Instruction) -> None:
        for word in words(instruction.text, made.all_variables()):
            port = word.partition("/")[0]
            if not port.isdigit():
                raise self._file.error(
                    instruction.line, f"port « {word} »", "Écrivez un nombre : EXPOSE 8080."
                )
            made.ports.append(int(port))

    def _do_stopsignal(self, made: Made, instruction: Instruction) -> None:
        name = " ".join(words(instruction.text, made.all_variables()))
        if (
            not name.isdigit()
            and "SIG" + name.removeprefix("SIG") not in signal.Signals.__members__
        ):
            raise self._file.error(
                instruction.line, f"signal inconnu « {name} »", "Écrivez : STOPSIGNAL SIGQUIT"
            )
        made.stop_signal = name

    def _do_user(self, made: Made, instruction: Instruction) -> None:
        made.user = " ".join(words(instruction.text, made.all_variables()))

    def _do_volume(self, made: Made, instruction: Instruction) -> None:
        for path in exec_form(instruction.text) or words(instruction.text, made.all_variables()):
            make_folder(self._file, made, instruction, made.absolute(path))
            if made.absolute(path) not in made.volumes:
                made.volumes.append(made.absolute(path))

    def _do_label(self, made: Made, instruction: Instruction) -> None:
        made.labels |= pairs(instruction.text, made.all_variables())

    def _do_maintainer(self, made: Made, instruction: Instruction) -> None:
        """Nothing: as `LABEL`, it changes no file."""

    def _do_healthcheck(self, made: Made, instruction: Instruction) -> None:
        """Nothing: Kubernetes has probes instead."""

    def _do_add(self, made: Made, instruction: Instruction) -> None:
        copy(self._file, made, instruction, self._context_origin())

    def _do_copy(self, made: Made, instruction: Instruction) -> None:
        copy(self._file, made, instruction, self._origin(instruction))

    def _context_origin(self) -> Origin:
        return Origin(str(self._context), (self._context,), tuple(self._ignored))

    def _origin(self, instruction: Instruction) -> Origin:
        """Return where a `COPY` takes from."""
        name = instruction.flag("from")
        if name is None:
            return self._context_origin()
        stage = self._stages.get(name)
        if stage is None and name.isdigit() and int(name) < len(self._file.stages):
            stage = self._stages.get(self._file.stages[int(name)].name)
        if stage is not None:
            return Origin(f"l’étape « {name} »", stage.stack.layers)
        image = self._image(name, instruction.line)
        if image is None:
            raise self._file.error(
                instruction.line,
                f"« --from={name} » : ni une étape de ce fichier, ni une image qui soit ici",
                "Nommez l’étape par « FROM … AS nom », ou allez chercher cette image (« image pull »).",
            )
        return Origin(f"l’image « {name} »", image.layers)


def _laid(layers: Sequence[Path], folder: Path, *, host_programs: bool) -> tuple[Path, ...]:
    """Return the layers that a new one stands on; above this machine's programs there is one only, so it is a copy."""
    if not host_programs:
        return tuple(layers)
    for layer in layers:
        rootfs.copy_tree(str(layer), str(folder / "rootfs"))
    return ()


def _without_base(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name != bases.BASE_NAME_LABEL}
