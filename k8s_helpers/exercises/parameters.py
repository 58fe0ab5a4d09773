"""What differs from one student's exercise to the next: values drawn from a name and from the copy's seed.

The same name and the same seed draw the same values on every machine, so that the teacher can draw them again. Without
a name, each parameter has its first value: that of the notebooks as they are distributed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._paths import COURSE

MARK = re.compile(r"@([a-z][a-z0-9_]*)@")
"""How a statement, a manifest or a command names a parameter: `@port@`."""


COPY_FILE = "copie.json"
"""Beside the exercises of a student's copy: its seed among others."""


def read_copy(folder: Path) -> dict[str, Any] | None:
    """Return who the student's copy in a folder is; None where it is none, or its file is damaged."""
    try:
        plain = json.loads((folder / "exercises" / COPY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return plain if isinstance(plain, dict) else None


@functools.cache
def copy_seed() -> str:
    """Return what this copy of the course draws from; "" for the course itself."""
    return str((read_copy(COURSE) or {}).get("seed", ""))


def draw(
    declared: Mapping[str, Any], exercise: str, student: str = "", seed: str = ""
) -> dict[str, str]:
    """Return the value of each parameter of an exercise.

    Parameters
    ----------
    declared : mapping
        By name: `{"among": [...]}`, or `{"from": 8100, "to": 8199}` with an optional `step`.
    exercise : str
        Its id: two exercises that declare the same draw differently.
    student : str
        Whose; capitals, accents and spaces around it do not matter.
    seed : str
        Of the copy of the course.
    """
    return {
        name: _draw_one(_choices(asked), f"{seed}|{_key(student)}|{exercise}|{name}", student)
        for name, asked in declared.items()
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with each `@name@` replaced; a mark that names no parameter stays."""
    return MARK.sub(lambda found: values.get(found[1], found[0]), text)


def _choices(asked: Mapping[str, Any]) -> list[str]:
    if "among" in asked:
        return [str(value) for value in asked["among"]]
    return [str(value) for value in range(asked["from"], asked["to"] + 1, asked.get("step", 1))]


def _draw_one(choices: list[str], key: str, student: str) -> str:
    if not student.strip():
        return choices[0]
    digest = hashlib.sha256(key.encode()).digest()
    return choices[int.from_bytes(digest[:8], "big") % len(choices)]


def _key(student: str) -> str:
    """Return a name as it counts: « Zoé  MARTIN » is « zoe martin »."""
    bare = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode()
    return " ".join(bare.casefold().split())
