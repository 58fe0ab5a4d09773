"""What the recordings of the lab `cohabitation` call things, and the facts of their marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Solution(StrEnum):
    """Site and database in one pod, or a pod each: the name of the run."""

    A = "A"
    B = "B"


class NoteMark(StrEnum):
    """The mark of what is done with notes and pods."""

    SCALE = "scale"
    SCALED = "scaled"
    WRITE = "write"
    READ = "read"
    SCALE_DOWN = "scale-down"
    KEPT = "kept"


@dataclass(frozen=True)
class Written:
    """A note that was confirmed: by which pod of the site, in the database of which pod."""

    note: int
    site: str
    database: str


@dataclass(frozen=True)
class Shown:
    """What a reader saw: all the notes of one database."""

    site: str
    database: str
    notes: Sequence[int]
