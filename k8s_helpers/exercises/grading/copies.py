"""`k8s-lab student-copy`: the course without its answers, and a signed list of its statements."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import _paths, journal
from ..._errors import UsageError
from ..catalogue import Exercise, exercises
from ..parameters import COPY_FILE, read_copy
from . import signing

ANSWERS = ("solution", "wrong")
"""Folders of an exercise that a copy does not have."""

_LEFT_OUT = frozenset(
    {".git", ".venv", "build", "dist", "out", "target", "__pycache__", ".ipynb_checkpoints"}
    | {"tests", "benchmarks", "findings"}
)
"""Folders that tools make, and those that only whoever develops the course needs."""
_TEACHERS = ("docs/projet.md", "docs/enseigner.md")
_KEPT_FIELDS = (
    "title",
    "statement",
    "steps",
    "fields",
    "kinds",
    "apps",
    "host_paths",
    "max_pods",
    "timeout_s",
    "parameters",
    "workspace",
)


@dataclass(frozen=True)
class StudentCopy:
    """What was made.

    Attributes
    ----------
    folder : Path
        Where.
    identity : str
        By which its hand-ins are recognised.
    exercises, hints : int
        How many exercises it has, and how many hints were left out.
    """

    folder: Path
    identity: str
    exercises: int
    hints: int


def digest(exercise: Exercise) -> str:
    """Return what stands for a statement: the same in the course and in its copies, as hints do not count."""
    import yaml

    plain = yaml.safe_load((exercise.folder / "exercise.yaml").read_text(encoding="utf-8"))
    kept = {name: plain[name] for name in _KEPT_FIELDS if name in plain}
    made = hashlib.sha256(signing.canonical(kept))
    for file in [exercise.folder / "check.py", *sorted((exercise.folder / "given").glob("*"))]:
        made.update(file.name.encode() + b"\0" + file.read_bytes())
    return made.hexdigest()


def current() -> dict[str, Any] | None:
    """Return who this copy of the course is; None for the course itself, or where the file is damaged."""
    return read_copy(_paths.COURSE)


def student_copy(target: Path) -> StudentCopy:
    """Write a copy of the course for students: no solution, no typical mistake, no last hint; statements signed.

    Parameters
    ----------
    target : Path
        A folder that does not exist yet, or is empty.

    Raises
    ------
    UsageError
        There is something in it, it is inside the course, or the course is itself a copy.
    """
    _require_place(target)
    key = signing.teacher_key(make=True)
    assert key is not None
    statements = {name: digest(exercise) for name, exercise in exercises().items()}
    _copy_files(target)
    hints = sum(_strip(target / "exercises" / name) for name in statements)
    about = {
        "id": secrets.token_hex(4),
        "seed": secrets.token_hex(8),
        "made_at": journal.now(),
        "statements": statements,
    }
    signed = {**about, "signature": signing.sign(key, about)}
    text = json.dumps(signed, ensure_ascii=False, indent=1)
    (target / "exercises" / COPY_FILE).write_text(text + "\n", encoding="utf-8")
    return StudentCopy(target, str(about["id"]), len(statements), hints)


def is_ours(copy: Mapping[str, Any]) -> bool:
    """Return whether this teacher's key has signed a copy's list of statements."""
    key = signing.teacher_key()
    about = {name: value for name, value in copy.items() if name != "signature"}
    return key is not None and signing.is_signed(key, about, copy.get("signature"))


def _require_place(target: Path) -> None:
    tried = f"Écrire une copie du cours dans « {target} »"
    if current() is not None:
        raise UsageError(
            tried,
            "ce dossier du cours est lui-même une copie, sans les réponses",
            "Lancez la commande depuis le cours complet, celui de l’enseignant.",
        )
    if target.resolve().is_relative_to(_paths.COURSE):
        raise UsageError(
            tried, "c’est un dossier du cours lui-même", "Choisissez un dossier hors du cours."
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            tried,
            "il y a déjà quelque chose à cet endroit",
            "Donnez le nom d’un dossier qui n’existe pas encore.",
        )


def _copy_files(target: Path) -> None:
    """Copy the course without its answers and the teacher's pages."""
    for name in _course_files():
        parts = Path(name).parts
        if name in _TEACHERS:
            continue
        if parts[0] == "exercises" and len(parts) > 2 and parts[2] in ANSWERS:
            continue
        source = _paths.COURSE / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def _course_files() -> Iterator[str]:
    """Yield the course's files; folders that tools make are not looked into."""
    for folder, inside, files in os.walk(_paths.COURSE):
        at = Path(folder).relative_to(_paths.COURSE)
        inside[:] = sorted(name for name in inside if not _left_out(name))
        yield from ((at / name).as_posix() for name in sorted(files) if name != ".git")


def _left_out(name: str) -> bool:
    return name in _LEFT_OUT or name.endswith("_cache") or name.endswith(".egg-info")


def _strip(folder: Path) -> int:
    """Leave the last hint of each list out of an exercise, and its list of mistakes; return how many went."""
    import yaml

    file = folder / "exercise.yaml"
    plain = yaml.safe_load(file.read_text(encoding="utf-8"))
    before = sum(map(len, plain["hints"].values()))
    # The only hint of a list says little more than what was found: it stays.
    plain["hints"] = {
        code: hints[:-1] if len(hints) > 1 else hints for code, hints in plain["hints"].items()
    }
    plain["wrong"] = {}
    plain.pop("unmet", None)
    text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=120)
    file.write_text(text, encoding="utf-8")
    return before - sum(map(len, plain["hints"].values()))
