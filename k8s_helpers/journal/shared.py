"""What a class that shares a cluster sees of a student: counts, names of exercises, codes of findings and ages.

Never an answer, the value of a prediction or a name. It is kept in one ConfigMap of the student's home namespace, one
entry for each journal file: a student who works on two machines writes two, which are merged by who reads. Instants are
written as ages ("120 seconds before this was written"), and the server's clock says when that was: a student's
machine may have any time.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from . import ExerciseEntry, Journal

SCHEMA = 1
MAX_ENTRY_BYTES = 5_000
"""Of one journal file: a ConfigMap holds three, in less than 16 KB."""
MAX_READ_BYTES = 4 * MAX_ENTRY_BYTES
"""An entry that is longer was not written by this course, and is not read."""
MAX_FILES = 3
"""Entries of a ConfigMap; with one more, the oldest are added up in one."""
EARLIER = "earlier.json"
"""The entry in which those of files that are no longer written are added up."""
JOURNAL_LABEL = "k8s-helpers/journal"
"""On the ConfigMap, with the class's name: one request finds all of them. It is the student's own: no `CLASS_LABEL`."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MAX_COUNT = 100_000
_CODES_KEPT = (20, 6, 3, 1, 0)


@dataclass(frozen=True)
class SharedExercise:
    """How far a student is with one exercise.

    Attributes
    ----------
    attempts, hints : int
        Checks that ran, and the degree of the last hint given.
    passed : bool
        Whether it ever passed.
    finding : str
        Code of what the last check found, "" after a success.
    mistakes : mapping of str to int
        How many checks have ended with each finding; the rarest may be left out.
    """

    attempts: int = 0
    hints: int = 0
    passed: bool = False
    finding: str = ""
    mistakes: Mapping[str, int] = field(default_factory=dict)

    def plus(self, later: SharedExercise) -> SharedExercise:
        """Return both together, where `later` was worked on last."""
        last = later if later.attempts else self
        return SharedExercise(
            self.attempts + later.attempts,
            last.hints,
            self.passed or later.passed,
            last.finding,
            dict(Counter(self.mistakes) + Counter(later.mistakes)),
        )


@dataclass(frozen=True)
class SharedProgress:
    """How far a student is.

    Attributes
    ----------
    exercises : mapping of str to SharedExercise
        Those that were tried.
    predicted : int
        Slides for which something was predicted.
    exercise : str
        The one last worked on, "" for none.
    since_s, active_s : float or None
        Since when, and when something was last done: seconds since the epoch, by the clock of who made this.
    """

    exercises: Mapping[str, SharedExercise] = field(default_factory=dict)
    predicted: int = 0
    exercise: str = ""
    since_s: float | None = None
    active_s: float | None = None

    def to_json(self, now_s: float) -> str:
        """Return the entry that says so, with instants as ages at `now_s`; rare findings go where it would be long."""
        text = ""
        for codes in _CODES_KEPT:
            text = json.dumps(self._plain(now_s, codes), separators=(",", ":"), sort_keys=True)
            if len(text) <= MAX_ENTRY_BYTES:
                break
        return text

    def _plain(self, now_s: float, codes: int) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "predicted": self.predicted,
            "exercise": self.exercise,
            "since": _age(self.since_s, now_s),
            "active": _age(self.active_s, now_s),
            "exercises": {
                name: [
                    tried.attempts,
                    int(tried.passed),
                    tried.hints,
                    tried.finding,
                    dict(Counter(tried.mistakes).most_common(codes)),
                ]
                for name, tried in self.exercises.items()
            },
        }

    @classmethod
    def parse(cls, text: str, written_s: float | None) -> SharedProgress:
        """Return what an entry says; what is no name or no count is left out, whoever wrote it.

        Parameters
        ----------
        written_s : float or None
            When it was written, by the server's clock; without it there are no instants.

        Raises
        ------
        ValueError
            It is no entry, or of another schema.
        """
        if len(text) > MAX_READ_BYTES:
            raise ValueError("too long")
        plain = json.loads(text)
        if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
            raise ValueError("another schema")
        tried = plain.get("exercises")
        found = {
            name: exercise
            for name, given in (tried.items() if isinstance(tried, dict) else ())
            if _is_name(name) and (exercise := _exercise(given)) is not None
        }
        current = plain.get("exercise")
        return cls(
            found,
            _count(plain.get("predicted")),
            str(current) if _is_name(current) else "",
            _instant(plain.get("since"), written_s),
            _instant(plain.get("active"), written_s),
        )


