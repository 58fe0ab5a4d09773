"""What did not happen while a component was stopped, and how quickly it was caught up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .outcomes import failed
from .pods import Interval, lives
from .story import Story

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

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        return {
            "away_s": round(self.away_s, 3),
            "pending": self.pending,
            "created": self.created,
            "missing": self.missing,
            "caught_up_s": None if self.caught_up_s is None else round(self.caught_up_s, 3),
            "requests": self.requests,
            "failed": self.failed,
        }


def away(run: Run) -> Interval:
    """Return when the component was stopped."""
    stop, start = run.mark("stop"), run.mark("start")
    return Interval(stop.at_s if stop else 0.0, start.at_s if start else run.ended_s)


def waits(run: Run) -> dict[str, Interval]:
    """Return when pods waited for a node, by uid: those that waited for longer than `BOUND_S`."""
    bound = {event.uid: event.at_s for event in run.pods if event.kind == "scheduled"}
    found = {
        life.uid: Interval(
            life.created_s, min(bound.get(life.uid, math.inf), life.gone_s or run.ended_s)
        )
        for life in lives(run)
    }
    return {uid: wait for uid, wait in found.items() if wait.length_s > BOUND_S}


def stop_summary(run: Run) -> StopSummary:
    """Compute what a stop did."""
    gap = away(run)
    complete = run.mark("complete")
    found = lives(run)
    alive = [
        sum(
            life.created_s <= at_s and (life.gone_s is None or at_s < life.gone_s) for life in found
        )
        for at_s in (gap.start_s, gap.end_s)
    ]
    return StopSummary(
        component=run.parameters["component"],
        away_s=gap.length_s,
        pending=sum(wait.start_s < gap.end_s for wait in waits(run).values()),
        created=sum(gap.start_s <= life.created_s < gap.end_s for life in found),
        missing=max(0, alive[0] - alive[1]),
        caught_up_s=complete.at_s - gap.end_s if complete else None,
        requests=len(run.requests),
        failed=len(failed(run.requests)),
    )


def component_stop_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the stops."""
    return {"components": {run.name: stop_summary(run).to_plain() for run in recording.runs}}


def component_stop_story(recording: Recording) -> Story:
    """Return what a stop must tell wherever it is measured."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        summary = stop_summary(run)
        verdicts |= {
            f"{run.name} : pods en attente d’un nœud": summary.pending,
            f"{run.name} : pods créés pendant l’arrêt": summary.created,
            f"{run.name} : pods manquants": summary.missing,
            f"{run.name} : rattrapé": summary.caught_up_s is not None,
            f"{run.name} : perd des requêtes": summary.failed > 0,
        }
        if summary.caught_up_s is not None:
            durations[f"{run.name} : rattrapage"] = summary.caught_up_s
    return Story(verdicts, durations)
