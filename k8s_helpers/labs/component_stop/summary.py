"""What did not happen while a component was stopped, and how quickly it was caught up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...analysis.outcomes import failed
from ...analysis.pods import Interval, lives
from ...analysis.story import Story, plain
from ...measure.recording import Recording, Run
from .codes import StopMark

BOUND_S = 0.5
"""A pod that got its node within this was not waiting for the scheduler."""


@dataclass(frozen=True, slots=True)
class StopSummary:
    """What a stop did.

    Attributes
    ----------
    component : str
        The program that was stopped.
    away_s : float
        How long it was.
    pending : int
        Pods that were there without a node while it was away.
    created : int
        Pods that were made while it was away.
    missing : int
        Fewest pods while it was away, below those of before.
    caught_up_s : float or None
        From the start on until all wished pods were ready; None where that did not come.
    requests, failed : int
        Requests that were due, and those that were lost.
    """

    component: str
    away_s: float
    pending: int
    created: int
    missing: int
    caught_up_s: float | None
    requests: int
    failed: int


def away(run: Run) -> Interval:
    """Return when the component was stopped."""
    stop, start = run.mark(StopMark.STOP), run.mark(StopMark.START)
    return Interval(stop.at_s if stop else 0.0, start.at_s if start else run.ended_s)


def waits(run: Run) -> dict[str, Interval]:
    """Return when pods waited for a node, by uid: those that waited for longer than `BOUND_S`."""
    bound = {event.uid: event.at_s for event in run.pods if event.kind == "scheduled"}
    until = {
        life.uid: Interval(
            life.created_s, min(bound.get(life.uid, math.inf), life.gone_s or run.ended_s)
        )
        for life in lives(run)
    }
    return {uid: wait for uid, wait in until.items() if wait.length_s > BOUND_S}


def summarize(run: Run) -> StopSummary:
    """Compute what a stop did."""
    gap = away(run)
    complete = run.mark(StopMark.COMPLETE)
    pods = lives(run)
    before, after = (sum(life.there_at(at_s) for life in pods) for at_s in (gap.start_s, gap.end_s))
    return StopSummary(
        component=run.parameters["component"],
        away_s=gap.length_s,
        pending=sum(wait.start_s < gap.end_s for wait in waits(run).values()),
        created=sum(gap.start_s <= life.created_s < gap.end_s for life in pods),
        missing=max(0, before - after),
        caught_up_s=complete.at_s - gap.end_s if complete else None,
        requests=len(run.requests),
        failed=len(failed(run.requests)),
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the stops."""
    fields = ("away_s", "pending", "created", "missing", "caught_up_s", "requests", "failed")
    return {"components": {run.name: plain(summarize(run), *fields) for run in recording.runs}}


def to_story(recording: Recording) -> Story:
    """Return what a stop must tell wherever it is measured."""
    summaries = {run.name: summarize(run) for run in recording.runs}
    return Story.of(
        {
            name: {
                "pending": summary.pending,
                "created": summary.created,
                "missing": summary.missing,
                "caught-up": summary.caught_up_s is not None,
                "loses-requests": summary.failed > 0,
            }
            for name, summary in summaries.items()
        },
        {name: {"catch-up": summary.caught_up_s} for name, summary in summaries.items()},
    )
