"""`COPY` and `ADD` of a build."""

from __future__ import annotations

import stat
from pathlib import Path

from ..runtime import rootfs
from .build_stage import Made
from .containerfile import Containerfile, Instruction, exec_form, ignored, words

_ARCHIVES = (".tar", ".gz", ".xz", ".bz2", ".tgz")


class Origin:
    """A folder that files are copied from: the context, another stage or an image.

    Parameters
    ----------
    folder : Path
        The folder.
    ignored : list of str
        Patterns of `.dockerignore`; an image has none.
    """

    def __init__(self, folder: Path, ignored: list[str]) -> None:
        self.folder = folder
        self._ignored = ignored

    def has(self, path: Path) -> bool:
        """Whether a path counts: not ignored, and inside."""
        inside = path.relative_to(self.folder).as_posix()
        parent = path.parent.resolve()
        return parent.is_relative_to(self.folder.resolve()) and not ignored(self._ignored, inside)

    def matches(self, pattern: str) -> list[Path]:
        """Return what a source of `COPY` names; `*` and `?` are understood."""
        pattern = pattern.strip("/").removeprefix("./")
        if pattern in ("", "."):
            return [self.folder]
        if ".." in pattern.split("/"):
            return []
        return [path for path in sorted(self.folder.glob(pattern)) if self.has(path)]


def copy(file: Containerfile, made: Made, instruction: Instruction, origin: Origin) -> None:
    """Do one `COPY` or `ADD`.

    Raises
    ------
    ImageError
        A source that is not there, or what this cluster does not do (archives, addresses).
    """
    listed = exec_form(instruction.text)
    parts = list(listed) if listed else words(instruction.text, made.all_variables())
    if len(parts) < 2:
        raise file.error(
            instruction.line, "il manque une source ou une destination", "Écrivez : COPY src/ /app/"
        )
    *sources, target = parts
    if instruction.keyword == "ADD":
        _refuse_archives(file, instruction, sources)
    paths = [path for name in sources for path in _found(file, instruction, origin, name)]
    place = made.place(made.absolute(target))
    into_folder = target.endswith(("/", ".")) or len(paths) > 1 or place.is_dir()
    mode = instruction.flag("chmod")
    for path in paths:
        if path.is_dir():
            _copy_folder(path, place, origin)
            continue
        aim = place / path.name if into_folder else place
        aim.parent.mkdir(parents=True, exist_ok=True)
        given = stat.S_IMODE(path.stat().st_mode) if mode is None else int(mode, 8)
        rootfs.copy_file(str(path), str(aim), given)


def _found(file: Containerfile, instruction: Instruction, origin: Origin, name: str) -> list[Path]:
    paths = origin.matches(name)
    if not paths:
        raise file.error(
            instruction.line,
            f"« {name} » n’existe pas dans {origin.folder}",
            "Corrigez le chemin (il part du dossier du Containerfile), ou le .dockerignore.",
        )
    return paths


def _refuse_archives(file: Containerfile, instruction: Instruction, sources: list[str]) -> None:
    for name in sources:
        if "://" in name or name.endswith(_ARCHIVES):
            raise file.error(
                instruction.line,
                f"ADD de « {name} » : ni adresse ni archive dans ce cluster",
                "Téléchargez le fichier dans le dossier ; dépliez une archive par COPY puis RUN tar.",
            )


def _copy_folder(source: Path, target: Path, origin: Origin) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in sorted(source.iterdir()):
        aim = target / entry.name
        if not origin.has(entry):
            continue
        if entry.is_symlink():
            aim.unlink(missing_ok=True)
            aim.symlink_to(entry.readlink())
        elif entry.is_dir():
            _copy_folder(entry, aim, origin)
        else:
            rootfs.copy_file(str(entry), str(aim), stat.S_IMODE(entry.stat().st_mode))
