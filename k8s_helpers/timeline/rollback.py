"""What a bad version cost, and how quick the way back was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .outcomes import failed, outages
from .pods import lives
from .story import Story


@dataclass(frozen=True, slots=True)
class RollbackSummary:
    """What a bad version did to users.

    Attributes
    ----------
    version : str
        Name of the run.
    requests, failed : int
        Requests that were due, and those that were lost.
    outage_s : float
        Seconds without any good answer.
    bad_ready : int
        Pods of the bad version that were ever ready.
    old_left : int
        Pods of the good version that were told to end before the way back.
    back_s : float or None
        From `rollout undo` until the good version was everywhere; None where that did not come.
    recovered_s : float or None
        From `rollout undo` until the last lost request; 0 where none was lost after it.
    revisions : tuple of int
        Numbers of the revisions that are kept at the end.
    """

    version: str
    requests: int
    failed: int
    outage_s: float
    bad_ready: int
    old_left: int
    back_s: float | None
    recovered_s: float
    revisions: tuple[int, ...]


def rollback_summary(run: Run) -> RollbackSummary:
    """Compute what a bad version did."""
    apply, undo, complete = (run.mark(kind) for kind in ("apply", "undo", "complete"))
    since_s = apply.at_s if apply else 0.0
    back_s = undo.at_s if undo else run.ended_s
    found = lives(run)
    bad = [life for life in found if since_s <= life.created_s < back_s]
    old = [life for life in found if life.created_s < since_s]
    lost = failed(run.requests)
    after = [one.answered_s - back_s for one in lost if one.answered_s > back_s]
    return RollbackSummary(
        version=run.name,
        requests=len(run.requests),
        failed=len(lost),
        outage_s=sum(stretch.length_s for stretch in outages(run.requests)),
        bad_ready=sum(bool(life.ready) for life in bad),
        old_left=sum(
            life.terminating_s is not None and life.terminating_s < back_s for life in old
        ),
        back_s=complete.at_s - back_s if complete else None,
        recovered_s=max(after, default=0.0),
        revisions=tuple(one["number"] for one in run.parameters.get("history_after", ())),
    )


def rollback_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the bad versions."""
    found = {}
    for run in recording.runs:
        summary = rollback_summary(run)
        found[run.name] = {
            "requests": summary.requests,
            "failed": summary.failed,
            "outage_s": round(summary.outage_s, 3),
            "bad_ready": summary.bad_ready,
            "old_left": summary.old_left,
            "back_s": None if summary.back_s is None else round(summary.back_s, 3),
            "revisions": list(summary.revisions),
        }
    return {"versions": found}


def rollback_story(recording: Recording) -> Story:
    """Return what bad versions must tell wherever they are measured."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        summary = rollback_summary(run)
        verdicts |= {
            f"{run.name} : perd des requêtes": summary.failed > 0,
            f"{run.name} : interrompt le service": summary.outage_s > 1,
            f"{run.name} : mauvais pods prêts": summary.bad_ready,
            f"{run.name} : anciens pods partis": summary.old_left,
            f"{run.name} : révisions": summary.revisions,
        }
        if summary.back_s is not None:
            durations[f"{run.name} : retour"] = summary.back_s
    return Story(verdicts, durations)
