"""What counters say of a traffic, on collections whose every number is known."""

from __future__ import annotations

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers.labs.scraping.experiment import COUNTER, total
from k8s_helpers.labs.scraping.summary import summarize, to_json, to_story
from k8s_helpers.measure.recording import Mark, Recording, Run, Sample

TEXT = """# HELP vitrine_requests_total Requêtes servies.
# TYPE vitrine_requests_total counter
vitrine_requests_total{method="GET",status="200",version="v1"} 40
vitrine_requests_total{method="GET",status="404",version="v1"} 2
# HELP vitrine_requests_in_flight Requêtes en cours.
# TYPE vitrine_requests_in_flight gauge
vitrine_requests_in_flight 1
"""


def recording(
    values: dict[str, list[tuple[float, float]]], deleted_s: float | None = None
) -> Recording:
    samples = tuple(
        Sample(at_s, COUNTER, value, pod) for pod, row in values.items() for at_s, value in row
    )
    marks = () if deleted_s is None else (Mark(deleted_s, "delete", "b"),)
    run = Run(
        "releve",
        "2026-01-01T10:00:00+00:00",
        6.0,
        {"rate_per_s": 20.0},
        samples=samples,
        marks=marks,
    )
    return Recording("scraping", "embedded", "v1.37.0", (run,))


STEADY = {
    "a": [(1.0, 5.0), (2.0, 15.0), (3.0, 25.0)],
    "b": [(1.0, 90.0), (2.0, 100.0), (3.0, 110.0)],
}


def test_a_counter_is_the_sum_over_its_labels() -> None:
    assert total(TEXT, COUNTER) == 42
    assert total("", COUNTER) == 0


def test_rates_of_all_pods_add_up_to_the_traffic() -> None:
    summary = summarize(recording(STEADY).runs[0])
    assert [rate.per_s for rate in summary.rates] == [20.0, 20.0]
    assert summary.mean_per_s == 20.0
    assert to_story(recording(STEADY)).verdicts == {"rate-is-the-traffic": True, "series": 2}


def test_a_counter_that_falls_began_anew() -> None:
    restarted = {"a": [(1.0, 50.0), (2.0, 70.0), (3.0, 20.0)]}
    assert [rate.per_s for rate in summarize(recording(restarted).runs[0]).rates] == [20.0, 20.0]


def test_the_interval_of_a_deletion_is_left_out_of_the_mean() -> None:
    gone = {
        "a": [(1.0, 0.0), (2.0, 10.0), (3.0, 20.0), (4.0, 40.0), (5.0, 60.0)],
        "b": [(1.0, 0.0), (2.0, 10.0)],
    }
    summary = summarize(recording(gone, deleted_s=2.2).runs[0])
    assert [rate.per_s for rate in summary.rates] == [20.0, 10.0, 20.0, 20.0]
    assert summary.mean_per_s == 20.0
    assert "retrouvent le trafic" in labs.scraping.draw(recording(gone, 2.2)).alternative


def test_counters_that_do_not_give_the_traffic_back_are_not_praised() -> None:
    half = {"a": STEADY["a"]}
    assert to_json(recording(half))["mean_per_s"] == 10.0
    assert "le trafic en a 20" in labs.scraping.draw(recording(half)).alternative.replace(
        "\u00a0", " "
    )


@pytest.mark.parametrize("options", [{"rate_per_s": 0}, {"half_s": 1}])
def test_numbers_out_of_their_bounds_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        labs.scraping.measure(**options)
