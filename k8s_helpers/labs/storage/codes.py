"""What the recordings of the lab `storage` call things, and the facts of their marks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Claim(StrEnum):
    """What becomes of a claim: the name of the run."""

    DELETE = "delete"
    RETAIN = "retain"
    IMPOSSIBLE = "impossible"


class StorageMark(StrEnum):
    """The mark of what is done, or seen."""

    CLAIM = "claim"
    CONSUMER = "consumer"
    DELETE_POD = "delete-pod"
    DELETE_CLAIM = "delete-claim"
    RETAIN = "retain"
    CLEAR_CLAIM = "clear-claim"
    PHASE = "phase"
    READ = "read"
    STUCK = "stuck"


@dataclass(frozen=True)
class PhaseChange:
    """A claim or a volume has come to a phase; "Deleted" where it is gone."""

    kind: str
    name: str
    uid: str
    phase: str


@dataclass(frozen=True)
class NoteRead:
    """Whether a pod read the note to keep, and whether it had written it itself."""

    written: bool
    kept: bool


@dataclass(frozen=True)
class Stuck:
    """In which phases claim and pod still are, and what the pod complains of."""

    claim: str
    pod: str
    message: str
