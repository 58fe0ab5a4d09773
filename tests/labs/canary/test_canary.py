"""What share of the requests a canary gets, on runs whose every number is known; and what chance allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import synthetic

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers.labs.canary.forecast import share_interval
from k8s_helpers.labs.canary.summary import to_json, to_story
from k8s_helpers.measure.recording import Recording, Run


def step(name: str, one_in: int, *, stable: int, canary: int) -> Run:
    """Return a step in which one request in so many is answered by the canary."""
    run = synthetic.run(name, lambda at_s: "v1", [], (), stable=stable, canary=canary)
    requests = [
        replace(request, version="v2") if index % one_in == 0 else request
        for index, request in enumerate(run.requests)
    ]
    return replace(run, requests=tuple(requests))


def recording() -> Recording:
    """Return a step whose canary gets its share, and one whose canary gets twice as much."""
    runs = (step("9-1", 10, stable=9, canary=1), step("4-1", 5, stable=9, canary=1))
    return Recording("canary", "embedded", "v1.37.0", runs)


@pytest.mark.parametrize(
    ("share", "requests", "interval"),
    # scipy.stats.binom.ppf([0.0005, 0.9995], requests, share) / requests
    [(0.1, 1000, (0.070, 0.133)), (0.5, 1000, (0.448, 0.552)), (0.0, 100, (0.0, 0.005))],
)
def test_the_interval_is_where_chance_leads(
    share: float, requests: int, interval: tuple[float, float]
) -> None:
    assert share_interval(share, requests) == pytest.approx(interval, abs=0.004)


def test_without_requests_nothing_is_excluded() -> None:
    assert share_interval(0.1, 0) == (0.0, 1.0)


def test_the_share_is_that_of_good_answers() -> None:
    good, wrong = (labs.canary.summarize(run) for run in recording().runs)
    assert (good.share, good.expected, good.as_expected) == (0.1, 0.1, True)
    assert (wrong.share, wrong.as_expected) == (0.2, False)
    run = recording().runs[0]
    half = replace(run, requests=(*run.requests[:500], *synthetic.inverted(run.requests[500:])))
    counted = labs.canary.summarize(half)
    assert (counted.answered, counted.canary_answered, counted.failed) == (500, 50, 500)


def test_the_story_and_the_summary_tell_them_apart() -> None:
    story = to_story(recording())
    assert story.verdicts == {
        "9-1.share-in-interval": True,
        "9-1.loses-requests": False,
        "4-1.share-in-interval": False,
        "4-1.loses-requests": False,
    }
    assert [row["share"] for row in to_json(recording())["steps"].values()] == [0.1, 0.2]


def test_the_figure_says_in_how_many_steps_chance_does_not_explain_the_share() -> None:
    chart = labs.canary.draw(recording())
    words = chart.alternative.replace("\u00a0", " ")
    assert "s’écarte de celle de ses pods dans 1 étape" in words
    (ax,) = chart.axes
    assert [bar.get_width() for bar in ax.patches if bar.get_x() == 0][:2] == [0.1, 0.2]


@pytest.mark.parametrize("steps", [[], [(9, 1), (9, 1)], [(12, 1)], [(0, 0)], [(1, 2, 3)]])
def test_steps_that_make_no_sense_are_refused(steps: list[tuple[int, int]]) -> None:
    with pytest.raises(UsageError, match="1 à 12 pods"):
        labs.canary.measure(steps)
