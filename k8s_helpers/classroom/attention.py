"""Who of a class needs help first, and what it stumbles on: from what the cluster says, to typed facts. Pure.

The rules, in the order in which the teacher sees the students:

- `BROKEN`: nothing can work: a namespace goes, a quota of the class is used up, the token has ended.
- `STUCK`: on one exercise for `STUCK_S` or more, with `STUCK_ATTEMPTS` checks or more and no success.
- `SILENT`: an exercise is begun and not passed, and nothing was done for `STUCK_S`.
- `ABSENT`: the course was never connected with this student's kubeconfig.
- `WORKING`: anything else.
- `AWAY`: nothing was done for `AWAY_S`: gone home, whatever was left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from embedded_kubernetes import quantities

from ..journal import shared
from ..journal.shared import SharedProgress
from ..kube.classes import CLASS_LABEL, HOME, JOURNAL, ROLE_LABEL, STUDENT_LABEL
from .creation import TOKEN_END

STUCK_S = 600.0
STUCK_ATTEMPTS = 2
AWAY_S = 3600.0
TOKEN_SOON_S = 3 * 86_400.0
"""A token that ends within so many seconds is worth a word."""

Item = Mapping[str, Any]


class Need(IntEnum):
    """How a student is; the lower, the sooner the teacher should look."""

    BROKEN = 0
    STUCK = 1
    SILENT = 2
    ABSENT = 3
    WORKING = 4
    AWAY = 5


@dataclass(frozen=True)
class Fault:
    """Something of the cluster that keeps a student from working, or soon will.

    Attributes
    ----------
    code : str
        "terminating", "quota", "token-ended" or "token-soon".
    where : str
        A namespace, "" where it is about all of them.
    detail : str
        What is used up ("pods 60/60"); when the token ends (ISO 8601).
    """

    code: str
    where: str = ""
    detail: str = ""

    @property
    def blocking(self) -> bool:
        """Whether work stops now."""
        return self.code != "token-soon"


@dataclass(frozen=True)
class Seat:
    """One student as the teacher sees them.

    Attributes
    ----------
    student : str
        The id.
    need : Need
        How they are.
    progress : SharedProgress
        What they have done; nothing where there is no journal.
    on_exercise_s, idle_s : float or None
        For how long they have been on their exercise, and have done nothing; None where it is not known.
    faults : tuple of Fault
        What the cluster has against them.
    """

    student: str
    need: Need
    progress: SharedProgress = field(default_factory=SharedProgress)
    on_exercise_s: float | None = None
    idle_s: float | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def attempts(self) -> int:
        """Checks of the exercise that they are on."""
        tried = self.progress.exercises.get(self.progress.exercise)
        return tried.attempts if tried else 0

    @property
    def passed(self) -> int:
        """How many exercises they have passed."""
        return sum(tried.passed for tried in self.progress.exercises.values())

    @property
    def urgency(self) -> tuple[int, float, str]:
        """What students are sorted by: the need, who has waited longest, the name."""
        waited_s = self.on_exercise_s if self.need == Need.STUCK else self.idle_s
        return self.need, -(waited_s or 0.0), self.student


@dataclass(frozen=True)
class Stumbling:
    """One mistake that a class makes.

    Attributes
    ----------
    exercise, finding : str
        What `check` found, and where.
    times, students, still : int
        How often; how many students met it; how many of them have not passed the exercise yet.
    """

    exercise: str
    finding: str
    times: int
    students: int
    still: int


@dataclass(frozen=True)
class ClassState:
    """What was read of a class: lists of plain objects.

    Attributes
    ----------
    namespaces, journals, quotas : tuple of mapping
        Namespaces and ResourceQuotas with the class's label; ConfigMaps with the journals' label.
    """

    namespaces: tuple[Item, ...] = ()
    journals: tuple[Item, ...] = ()
    quotas: tuple[Item, ...] = ()


def seats(state: ClassState, now_s: float) -> tuple[Seat, ...]:
    """Return the students of a class, who needs help first.

    Whose a journal is, its namespace says, which the student cannot relabel; a journal elsewhere is nobody's.

    Parameters
    ----------
    now_s : float
        The server's time, in seconds since the epoch.
    """
    journals = {
        item["metadata"]["namespace"]: shared.of_config_map(item)
        for item in state.journals
        if item["metadata"]["name"] == JOURNAL
    }
    faults = _faults(state, now_s)
    made = []
    for item in state.namespaces:
        labels = item["metadata"].get("labels", {})
        student = labels.get(STUDENT_LABEL)
        if student and labels.get(ROLE_LABEL) == HOME:
            progress = journals.get(item["metadata"]["name"])
            made.append(_seat(student, progress, tuple(faults.get(student, ())), now_s))
    return tuple(sorted(made, key=lambda seat: seat.urgency))


def stumblings(seen: Iterable[Seat]) -> tuple[Stumbling, ...]:
    """Return what a class stumbles on: first what keeps most students."""
    counted: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for seat in seen:
        for name, tried in seat.progress.exercises.items():
            for finding, times in tried.mistakes.items():
                counted.setdefault((name, finding), []).append((times, tried.passed))
    made = [
        Stumbling(
            *key, sum(times for times, _ in met), len(met), sum(not passed for _, passed in met)
        )
        for key, met in counted.items()
    ]
    return tuple(
        sorted(made, key=lambda it: (-it.still, -it.students, -it.times, it.exercise, it.finding))
    )


def need(progress: SharedProgress | None, faults: Iterable[Fault], now_s: float) -> Need:
    """Return how a student is, by the rules above."""
    if any(fault.blocking for fault in faults):
        return Need.BROKEN
    if progress is None:
        return Need.ABSENT
    idle_s = _since(progress.active_s, now_s) or 0.0
    on_exercise_s = _since(progress.since_s, now_s) or 0.0
    if idle_s >= AWAY_S:
        return Need.AWAY
    tried = progress.exercises.get(progress.exercise)
    if not progress.exercise or (tried is not None and tried.passed):
        return Need.WORKING
    if on_exercise_s >= STUCK_S and tried is not None and tried.attempts >= STUCK_ATTEMPTS:
        return Need.STUCK
    return Need.SILENT if idle_s >= STUCK_S else Need.WORKING


def _seat(
    student: str, progress: SharedProgress | None, faults: tuple[Fault, ...], now_s: float
) -> Seat:
    known = progress or SharedProgress()
    return Seat(
        student,
        need(progress, faults, now_s),
        known,
        _since(known.since_s, now_s),
        _since(known.active_s, now_s),
        faults,
    )


def _since(instant_s: float | None, now_s: float) -> float | None:
    return None if instant_s is None else max(0.0, now_s - instant_s)


def _faults(state: ClassState, now_s: float) -> dict[str, list[Fault]]:
    """Return by student what is wrong with their namespaces."""
    faults: dict[str, list[Fault]] = {}
    owners = {}
    for item in state.namespaces:
        metadata = item["metadata"]
        student = metadata.get("labels", {}).get(STUDENT_LABEL, "")
        owners[metadata["name"]] = student
        if "deletionTimestamp" in metadata:
            faults.setdefault(student, []).append(Fault("terminating", metadata["name"]))
        if (fault := _token_fault(metadata, now_s)) is not None:
            faults.setdefault(student, []).append(fault)
    for item in state.quotas:
        namespace = item["metadata"]["namespace"]
        full = _used_up(item.get("status", {}))
        if full and namespace in owners and CLASS_LABEL in item["metadata"].get("labels", {}):
            fault = Fault("quota", namespace, ", ".join(full))
            faults.setdefault(owners[namespace], []).append(fault)
    return faults


def _token_fault(metadata: Item, now_s: float) -> Fault | None:
    end = metadata.get("annotations", {}).get(TOKEN_END, "")
    try:
        left_s = datetime.fromisoformat(end).timestamp() - now_s
    except ValueError:
        return None
    if left_s > TOKEN_SOON_S:
        return None
    return Fault("token-ended" if left_s <= 0 else "token-soon", "", end)


def _used_up(status: Item) -> list[str]:
    """Return what a quota has no more of: "pods 60/60"; what it never gives is no surprise."""
    hard, used = status.get("hard", {}), status.get("used", {})
    full = []
    for name, most in sorted(hard.items()):
        limit = quantities.parse(most)
        if 0 < limit <= quantities.parse(used.get(name, "0")):
            full.append(f"{name} {used[name]}/{most}")
    return full
