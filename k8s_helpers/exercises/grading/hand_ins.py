"""What a student hands in: a page whose block of data holds answers, for whom, and which statements they answer.

A hand-in is written by whoever hands it in: nothing in it is believed. Its seal says whether the page is as the course
wrote it, which finds what was edited by hand, not what was forged by a program; the marks come from the cluster alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from . import signing

DATA_ID = "k8s-lab-progress"
"""Where a page keeps its data: a block of JSON, which no browser runs."""
SCHEMA = 2
READABLE = (1, SCHEMA)
"""Pages of schema 1 have no answers: they count in the class's table only."""

MAX_BYTES = 50_000_000
MAX_NAME = 80


@dataclass(frozen=True)
class HandIn:
    """One page.

    Attributes
    ----------
    file : str
        Its path below the folder of hand-ins.
    name, email : str
        As the student wrote them.
    student : str
        From which the parameters were drawn; "" where they were not.
    written_at : str
        ISO 8601, as the page claims.
    claimed : mapping of str to bool
        By exercise tried: whether the page says that it is passed.
    attempts : mapping of str to int
        Checks that ran, by exercise.
    answers : mapping of str to object
        By exercise, as `check` took them: a list of texts, of one mapping, or `{"objects": [...]}`.
    predicted : int
        Slides for which something was predicted.
    copy : mapping or None
        The signed list of statements of the copy that it was written with.
    statements : mapping of str to str
        What stood for each statement on the student's machine.
    sealed : bool
        Whether the page is as the course wrote it.
    """

    file: str
    name: str
    email: str = ""
    student: str = ""
    written_at: str = ""
    claimed: Mapping[str, bool] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    predicted: int = 0
    copy: Mapping[str, Any] | None = None
    statements: Mapping[str, str] = field(default_factory=dict)
    sealed: bool = False

    @property
    def passed(self) -> int:
        """How many exercises the page says are passed."""
        return sum(self.claimed.values())


def seal(plain: Mapping[str, Any]) -> str:
    """Return the seal of a page's data: it changes with any of them."""
    kept = {name: value for name, value in plain.items() if name != "seal"}
    return hashlib.sha256(b"k8s-lab\0" + signing.canonical(kept)).hexdigest()


def read(file: Path, name: str) -> HandIn:
    """Return what one page holds.

    Parameters
    ----------
    name : str
        How the file is called in what is said of it.

    Raises
    ------
    ValueError
        It is no progress page; says why, in French.
    """
    if file.stat().st_size > MAX_BYTES:
        raise ValueError("le fichier est trop gros")
    reader = _Reader()
    reader.feed(file.read_text(encoding="utf-8", errors="replace"))
    if reader.inside:
        raise ValueError("la page est tronquée : ses données s’arrêtent au milieu")
    try:
        plain = json.loads("".join(reader.data))
    except (ValueError, RecursionError):
        raise ValueError("ce n’est pas une page de progression") from None
    if not isinstance(plain, dict) or plain.get("schema") not in READABLE:
        raise ValueError("cette page vient d’une autre version du cours")
    return _from_plain(plain, file, name)


def _from_plain(plain: Mapping[str, Any], file: Path, name: str) -> HandIn:
    entries = {
        key: entry for key, entry in _mapping(plain, "exercises").items() if isinstance(entry, dict)
    }
    copy = plain.get("copy")
    return HandIn(
        file=name,
        name=_text(plain, "name") or file.stem[:MAX_NAME],
        email=_text(plain, "email"),
        student=_text(plain, "student"),
        written_at=_text(plain, "written_at"),
        claimed={
            key: bool(entry.get("passed_at"))
            for key, entry in entries.items()
            if entry.get("passed_at") or _number(entry.get("attempts"))
        },
        attempts={key: _number(entry.get("attempts")) for key, entry in entries.items()},
        answers={
            key: entry["answer"]
            for key, entry in entries.items()
            if entry.get("answer") is not None
        },
        predicted=len(_mapping(plain, "predictions")),
        copy=copy if isinstance(copy, dict) else None,
        statements={key: str(value) for key, value in _mapping(plain, "statements").items()},
        sealed=plain["schema"] == SCHEMA and plain.get("seal") == seal(plain),
    )


def _mapping(plain: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = plain.get(name)
    return value if isinstance(value, dict) else {}


def _text(plain: Mapping[str, Any], name: str) -> str:
    value = plain.get(name)
    return " ".join(value.split())[:MAX_NAME] if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 1_000_000 else 0


class _Reader(HTMLParser):
    """Finds the block of data of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.data: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self.inside = tag == "script" and dict(attrs).get("id") == DATA_ID

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.data.append(data)
