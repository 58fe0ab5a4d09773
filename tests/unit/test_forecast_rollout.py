"""What a rolling update will do, from its numbers alone, and beside what was really measured."""

from __future__ import annotations

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers.analysis import lives
from k8s_helpers.forecasts.rollout import band, forecast, resolve
from k8s_helpers.panels.update_parameters import draw

PROVIDERS = tuple(labs.get("update").recordings())


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


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "pods"),
    [
        ("25%", "25%", 10, (3, 2)),  # up for the surge, down for what may be missing
        (1, 0, 3, (1, 0)),
        (0, 2, 3, (0, 2)),
        (0, "25%", 3, (0, 1)),  # nothing would ever happen otherwise
        ("0%", "10%", 5, (0, 1)),
    ],
)
def test_shares_of_the_replicas_as_the_controller_rounds_them(
    surge: int | str, unavailable: int | str, replicas: int, pods: tuple[int, int]
) -> None:
    """`ResolveFenceposts` of pkg/controller/deployment/util/deployment_util.go."""
    assert resolve(surge, unavailable, replicas) == pods


def test_the_band_of_a_deployment_is_what_it_writes_and_what_it_comes_to() -> None:
    rolling = {"maxSurge": "25%", "maxUnavailable": 1}
    spec = {"replicas": 6, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    assert band({"spec": spec}) == {
        "max_surge": "25%",
        "max_unavailable": 1,
        "max_surge_pods": 2,
        "max_unavailable_pods": 1,
    }
    assert band({"spec": {"replicas": 6, "strategy": {"type": "Recreate"}}}) == {}


def test_a_wave_lasts_from_the_start_of_a_program_to_its_probe_and_what_is_around_it() -> None:
    found = forecast(4)  # 25 % and 25 %: two at a time, 3 s to start, a probe each second
    assert found.waves == 2
    assert found.duration_s == (2 * 3.0, 2 * (3.0 + 1.0 + 1.0))
    assert forecast(4, startup_s=0).duration_s[0] == 0


@pytest.mark.parametrize(
    "numbers", [{"replicas": 0}, {"startup_s": -0.1}, {"period_s": 0.0}, {"period_s": -1.0}]
)
def test_numbers_that_make_no_sense_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="durées positives"):
        forecast(**{"replicas": 3, **numbers})  # type: ignore[arg-type]


def test_old_pods_are_there_from_the_start_and_those_that_may_be_missing_go_at_once() -> None:
    old = [pod for pod in forecast(6, 1, 2, startup_s=2.0).pods if not pod.new]
    assert {(pod.created_s, pod.ready_s) for pod in old} == {(0.0, 0.0)}
    assert [pod.stopped_s for pod in old] == [0.0, 0.0, 2.0, 2.0, 2.0, 4.0]


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


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_was_measured_is_what_was_foreseen(provider: str) -> None:
    run = labs.kept("update", provider).run("rolling")
    numbers = run.parameters
    found = forecast(
        numbers["replicas"], numbers["max_surge"], numbers["max_unavailable"], numbers["startup_s"]
    )
    apply = run.mark("apply")
    assert apply is not None
    last_s = max(life.ready[0].start_s for life in lives(run) if life.created_s > apply.at_s)
    low_s, high_s = found.duration_s
    assert low_s <= last_s - apply.at_s <= high_s
    assert labs.update.summarize(run).lowest_ready >= found.lowest_ready


@pytest.mark.parametrize("value", ["beaucoup", "-25%", -1, "25"])
def test_what_is_no_share_is_refused_in_french(value: int | str) -> None:
    with pytest.raises(UsageError, match="ni un nombre de pods ni un pourcentage"):
        forecast(3, value)


def test_the_drawing_has_one_line_a_pod_and_says_what_it_shows() -> None:
    found = forecast(8)
    chart = draw(found)
    (ax,) = chart.axes
    rows = {round(bar.get_y() + bar.get_height() / 2) for bar in ax.patches}
    assert rows == set(range(16))
    assert "10\u00a0pods au plus" in chart.alternative
