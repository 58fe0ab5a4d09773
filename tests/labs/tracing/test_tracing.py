"""Where the time of a request goes, on spans whose every number is known."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers.labs.tracing.codes import TraceSpan
from k8s_helpers.labs.tracing.experiment import in_order, is_whole
from k8s_helpers.labs.tracing.summary import depth, summarize, to_json, to_story
from k8s_helpers.measure.recording import Mark, Recording, Run

CALLER = "c" * 16
SPANS = (
    TraceSpan("site", "GET /bilan", "server", "a", CALLER, 0.0, 0.130),
    TraceSpan("site", "GET /api/info", "client", "b", "a", 0.001, 0.063),
    TraceSpan("base", "GET /api/info", "server", "d", "b", 0.002, 0.062),
    TraceSpan("base", "lire le disque", "internal", "e", "d", 0.002, 0.061),
    TraceSpan("site", "GET /notes", "client", "f", "a", 0.064, 0.128),
    TraceSpan("base", "GET /notes", "server", "g", "f", 0.066, 0.126),
)


def recording(spans: tuple[TraceSpan, ...] = SPANS) -> Recording:
    marks = tuple(Mark(1.0, "span", facts=asdict(span)) for span in spans)
    run = Run("report", "2026-01-01T10:00:00+00:00", 2.0, {"disk_ms": 60}, marks=marks)
    return Recording("tracing", "embedded", "v1.37.0", (run,))


def test_the_time_of_a_request_is_that_of_its_spans() -> None:
    trace = summarize(recording().runs[0])
    assert trace.lasts_s == pytest.approx(0.130)
    assert trace.disk_s == pytest.approx(0.059)
    assert trace.away_s == pytest.approx(0.062 + 0.064 - 0.060 - 0.060)
    assert [call.name for call in trace.calls] == ["GET /api/info", "GET /notes"]
    assert trace.one_after_the_other
    assert [depth(SPANS, span) for span in SPANS] == [0, 1, 2, 3, 1, 2]


def test_calls_that_overlap_are_not_one_after_the_other() -> None:
    together = tuple(replace(span, start_s=0.01) if span.span_id == "f" else span for span in SPANS)
    assert not summarize(recording(together).runs[0]).one_after_the_other
    assert "en même temps" in labs.tracing.draw(recording(together)).alternative
    assert to_story(recording(together)).verdicts["report.one-after-the-other"] is False


def test_a_trace_is_whole_once_every_parent_and_every_answer_of_a_call_is_there() -> None:
    assert is_whole(SPANS, CALLER)
    assert not is_whole(SPANS[1:], CALLER)  # the request itself is missing
    assert not is_whole(SPANS[:-1], CALLER)  # a call without the other service's own span
    assert not is_whole((), CALLER)


def test_spans_are_read_from_logs_whatever_their_order() -> None:
    line = {"role": "site", "name": "GET /", "kind": "server", "parent_span_id": CALLER}
    late = line | {"span_id": "2", "start_time_unix_nano": 3_000_000_000}
    early = line | {"span_id": "1", "start_time_unix_nano": 1_000_000_000}
    spans = in_order([{**each, "end_time_unix_nano": 4_000_000_000} for each in (late, early)])
    assert [(span.span_id, span.start_s, span.end_s) for span in spans] == [
        ("1", 0.0, 3.0),
        ("2", 2.0, 3.0),
    ]


def test_the_figure_has_a_bar_a_span_at_its_instant() -> None:
    (ax,) = labs.tracing.draw(recording()).axes
    bars = [(round(bar.get_x(), 3), round(bar.get_width(), 3)) for bar in ax.patches]
    assert bars[:3] == [(0.0, 130.0), (1.0, 62.0), (2.0, 60.0)]
    assert to_json(recording())["traces"]["report"]["calls"] == 2


@pytest.mark.parametrize("disk_ms", [-1, 501])
def test_a_disk_that_makes_no_sense_is_refused(disk_ms: int) -> None:
    with pytest.raises(UsageError, match="0 à 500"):
        labs.tracing.measure(disk_ms=disk_ms)
