"""Where the time of a request goes, from its spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...analysis.facts import facts
from ...analysis.story import Story
from ...measure.recording import Recording, Run
from .codes import SPAN, TraceSpan


@dataclass(frozen=True)
class TraceSummary:
    """One trace.

    Attributes
    ----------
    spans : sequence of TraceSpan
        The earliest first; the first is the whole request.
    calls : sequence of TraceSpan
        Those that wait for the other service, in the order of time.
    lasts_s, disk_s, away_s : float
        The whole request; what was done on the disk; the calls without what the other service says that it took
        (network, connection, and the time to be woken up).
    one_after_the_other : bool
        Whether no two calls overlap.
    """

    spans: Sequence[TraceSpan]
    calls: Sequence[TraceSpan]
    lasts_s: float
    disk_s: float
    away_s: float
    one_after_the_other: bool


def summarize(run: Run) -> TraceSummary:
    """Add up the spans of a run."""
    spans = facts(run, SPAN, TraceSpan)
    spans.sort(key=lambda span: (span.start_s, -span.end_s))
    calls = [span for span in spans if span.kind == "client"]
    ids = {call.span_id for call in calls}
    served = [span for span in spans if span.kind == "server" and span.parent_span_id in ids]
    total = sum(span.lasts_s for span in calls)
    return TraceSummary(
        spans,
        calls,
        spans[0].lasts_s if spans else 0.0,
        sum(span.lasts_s for span in spans if span.kind == "internal"),
        total - sum(span.lasts_s for span in served),
        all(before.end_s <= after.start_s for before, after in pairwise(calls)),
    )


def depth(spans: Sequence[TraceSpan], span: TraceSpan) -> int:
    """Return how many spans of the trace a span lies in."""
    by_id = {each.span_id: each for each in spans}
    levels, parent = 0, by_id.get(span.parent_span_id)
    while parent is not None and levels < len(spans):
        levels, parent = levels + 1, by_id.get(parent.parent_span_id)
    return levels


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each trace."""
    return {"traces": {run.name: _plain(summarize(run)) for run in recording.runs}}


def _plain(trace: TraceSummary) -> dict[str, Any]:
    return {
        "spans": len(trace.spans),
        "calls": len(trace.calls),
        "lasts_ms": round(1000 * trace.lasts_s, 2),
        "disk_ms": round(1000 * trace.disk_s, 2),
        "away_ms": round(1000 * trace.away_s, 2),
        "one_after_the_other": trace.one_after_the_other,
    }


def to_story(recording: Recording) -> Story:
    """Return what each trace is made of, and whether its calls wait for one another."""
    traces = {run.name: summarize(run) for run in recording.runs}
    return Story.of(
        {
            name: {
                "spans": tuple((span.service, span.kind, span.name) for span in trace.spans),
                "one-after-the-other": trace.one_after_the_other,
            }
            for name, trace in traces.items()
        },
        {},
    )
