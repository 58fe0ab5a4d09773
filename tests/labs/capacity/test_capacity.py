"""A growing load on one pod: what counts as kept up with, and what is drawn and told of it."""

from __future__ import annotations

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers.labs.capacity import sustained_per_s
from k8s_helpers.labs.capacity.summary import capacity_steps
from k8s_helpers.measure.recording import Recording, Request, Run


def _run(rate: float, waits_s: list[float | None]) -> Run:
    """Return a step whose requests waited that long; None for one that was lost."""
    requests = tuple(
        Request(index / rate, index / rate, index / rate + (wait_s or 2.0), 200)
        if wait_s is not None
        else Request(index / rate, index / rate, index / rate + 2.0, None, error="timeout")
        for index, wait_s in enumerate(waits_s)
    )
    parameters = {"rate_per_s": rate, "step_s": 1.0, "replicas": 1}
    return Run(f"{rate:g}", "2026-01-01T00:00:00+00:00", 3.0, parameters, requests=requests)


def _recording(*runs: Run, provider: str = "embedded") -> Recording:
    return Recording("capacity", provider, "v1.37.0", runs)


def test_a_step_is_kept_up_with_where_nearly_all_is_answered_soon() -> None:
    steps = capacity_steps(
        _recording(
            _run(100, [0.01] * 100),
            _run(200, [0.01] * 190 + [0.7] * 10),  # 5 in 100 may be slow
            _run(300, [0.01] * 279 + [0.7] * 21),  # 7 in 100 may not
            _run(400, [0.01] * 390 + [None] * 10),  # more than 1 in 100 lost
        )
    )
    assert [step.kept_up for step in steps] == [True, True, False, False]
    assert steps[3].answered_per_s == pytest.approx(390)


def test_what_is_sustained_is_the_highest_step_kept_up_with() -> None:
    recording = _recording(_run(50, [0.01] * 50), _run(100, [0.9] * 100))
    assert sustained_per_s(recording) == 50
    assert sustained_per_s(_recording(_run(50, [None] * 50))) == 0
    assert labs.summarize(recording)["sustained_per_s"] == 50


def test_a_step_without_answers_is_told_without_a_time() -> None:
    recording = _recording(_run(50, [None] * 50))
    (step,) = capacity_steps(recording)
    assert step.p95_s is None and not step.kept_up
    assert labs.summarize(recording)["steps"][0]["p95_s"] is None
    assert "aucune réponse" in labs.capacity.draw(recording).alternative


def test_the_chart_tells_its_verdict_and_has_two_bars_a_step() -> None:
    chart = labs.capacity.draw(_recording(_run(50, [0.01] * 50), _run(100, [0.9] * 100)))
    rates, waits = chart.axes
    assert [bar.get_height() for bar in rates.patches] == [50, 100, 50, 100]
    assert waits.get_yscale() == "log"
    assert "Un pod tient 50 requêtes par seconde sur cette machine" in chart.alternative


@pytest.mark.parametrize("rates", [[], [100, 50], [50, 50], [0], [5000]])
def test_rates_that_do_not_grow_are_refused(rates: list[float]) -> None:
    with pytest.raises(UsageError, match="débits croissants"):
        labs.capacity.measure(rates)


def test_nothing_is_said_of_a_machine_that_is_not_known() -> None:
    run = _run(50, [0.9] * 50)
    texts = [text.get_text() for text in labs.capacity.draw(_recording(run)).texts]
    assert "sur cette machine" in texts[0] and "sur la même machine" in texts[1]
    elsewhere = labs.capacity.draw(_recording(run, provider="existing"))
    texts = [text.get_text() for text in elsewhere.texts]
    assert "machine" not in texts[0] and "sur la même machine" not in texts[1]
