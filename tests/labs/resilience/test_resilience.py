"""What callers make of a failing service, on runs made by hand."""

from __future__ import annotations

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers.labs.resilience import summarize
from k8s_helpers.labs.resilience.codes import Caller
from k8s_helpers.labs.resilience.summary import busiest, to_json, to_story
from k8s_helpers.measure.recording import Mark, Recording, Request, Run

MARKS = (("flaky", 1.0, 10), ("well", 2.0, 30), ("stuck", 3.0, 40), ("mended", 4.0, 100))


def run(caller: str, calls: int = 60, lost_when_flaky: int = 1) -> Run:
    """Return a run of ten requests a second: some lost while flaky, all while stuck, after 2 s."""
    requests = []
    for number in range(50):
        at_s = number / 10
        stuck = 3.0 <= at_s < 4.0
        bad = stuck or 10 <= number < 10 + lost_when_flaky
        requests.append(
            Request(
                at_s,
                at_s,
                at_s + (2.0 if stuck else 0.1),
                503 if bad else 200,
                "v1",
                error="status" if bad else None,
            )
        )
    marks = [
        Mark(at_s, kind, facts={"received": received if kind != "mended" else 40 + calls})
        for kind, at_s, received in MARKS
    ]
    return Run(
        caller,
        "2026-01-01T10:00:00+00:00",
        5.0,
        {"rate_per_s": 10},
        requests=tuple(requests),
        marks=tuple(marks),
    )


def test_losses_waits_and_calls_are_those_of_each_phase() -> None:
    summary = summarize(run("retry", lost_when_flaky=3))
    assert (summary.flaky, summary.flaky_lost) == (10, 3)
    assert (summary.stuck, summary.stuck_lost, summary.stuck_calls) == (10, 10, 60)
    assert summary.stuck_wait_s == pytest.approx(2.0)
    assert summary.calls_per_request == pytest.approx(6.0)
    assert summary.mended_lost == 0


def test_the_busiest_is_the_one_that_calls_most() -> None:
    runs = (run("careless", 10, 5), run("retry", 30), run("breaker", 2))
    recording = Recording("resilience", "embedded", "v1.37.0", runs)
    assert busiest(recording) == Caller.RETRY
    assert busiest(Recording("resilience", "embedded", "v1.37.0", ())) == ""
    verdicts = to_story(recording).verdicts
    assert verdicts["careless.loses-when-flaky"] and not verdicts["retry.loses-when-flaky"]
    assert verdicts["retry.calls-more-than-once"] and verdicts["breaker.calls-less-than-once"]
    assert to_json(recording)["callers"]["breaker"]["stuck_calls"] == 2


def test_a_run_cut_short_is_summed_up_and_drawn() -> None:
    cut = Run("careless", "2026-01-01T10:00:00+00:00", 0.5, {"rate_per_s": 10})
    summary = summarize(cut)
    assert (summary.flaky, summary.stuck, summary.stuck_wait_s, summary.stuck_calls) == (
        0,
        0,
        None,
        0,
    )
    assert labs.resilience.draw(Recording("resilience", "kind", "v1.37.0", (cut,))).alternative


@pytest.mark.parametrize("wrong", [{"callers": ("prudent",)}, {"rate_per_s": 0}])
def test_wrong_arguments_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        labs.resilience.measure(**wrong)  # type: ignore[arg-type]
