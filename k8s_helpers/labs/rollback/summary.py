"""What a bad version cost, and how quick the way back was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...analysis.outcomes import failed, outages
from ...analysis.pods import lives
from ...analysis.story import Story, plain
from ...measure.recording import Recording, Run


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
    recovered_s : float
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


def summarize(run: Run) -> RollbackSummary:
    """Compute what a bad version did."""
    apply, undo, complete = (run.mark(kind) for kind in ("apply", "undo", "complete"))
    since_s = apply.at_s if apply else 0.0
    back_s = undo.at_s if undo else run.ended_s
    pods = lives(run)
    lost = failed(run.requests)
    return RollbackSummary(
        version=run.name,
        requests=len(run.requests),
        failed=len(lost),
        outage_s=sum(stretch.length_s for stretch in outages(run.requests)),
        bad_ready=sum(bool(life.ready) for life in pods if since_s <= life.created_s < back_s),
        old_left=sum(
            life.terminating_s is not None and life.terminating_s < back_s
            for life in pods
            if life.created_s < since_s
        ),
        back_s=complete.at_s - back_s if complete else None,
        recovered_s=max([0.0, *(request.answered_s - back_s for request in lost)]),
        revisions=tuple(revision["number"] for revision in run.parameters.get("history_after", ())),
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the bad versions."""
    names = ("requests", "failed", "outage_s", "bad_ready", "old_left", "back_s", "revisions")
    return {"versions": {run.name: plain(summarize(run), *names) for run in recording.runs}}


def to_story(recording: Recording) -> Story:
    """Return what bad versions must tell wherever they are measured."""
    versions = [summarize(run) for run in recording.runs]
    return Story.of(
        {
            version.version: {
                "loses-requests": version.failed > 0,
                "interrupts": version.outage_s > 1,
                "bad-pods-ready": version.bad_ready,
                "old-pods-gone": version.old_left,
                "revisions": version.revisions,
            }
            for version in versions
        },
        {version.version: {"way-back": version.back_s} for version in versions},
    )
