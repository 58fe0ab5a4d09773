"""Builds an image from a Containerfile without a container engine: files are copied, `RUN` runs for real.

Each stage is a folder that becomes the image's own files; below them stand the host's programs (`bases`),
as they do when the container runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from ...errors import ImageError
from ..cri import ImageConfig
from ..runtime import rootfs
from . import bases
from .build_copy import Origin, copy
from .build_run import run_step
from .build_stage import Made, lay_base
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
_FORMAT = "1"
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
        Returns a built image that `FROM` or `COPY --from` names, or None.
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

    def key(self) -> str:
        """Return the name of the result: a digest of all that goes into it."""
        digest = hashlib.sha256()
        for part in (_FORMAT, self._file.source.read_text(), repr(sorted(self._arguments.items()))):
            digest.update(part.encode() + b"\0")
        digest.update(repr(bases.host_programs()).encode())
        for stage in self._file.stages:
            image = self._find_image(self._base_name(stage))
            digest.update(b"" if image is None else image.image_id.encode())
        for path in self._context_files():
            mode = path.lstat().st_mode
            digest.update(f"{path.relative_to(self._context)}\0{stat.S_IMODE(mode)}\0".encode())
            digest.update(str(path.readlink()).encode() if path.is_symlink() else path.read_bytes())
        return digest.hexdigest()

    def run(self, key: str) -> None:
        """Make the image's folder `work/key`: `rootfs` and `config.json`.

        Raises
        ------
        ImageError
            A step that fails; says which line.
        """
        scratch = self._work / f"building-{os.getpid()}"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            for number, stage in enumerate(self._needed()):
                self._stages[stage.name] = self._make(stage, scratch / str(number))
            last = self._stages[self._file.stages[-1].name]
            (last.folder / "config.json").write_text(json.dumps(self._config(last, key), indent=1))
            last.folder.replace(self._work / key)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _config(self, made: Made, key: str) -> dict[str, object]:
        config = ImageConfig(
            reference=self._tag,
            image_id=f"sha256:{key}",
            rootfs=Path(),
            env=made.env,
            entrypoint=made.entrypoint,
            cmd=made.cmd,
            working_dir=made.working_dir,
            exposed_ports=tuple(made.ports),
            stop_signal=made.stop_signal,
            user=made.user,
        )
        plain = asdict(config)
        del plain["rootfs"]
        return plain

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
        files = folder / "rootfs"
        files.mkdir(parents=True)
        earlier = self._stages.get(name)
        if earlier is not None:
            rootfs.copy_tree(str(earlier.folder / "rootfs"), str(files))
            fresh = {
                "folder": folder,
                "env": dict(earlier.env),
                "variables": {},
                "ports": list(earlier.ports),
            }
            return Made(**{**vars(earlier), **fresh})
        image = self._find_image(name)
        base = bases.base(name)
        if image is not None:
            rootfs.copy_tree(str(image.rootfs), str(files))
            kind: bases.Kind = (
                "java" if "JAVA_HOME" in image.env else bases.kind_of(name) or "shell"
            )
            return Made(
                folder,
                kind,
                dict(image.env),
                {},
                image.entrypoint,
                image.cmd,
                image.working_dir,
                list(image.exposed_ports),
                image.stop_signal,
                image.user,
            )
        if base is None:
            raise self._file.error(
                stage.start.line,
                f"l’image de base « {name} » ne peut pas être exécutée ici",
                "Partez de python, d’eclipse-temurin (Java installé sur cette machine), de busybox, d’alpine ou de "
                "debian : ce cluster emploie les programmes de la machine.",
            )
        lay_base(base, files)
        return Made(folder, base.kind, dict(base.env), cmd=base.cmd)

    def _do_arg(self, made: Made, instruction: Instruction) -> None:
        for name, default in pairs(instruction.text, made.all_variables()).items():
            inherited = self._globals.get(name, "") if "=" not in instruction.text else default
            made.variables[name] = self._arguments.get(name, inherited)

    def _do_env(self, made: Made, instruction: Instruction) -> None:
        made.env |= pairs(instruction.text, made.all_variables())

    def _do_workdir(self, made: Made, instruction: Instruction) -> None:
        path = " ".join(words(instruction.text, made.all_variables()))
        made.working_dir = made.absolute(path)
        made.place(made.working_dir).mkdir(parents=True, exist_ok=True)

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
            made.place(path).mkdir(parents=True, exist_ok=True)

    def _do_label(self, made: Made, instruction: Instruction) -> None:
        pairs(instruction.text, made.all_variables())

    def _do_maintainer(self, made: Made, instruction: Instruction) -> None:
        """Nothing: as `LABEL`, it changes no file."""

    def _do_healthcheck(self, made: Made, instruction: Instruction) -> None:
        """Nothing: Kubernetes has probes instead."""

    def _do_add(self, made: Made, instruction: Instruction) -> None:
        copy(self._file, made, instruction, Origin(self._context, self._ignored))

    def _do_copy(self, made: Made, instruction: Instruction) -> None:
        copy(self._file, made, instruction, self._origin(instruction))

    def _origin(self, instruction: Instruction) -> Origin:
        """Return where a `COPY` takes from."""
        name = instruction.flag("from")
        if name is None:
            return Origin(self._context, self._ignored)
        stage = self._stages.get(name)
        if stage is None and name.isdigit() and int(name) < len(self._file.stages):
            stage = self._stages.get(self._file.stages[int(name)].name)
        if stage is not None:
            return Origin(stage.folder / "rootfs", [])
        image = self._find_image(name)
        if image is None:
            raise self._file.error(
                instruction.line,
                f"« --from={name} » : ni une étape de ce fichier, ni une image du cluster",
                "Nommez l’étape par « FROM … AS nom » ou construisez d’abord cette image.",
            )
        return Origin(image.rootfs, [])
