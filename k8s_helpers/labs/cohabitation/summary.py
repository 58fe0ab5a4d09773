"""A site and its database in one pod or in two: how many databases there were, and what a reader saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...analysis.facts import facts, lapse
from ...analysis.story import Story
from ...measure.recording import Recording, Run
from .codes import NoteMark, Shown, Written


@dataclass(frozen=True, slots=True)
class CohabitationSummary:
    """What became of the notes of one solution.

    Attributes
    ----------
    solution : str
        "A" or "B".
    replicas, notes : int
        Pods of the site; notes that were confirmed.
    databases : dict of str to tuple of int
        The notes that each database took, by its pod, in the order of their first one.
    reads : tuple of (str, int)
        Each reader in turn: the database that answered, how many notes it showed.
    answers : int
        Different answers that readers got.
    kept : int
        Notes that are left once there is one pod again.
    kept_database : str or None
        The database that has them.
    scale_s : float or None
        From the wish for more pods until each of them had answered.
    """

    solution: str
    replicas: int
    notes: int
    databases: dict[str, tuple[int, ...]]
    reads: tuple[tuple[str, int], ...]
    answers: int
    kept: int
    kept_database: str | None
    scale_s: float | None

    @property
    def seen_share(self) -> float:
        """Share of the notes that a reader saw, on average."""
        shown = [notes for _, notes in self.reads]
        return sum(shown) / (len(shown) * self.notes) if shown and self.notes else 0.0

    @property
    def lost(self) -> int:
        """Notes that nobody can read any more once there is one pod again."""
        return self.notes - self.kept


def summarize(run: Run) -> CohabitationSummary:
    """Count the notes of one solution."""
    databases: dict[str, tuple[int, ...]] = {}
    for written in facts(run, NoteMark.WRITE, Written):
        databases[written.database] = (*databases.get(written.database, ()), written.note)
    reads = facts(run, NoteMark.READ, Shown)
    kept = facts(run, NoteMark.KEPT, Shown)
    return CohabitationSummary(
        solution=run.name,
        replicas=run.parameters["replicas"],
        notes=sum(map(len, databases.values())),
        databases=databases,
        reads=tuple((shown.database, len(shown.notes)) for shown in reads),
        answers=len({tuple(shown.notes) for shown in reads}),
        kept=len(kept[-1].notes) if kept else 0,
        kept_database=kept[-1].database if kept else None,
        scale_s=lapse(run, NoteMark.SCALE, NoteMark.SCALED),
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of both solutions."""
    return {
        "solutions": {
            run.name: {
                "replicas": summary.replicas,
                "notes": summary.notes,
                "databases": len(summary.databases),
                "answers": summary.answers,
                "seen_share": round(summary.seen_share, 3),
                "lost_at_scale_down": summary.lost,
            }
            for run in recording.runs
            for summary in [summarize(run)]
        }
    }


def to_story(recording: Recording) -> Story:
    """Return what must be told everywhere: how many databases there are, whether readers agree, what is lost."""
    summaries = {run.name: summarize(run) for run in recording.runs}
    return Story.of(
        {
            name: {
                "databases": len(summary.databases),
                "answers": summary.answers,
                "all-read-all": summary.seen_share == 1,
                "loses-notes": summary.lost > 0,
            }
            for name, summary in summaries.items()
        },
        {name: {"scale": summary.scale_s} for name, summary in summaries.items()},
    )
