"""What a failing service costs the clients of the one that calls it, and how often it is called meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ...analysis.facts import facts, marks
from ...analysis.story import Story, plain
from ...measure.recording import Recording, Request, Run
from .codes import FaultMark, ReceivedCalls


@dataclass(frozen=True, slots=True)
class CallerSummary:
    """One caller.

    Attributes
    ----------
    caller : str
        Name of the run.
    flaky, flaky_lost : int
        Requests of clients while one call in three failed, and those that were lost.
    stuck, stuck_lost : int
        The same while the called service did not answer in time.
    stuck_wait_s : float or None
        Half of the clients then waited less than this for an answer or a failure.
    stuck_calls : int
        Calls that the called service received meanwhile.
    mended_lost : int
        Requests lost after it was mended.
    """

    caller: str
    flaky: int
    flaky_lost: int
    stuck: int
    stuck_lost: int
    stuck_wait_s: float | None
    stuck_calls: int
    mended_lost: int

    @property
    def calls_per_request(self) -> float:
        """Calls that one request of a client made of the service that does not answer."""
        return self.stuck_calls / self.stuck if self.stuck else 0.0


def summarize(run: Run) -> CallerSummary:
    """Compute what one caller made of the failures."""
    at = {kind: [mark.at_s for mark in marks(run, kind)][:1] or [run.ended_s] for kind in FaultMark}
    flaky_s, well_s, stuck_s, mended_s = (at[kind][0] for kind in FaultMark)
    flaky, stuck = _due(run, flaky_s, well_s), _due(run, stuck_s, mended_s)
    waits = [request.answered_s - request.planned_s for request in stuck]
    return CallerSummary(
        run.name,
        len(flaky),
        _lost(flaky),
        len(stuck),
        _lost(stuck),
        median(waits) if waits else None,
        _received(run, FaultMark.MENDED) - _received(run, FaultMark.STUCK),
        _lost(_due(run, mended_s, run.ended_s)),
    )


def _due(run: Run, begin_s: float, end_s: float) -> list[Request]:
    return [request for request in run.requests if begin_s <= request.planned_s < end_s]


def _lost(requests: Sequence[Request]) -> int:
    return sum(not request.ok for request in requests)


def _received(run: Run, kind: FaultMark) -> int:
    return next((calls.received for calls in facts(run, kind, ReceivedCalls)), 0)


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what each caller made of the failures."""
    return {
        "callers": {
            run.name: plain(
                summarize(run),
                *("flaky", "flaky_lost", "stuck", "stuck_lost"),
                *("stuck_wait_s", "stuck_calls", "mended_lost"),
            )
            for run in recording.runs
        }
    }


def busiest(recording: Recording) -> str:
    """Return the caller that calls a service which does not answer most often, "" in a recording without runs."""
    summaries = map(summarize, recording.runs)
    most = max(summaries, key=lambda summary: summary.calls_per_request, default=None)
    return most.caller if most else ""


def to_story(recording: Recording) -> Story:
    """Return what holds wherever it is measured."""
    summaries = [summarize(run) for run in recording.runs]
    most = busiest(recording)
    return Story.of(
        {
            summary.caller: {
                "loses-when-flaky": summary.flaky_lost > 0.18 * summary.flaky,
                "calls-more-than-once": summary.calls_per_request > 1.8,
                "calls-less-than-once": summary.calls_per_request < 0.8,
                "the-busiest": summary.caller == most,
            }
            for summary in summaries
        },
        {},
    )
