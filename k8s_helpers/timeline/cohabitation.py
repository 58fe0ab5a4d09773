"""A site and its database in one pod or in two: how many databases there were, and what a reader saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .story import Story
from .told import lapse, told


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
    scale_s: float | None

    @property
    def seen_share(self) -> float:
        """Share of the notes that a reader saw, on average."""
        shown = [count for _, count in self.reads]
        return sum(shown) / (len(shown) * self.notes) if shown and self.notes else 0.0

    @property
    def lost(self) -> int:
        """Notes that nobody can read any more once there is one pod again."""
        return self.notes - self.kept

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        return {
            "replicas": self.replicas,
            "notes": self.notes,
            "databases": len(self.databases),
            "answers": self.answers,
            "seen_share": round(self.seen_share, 3),
            "lost_at_scale_down": self.lost,
        }


def cohabitation_summary(run: Run) -> CohabitationSummary:
    """Count the notes of one solution."""
    databases: dict[str, tuple[int, ...]] = {}
    for one in told(run, "write"):
        databases[one["database"]] = (*databases.get(one["database"], ()), one["note"])
    reads = told(run, "read")
    kept = told(run, "kept")
    return CohabitationSummary(
        solution=run.name,
        replicas=run.parameters["replicas"],
        notes=sum(map(len, databases.values())),
        databases=databases,
        reads=tuple((one["database"], len(one["notes"])) for one in reads),
        answers=len({tuple(one["notes"]) for one in reads}),
        kept=len(kept[-1]["notes"]) if kept else 0,
        scale_s=lapse(run, "scale", "scaled"),
    )


def cohabitation_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of both solutions."""
    found = map(cohabitation_summary, recording.runs)
    return {"solutions": {one.solution: one.to_plain() for one in found}}


def cohabitation_story(recording: Recording) -> Story:
    """Return what must be told everywhere: how many databases there are, whether readers agree, what is lost."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for one in map(cohabitation_summary, recording.runs):
        name = one.solution
        verdicts[f"{name} : bases"] = len(one.databases)
        verdicts[f"{name} : réponses différentes"] = one.answers
        verdicts[f"{name} : chacun lit toutes les notes"] = one.seen_share == 1
        verdicts[f"{name} : perd des notes en réduisant"] = one.lost > 0
        if one.scale_s is not None:
            durations[f"{name} : passage à {one.replicas} pods"] = one.scale_s
    return Story(verdicts, durations)
