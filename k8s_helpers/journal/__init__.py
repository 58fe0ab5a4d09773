"""What the student has done: predictions and exercises, in one local file.

`K8S_HELPERS_PROGRESS` names the file; otherwise it is `progress.json` in the state folder. Several notebooks may
write at once: a lock beside the file makes each change whole. The file never leaves the machine; what a class that
shares a cluster sees of it is in `shared.py`, and `sharing.py` sends it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_kubernetes.files import write_whole

from .. import _paths
from .._errors import ResourceError

SCHEMA = 1

Answer = int | float | str | bool
"""What a student may predict."""


class JournalWarning(UserWarning):
    """The file was damaged and has been set aside."""


@dataclass(frozen=True)
class PredictionEntry:
    """What was predicted for one slide, when (ISO 8601), and what was measured since."""

    answers: Mapping[str, Answer]
    at: str
    measured: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class ExerciseEntry:
    """What was done of one exercise.

    Attributes
    ----------
    attempts, hints : int
        Checks that ran, and the degree of the last hint given.
    passed_at : str or None
        When it first passed (ISO 8601).
    finding : str or None
        What the last check found, as the exercise names it; None after a success.
    answer : list, dict or None
        The last answer that passed, or earned as many points as any before: what `check` took (texts, or one mapping
        of values), or `{"objects": [...]}` of a namespace.
    points : int or None
        What that answer earned, of a project.
    """

    attempts: int = 0
    hints: int = 0
    passed_at: str | None = None
    finding: str | None = None
    answer: Any = None
    points: int | None = None


@dataclass(frozen=True)
class Activity:
    """Where the student is: the exercise last worked on, since when, and when something was last done (ISO 8601)."""

    exercise: str = ""
    since: str = ""
    at: str = ""


@dataclass(frozen=True)
class Journal:
    """All of it.

    Attributes
    ----------
    predictions, exercises : mapping
        By slide, and by exercise.
    student : str
        Who draws the parameters of exercises, "" for nobody yet.
    mistakes : mapping of str to mapping of str to int
        By exercise, how many checks have ended with each finding.
    activity : Activity
        What was done last.
    identity : str
        Of this file, drawn at its first change: counts of two files are added up, those of one are not.
    shares : bool
        Whether a class that shares a cluster may see how far the student is.
    sharing_announced : bool
        Whether the student has read that it does.
    """

    predictions: Mapping[str, PredictionEntry] = field(default_factory=dict)
    exercises: Mapping[str, ExerciseEntry] = field(default_factory=dict)
    student: str = ""
    mistakes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    activity: Activity = field(default_factory=Activity)
    identity: str = ""
    shares: bool = True
    sharing_announced: bool = False

    def exercise(self, name: str) -> ExerciseEntry:
        """Return what was done of an exercise; nothing where it was never tried."""
        return self.exercises.get(name, ExerciseEntry())

    def with_prediction(self, slide: str, answers: Mapping[str, Answer]) -> Journal:
        """Return the journal with the answers given for a slide; those given before and not again are kept."""
        known = self.predictions.get(slide, PredictionEntry({}, ""))
        entry = replace(known, answers={**known.answers, **answers}, at=now())
        return replace(self, predictions={**self.predictions, slide: entry}).active()

    def with_measure(self, slide: str, measured: Mapping[str, Answer]) -> Journal:
        """Return the journal with what was measured beside a prediction; the same where nothing was predicted."""
        known = self.predictions.get(slide)
        if known is None:
            return self
        entry = replace(known, measured={**known.measured, **measured})
        return replace(self, predictions={**self.predictions, slide: entry}).active()

    def with_exercise(self, name: str, entry: ExerciseEntry) -> Journal:
        """Return the journal with another entry for an exercise."""
        return replace(self, exercises={**self.exercises, name: entry}).active(name)

    def with_mistake(self, name: str, finding: str) -> Journal:
        """Return the journal with one more check of an exercise that ended with a finding."""
        known = self.mistakes.get(name, {})
        counted = {**known, finding: known.get(finding, 0) + 1}
        return replace(self, mistakes={**self.mistakes, name: counted})

    def active(self, exercise: str = "") -> Journal:
        """Return the journal of who does something now: on an exercise, or "" for anything else."""
        known, instant = self.activity, now()
        if exercise and exercise != known.exercise:
            known = Activity(exercise, instant)
        return replace(self, activity=replace(known, at=instant))


listeners: list[Callable[[], None]] = []
"""Called after each change, in the thread that made it; they return at once and raise nothing."""


def now() -> str:
    """Return the wall clock, ISO 8601 with time zone, in whole seconds."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def path() -> Path:
    """Return the file."""
    chosen = os.environ.get("K8S_HELPERS_PROGRESS")
    return Path(chosen).expanduser() if chosen else _paths.state_dir() / "progress.json"


def read() -> Journal:
    """Return the journal; an empty one where nothing was ever written.

    A damaged file is set aside, with a warning that says where: a broken file must not stop a lesson.
    """
    file = path()
    try:
        return _from_plain(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Journal()
    except OSError as error:
        raise _unusable(file, error) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        aside = file.with_suffix(".abime.json")
        file.replace(aside)
        warnings.warn(
            f"Le fichier de votre progression était abîmé : il est mis de côté ({aside.name}), "
            "un nouveau commence.",
            JournalWarning,
            stacklevel=2,
        )
        return Journal()


def change(edit: Callable[[Journal], Journal]) -> Journal:
    """Read the journal, change it, write it whole, and return it.

    Raises
    ------
    ResourceError
        The file cannot be written (rights, disk).
    """
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _lock(file):
            journal = edit(read())
            if not journal.identity:
                journal = replace(journal, identity=secrets.token_hex(4))
            plain = {"schema": SCHEMA, **asdict(journal)}
            write_whole(file, json.dumps(plain, ensure_ascii=False, indent=1))
    except OSError as error:
        raise _unusable(file, error) from None
    for listener in tuple(listeners):
        listener()
    return journal


@contextlib.contextmanager
def _lock(file: Path) -> Iterator[None]:
    with file.with_suffix(".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _from_plain(plain: Any) -> Journal:
    if plain["schema"] != SCHEMA:
        raise ValueError(f"schema {plain['schema']}")
    return Journal(
        {slide: PredictionEntry(**entry) for slide, entry in plain["predictions"].items()},
        {name: ExerciseEntry(**entry) for name, entry in plain["exercises"].items()},
        str(plain.get("student", "")),
        {name: dict(counted) for name, counted in plain.get("mistakes", {}).items()},
        Activity(**plain.get("activity", {})),
        str(plain.get("identity", "")),
        bool(plain.get("shares", True)),
        bool(plain.get("sharing_announced", False)),
    )


def _unusable(file: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"Garder votre progression dans {file}",
        error.strerror or str(error),
        "Libérez de la place ou rendez ce dossier accessible ; K8S_HELPERS_PROGRESS nomme un autre fichier.",
    )
