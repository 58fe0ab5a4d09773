"""What a rolling update will do, from its numbers alone, and beside what was really measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers._errors import UsageError
from k8s_helpers.charts.rollout import rollout
from k8s_helpers.forecasts.rollout import forecast
from k8s_helpers.recording import Recording
from k8s_helpers.timeline import lives, update_summary

RECORDINGS = sorted((Path(__file__).parents[2] / "recordings").glob("update-*.json"))


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (3, "25%", "25%", (4, 3, 3)),  # one by one
        (8, "25%", "25%", (10, 6, 2)),  # four at a time
        (6, 1, 1, (7, 5, 3)),
        (6, "100%", 0, (12, 6, 1)),
        (4, 0, 1, (4, 3, 4)),
        (2, 5, 5, (4, 0, 1)),  # no more than there are
    ],
)
def test_pods_at_most_ready_pods_at_least_and_waves(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int, int]
) -> None:
    found = forecast(replicas, surge, unavailable)
    assert (found.peak_pods, found.lowest_ready, found.waves) == expected


@pytest.mark.parametrize("replicas", [1, 3, 8])
def test_the_pods_plans_are_the_numbers_told(replicas: int) -> None:
    found = forecast(replicas, "50%", "25%", startup_s=2.0)
    new = [pod for pod in found.pods if pod.new]
    old = [pod for pod in found.pods if not pod.new]
    assert len(new) == len(old) == replicas
    assert max(pod.ready_s for pod in new) == found.duration_s[0]
    instants = sorted({pod.created_s for pod in new} | {pod.ready_s for pod in new})
    for instant_s in instants:
        alive = [
            pod
            for pod in found.pods
            if pod.created_s <= instant_s and (pod.stopped_s is None or instant_s < pod.stopped_s)
        ]
        ready = [pod for pod in alive if pod.ready_s <= instant_s]
        assert len(alive) <= found.peak_pods
        assert len(ready) >= found.lowest_ready


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_what_was_measured_is_what_was_foreseen(path: Path) -> None:
    run = Recording.load(path).run("rolling")
    numbers = run.parameters
    found = forecast(
        numbers["replicas"], numbers["max_surge"], numbers["max_unavailable"], numbers["startup_s"]
    )
    apply = run.mark("apply")
    assert apply is not None
    last_s = max(life.ready[0].start_s for life in lives(run) if life.created_s > apply.at_s)
    low_s, high_s = found.duration_s
    assert low_s <= last_s - apply.at_s <= high_s
    assert update_summary(run).lowest_ready >= found.lowest_ready


@pytest.mark.parametrize("value", ["beaucoup", "-25%", -1, "25"])
def test_what_is_no_share_is_refused_in_french(value: int | str) -> None:
    with pytest.raises(UsageError, match="ni un nombre de pods ni un pourcentage"):
        forecast(3, value)


def test_the_drawing_has_one_line_a_pod_and_says_what_it_shows() -> None:
    found = forecast(8)
    chart = rollout(found)
    (ax,) = chart.axes
    rows = {round(bar.get_y() + bar.get_height() / 2) for bar in ax.patches}
    assert rows == set(range(16))
    assert "10\u00a0pods au plus" in chart.alternative