def of_journal(journal: Journal) -> SharedProgress:
    """Return what a student's journal lets others see; instants are of this machine's clock."""
    return SharedProgress(
        {
            name: _of_entry(entry, journal.mistakes.get(name, {}))
            for name, entry in journal.exercises.items()
        },
        len(journal.predictions),
        journal.activity.exercise,
        _seconds(journal.activity.since),
        _seconds(journal.activity.at),
    )


def _of_entry(entry: ExerciseEntry, mistakes: Mapping[str, int]) -> SharedExercise:
    return SharedExercise(
        entry.attempts, entry.hints, entry.passed_at is not None, entry.finding or "", mistakes
    )


def merged(parts: Iterable[SharedProgress]) -> SharedProgress:
    """Return the progress of a student who wrote several: counts are added, the file used last says where they are."""
    whole = SharedProgress()
    for part in sorted(parts, key=lambda part: part.active_s or 0.0):
        exercises = dict(whole.exercises)
        for name, tried in part.exercises.items():
            exercises[name] = exercises.get(name, SharedExercise()).plus(tried)
        last = part if part.exercise else whole
        whole = SharedProgress(
            exercises,
            max(whole.predicted, part.predicted),
            last.exercise,
            last.since_s,
            part.active_s or whole.active_s,
        )
    return whole


def of_config_map(item: Mapping[str, Any]) -> SharedProgress | None:
    """Return what the ConfigMap of a student says; None where no entry can be read."""
    parts = entries(item)
    return merged(parts.values()) if parts else None


def entries(item: Mapping[str, Any]) -> dict[str, SharedProgress]:
    """Return the entries of a ConfigMap that can be read, by their keys; instants are of the server's clock.

    When an entry was written is the time of the field manager that has it: the server keeps one a writer.

    Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    written = _written(item["metadata"].get("managedFields") or ())
    parts = {}
    for key, text in (item.get("data") or {}).items():
        with contextlib.suppress(ValueError, RecursionError):
            parts[key] = SharedProgress.parse(text, written.get(key))
    return parts


def folded(item: Mapping[str, Any], own: str) -> dict[str, str | None]:
    """Return what to change in a ConfigMap that has too many entries: the oldest are added up in `EARLIER`.

    Parameters
    ----------
    own : str
        The key of who asks, which stays.
    """
    parts = entries(item)
    change: dict[str, str | None] = {
        key: None for key in item.get("data") or {} if key not in parts
    }
    others = sorted(
        (key for key in parts if key not in (own, EARLIER)),
        key=lambda key: parts[key].active_s or 0.0,
    )
    old = others[: max(0, len(others) - (MAX_FILES - 2))]
    if old:
        sum_ = merged(parts[key] for key in (EARLIER, *old) if key in parts)
        sum_ = replace(sum_, exercise="", since_s=None, active_s=None)
        change |= dict.fromkeys(old) | {EARLIER: sum_.to_json(0.0)}
    return change


def _written(managed: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return when each key of `data` was last written, in seconds since the epoch."""
    instants: dict[str, float] = {}
    for manager in managed:
        fields = (manager.get("fieldsV1") or {}).get("f:data") or {}
        instant = _seconds(manager.get("time") or "")
        if instant is not None:
            for name in fields:
                key = name.removeprefix("f:")
                instants[key] = max(instant, instants.get(key, instant))
    return instants


def _exercise(given: object) -> SharedExercise | None:
    if not isinstance(given, list) or len(given) < 5:
        return None
    attempts, passed, hints, finding, mistakes = given[:5]
    known = mistakes.items() if isinstance(mistakes, dict) else ()
    return SharedExercise(
        _count(attempts),
        _count(hints),
        bool(passed),
        finding if _is_name(finding) else "",
        {code: number for code, given in known if _is_name(code) and (number := _count(given))},
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _count(value: object) -> int:
    return min(max(value, 0), _MAX_COUNT) if isinstance(value, int) else 0


def _age(instant_s: float | None, now_s: float) -> int | None:
    return None if instant_s is None else max(0, round(now_s - instant_s))


def _instant(age: object, written_s: float | None) -> float | None:
    if written_s is None or not isinstance(age, int) or isinstance(age, bool) or age < 0:
        return None
    return written_s - age


def _seconds(stamp: str) -> float | None:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return None
