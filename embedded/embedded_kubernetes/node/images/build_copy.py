"""`COPY` and `ADD` of a build, `WORKDIR` and `VOLUME`: what they ask for, and who does it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ...processes import run
from ..runtime.spawner_link import boot_argv
from ..runtime.users import accounts, ranges
from . import build_files
from .build_stage import Made
from .containerfile import Containerfile, Instruction, exec_form, words

_ARCHIVES = (".tar", ".gz", ".xz", ".bz2", ".tgz")
_COPY_S = 1200.0


@dataclass(frozen=True)
class Origin:
    """What files are copied from: the context, another stage or an image. Nothing outside can be named.

    Attributes
    ----------
    title : str
        What it is called in messages.
    layers : tuple of Path
        Its files.
    ignored : tuple of str
        Patterns of `.dockerignore`; an image has none.
    """

    title: str
    layers: tuple[Path, ...]
    ignored: tuple[str, ...] = ()


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
    aim = made.absolute(target) + ("/" if target.endswith(("/", ".")) else "")
    task = _task(made, aim) | {
        "origin": list(map(str, origin.layers)),
        "ignored": list(origin.ignored),
        "sources": sources,
        "mode": instruction.flag("chmod") or "",
        "owner": instruction.flag("chown") or "",
    }
    absent, said = _perform(made, task)
    if absent:
        raise file.error(
            instruction.line,
            f"« {absent} » n’existe pas dans {origin.title}",
            "Corrigez le chemin (il part du dossier du Containerfile), ou le .dockerignore.",
        )
    if said:
        raise file.error(
            instruction.line, said, "Corrigez la destination, ou le propriétaire (--chown)."
        )


def make_folder(file: Containerfile, made: Made, instruction: Instruction, path: str) -> None:
    """Make a folder of the image, as `WORKDIR` does.

    Raises
    ------
    ImageError
        It cannot be made.
    """
    _, said = _perform(made, _task(made, path))
    if said:
        raise file.error(instruction.line, said, "Choisissez un autre chemin.")


def _task(made: Made, target: str) -> build_files.Task:
    return {
        "folder": str(made.folder),
        "below": list(map(str, made.below)),
        "host_programs": made.host_programs,
        "origin": [],
        "ignored": [],
        "sources": [],
        "target": target,
        "mode": "",
        "owner": "",
    }


def _perform(made: Made, task: build_files.Task) -> tuple[str, str]:
    """Do a task where the image's ids are; return the source that is not there, or what else hinders it."""
    if made.host_programs or not made.own_ids or not ranges.entry():
        try:
            build_files.perform(task)
        except build_files.AbsentError as error:
            return str(error), ""
        except accounts.AccountError as error:
            return "", str(error)
        return "", ""
    argv = [*ranges.entry(), *boot_argv("build_files", json.dumps(task), package="images")]
    answer = json.loads(run(argv, timeout_s=_COPY_S).stdout)
    return answer["absent"], answer["words"]


def _refuse_archives(file: Containerfile, instruction: Instruction, sources: list[str]) -> None:
    for name in sources:
        if "://" in name or name.endswith(_ARCHIVES):
            raise file.error(
                instruction.line,
                f"ADD de « {name} » : ni adresse ni archive dans ce cluster",
                "Téléchargez le fichier dans le dossier ; dépliez une archive par COPY puis RUN tar.",
            )
