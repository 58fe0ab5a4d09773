"""The autoscaler's formula, what holds it back, and loads played against it, with figures reckoned by hand."""

from __future__ import annotations

import pytest

from k8s_helpers import manifests
from k8s_helpers._errors import UsageError
from k8s_helpers.embedded import control_plane
from k8s_helpers.experiments.scaling_stage import MANIFESTS
from k8s_helpers.forecasts.autoscaling import (
    PodReading,
    decide,
    desired_replicas,
    explain,
    plateau,
    proposal,
)
from k8s_helpers.forecasts.scaling_course import Workload, loaded, predict, rate_at, simulate
from k8s_helpers.forecasts.scaling_rules import (
    DEFAULT_DOWN,
    DEFAULT_UP,
    Advice,
    Autoscaler,
    Change,
    Policy,
    Rules,
)
from k8s_helpers.load import Profile
from k8s_helpers.providers import kind_config
from k8s_helpers.providers.base import COURSE_TIMES

SCALER = Autoscaler(50, 1, 10)
QUICK = Autoscaler(50, 1, 6, down=Rules(DEFAULT_DOWN.policies, 15.0))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("current", "metric", "wanted"),
    [
        (2, 160, 7),  # 6.4
        (1, 50, 1),
        (4, 55, 4),  # 10 % off: tolerated
        (4, 45, 4),
        (4, 56, 5),  # 4.48
        (10, 44, 9),  # 8.8
        (4, 0, 0),
        (3, 100, 6),
    ],
)
def test_the_formula_rounds_up_and_tolerates_a_tenth(
    current: int, metric: int, wanted: int
) -> None:
    assert desired_replicas(current, metric, 50) == wanted


def test_a_target_of_zero_is_refused() -> None:
    with pytest.raises(UsageError, match="divise"):
        desired_replicas(2, 50, 0)
    with pytest.raises(UsageError, match="zéro"):
        Autoscaler(0, 1, 5)
    with pytest.raises(UsageError):
        Autoscaler(50, 3, 2)


def test_new_pods_count_as_idle_on_the_way_up_and_missing_ones_as_busy_on_the_way_down() -> None:
    busy, idle = PodReading(0.3), PodReading(0.01)
    # 0.3 of 0.2 asked for is 150 %: alone ⌈3⌉ = 3; with two unready ones the mean is 50 %: nothing to do.
    assert proposal([busy], 0.2, 50, 0.1) == (3, 150)
    young = PodReading(0.0, "unready")
    assert proposal([busy, young, young], 0.2, 50, 0.1) == (3, 150)
    # Two of three idle at 5 %; the third has no measure and counts 100 %: (5+5+100)/3 = 36 % → ⌈3 × 0.72⌉ = 3.
    missing = PodReading(0.0, "missing")
    assert proposal([idle, idle, missing], 0.2, 50, 0.1) == (3, 5)
    assert proposal([idle, idle, idle], 0.2, 50, 0.1) == (1, 5)
    assert proposal([young], 0.2, 50, 0.1) == (1, None)


def test_a_plateau_is_the_load_divided_by_each_pod_s_share() -> None:
    found = plateau(20, 0.0172, 0.2, 50, 1, 6)
    assert (found.replicas, found.reachable) == (4, (4, 4))
    assert found.needed == pytest.approx(3.44)
    assert "⌈344 / 100⌉ = 4" in plain(found.words)
    # 3.2 pods' worth: three of them are only 7 % over the target, and stay.
    assert plateau(20, 0.016, 0.2, 50, 1, 6).reachable == (3, 4)
    held = plateau(20, 0.0172, 0.2, 50, 1, 3)
    assert held.replicas == 3 and "limité à 3 par maxReplicas" in held.words
    with pytest.raises(UsageError, match="demandent"):
        plateau(20, 0.017, 0.0, 50)


def test_a_decision_says_its_figures_and_what_held_it_back() -> None:
    bounded = decide(Autoscaler(50, 1, 5), 0.0, 2, 7, 160)
    assert (bounded.asked, bounded.desired) == (7, 5)
    assert plain(bounded.words) == "⌈2 × 160 % / 50 %⌉ = 7, limité à 5 par maxReplicas"
    held = decide(QUICK, 20.0, 4, 1, 2, [Advice(10.0, 4)])
    assert held.desired == 4 and "stabilisation de 15 s" in plain(held.words)
    assert decide(QUICK, 26.0, 4, 1, 2, [Advice(10.0, 4)]).desired == 1
    assert "toléré" in decide(SCALER, 0.0, 4, 4, 46).words
    assert plain(explain(Autoscaler(50, 1, 5), 2, 160, 5)) == plain(bounded.words)
    assert "neufs" in explain(SCALER, 4, 80, 4)


def test_up_goes_by_four_pods_or_double_and_down_by_half_where_told() -> None:
    wide = Autoscaler(50, 1, 100)
    assert decide(wide, 0.0, 1, 50, 2500).desired == 5
    assert decide(wide, 0.0, 10, 50, 250).desired == 20
    # Four were added 5 s ago: that period's share is used up.
    assert decide(wide, 5.0, 5, 50, 500, changes=[Change(0.0, 4)]).desired == 5
    assert decide(wide, 16.0, 5, 50, 500, changes=[Change(0.0, 4)]).desired == 10
    half = Autoscaler(50, 1, 100, DEFAULT_UP, Rules((Policy("Percent", 50, 60.0),), 0.0))
    assert decide(half, 0.0, 9, 1, 5).desired == 4
    never = Autoscaler(50, 1, 100, DEFAULT_UP, Rules(DEFAULT_DOWN.policies, 0.0, "Disabled"))
    assert decide(never, 0.0, 9, 1, 5).desired == 9


def test_the_course_s_manifest_is_read_with_kubernetes_defaults() -> None:
    (found,) = manifests.read(MANIFESTS / "hpa.yaml")
    scaler = Autoscaler.of(found.object)
    assert (scaler.target_percent, scaler.min_replicas, scaler.max_replicas) == (50, 1, 6)
    assert (scaler.up, scaler.down) == (DEFAULT_UP, Rules(DEFAULT_DOWN.policies, 15.0))
    del found.object["spec"]["behavior"]
    assert Autoscaler.of(found.object).down.window_s == 300


def test_clusters_of_the_course_have_the_times_that_forecasts_reckon_with() -> None:
    written = kind_config.build({}, 8080, image=None, cgroup_v1=False)
    text = " ".join(written.replace("\\n", " ").replace("\\", " ").split())
    source = control_plane.__loader__.get_source(control_plane.__name__)  # type: ignore[union-attr]
    for flag, value in (
        ("horizontal-pod-autoscaler-sync-period", COURSE_TIMES.sync_period_s),
        (
            "horizontal-pod-autoscaler-cpu-initialization-period",
            COURSE_TIMES.cpu_initialization_s,
        ),
        ("horizontal-pod-autoscaler-initial-readiness-delay", COURSE_TIMES.initial_readiness_s),
    ):
        assert f"{flag}: {value:g}s" in text
        assert f"--{flag}={value:g}s" in str(source)


def workload(profile: Profile, window_s: float = 2.0) -> Workload:
    return Workload(profile.points, 0.0172, 0.2, 0.5, 1.0, 5.0, window_s)


def test_a_step_goes_to_its_plateau_and_back_after_the_window() -> None:
    course = simulate(workload(Profile.step(20)), QUICK, 80.0, phase_s=3.0)
    changes = [(one.current, one.desired) for one in course.decisions if one.desired != one.current]
    assert changes[0] == (1, 4) and changes[-1][1] == 1
    found = predict(workload(Profile.step(20)), QUICK, 80.0)
    assert found.peak[1] == 4
    assert found.first_scale_up_s is not None and 0 < found.first_scale_up_s[1] <= 10
    assert found.back_to_min_s is not None and 10 <= found.back_to_min_s[0] <= 20
    assert (found.replicas[0].fewest, found.replicas[0].most) == (1, 1)


def test_slower_metrics_are_predicted_to_come_later() -> None:
    quick = predict(workload(Profile.step(20)), QUICK, 120.0).first_scale_up_s
    slow = predict(workload(Profile.step(20), 15.0), QUICK, 120.0).first_scale_up_s
    assert quick is not None and slow is not None and slow[1] > quick[1]


def test_a_load_too_small_never_scales_up() -> None:
    found = predict(workload(Profile.step(2)), QUICK, 60.0)
    assert (found.peak, found.first_scale_up_s, found.back_to_min_s) == ((1, 1), None, (0.0, 0.0))


def test_profiles_have_their_shapes() -> None:
    step = Profile.step(20, base_per_s=1, at_s=5, length_s=40)
    assert [rate_at(step.points, at_s) for at_s in (0, 4.9, 5, 44.9, 45, 99)] == [
        1,
        1,
        20,
        20,
        1,
        1,
    ]
    assert loaded(step.points) == (5, 45)
    ramp = Profile.ramp(21, base_per_s=1, at_s=0, rise_s=20, hold_s=5)
    assert rate_at(ramp.points, 10) == pytest.approx(11)
    assert rate_at(ramp.points, 22) == 21 and rate_at(ramp.points, 25) == 1
    peak = Profile.peak(11, base_per_s=1, at_s=10, length_s=20)
    assert [rate_at(peak.points, at_s) for at_s in (10, 15, 20, 25, 30)] == [1, 6, 11, 6, 1]
    teeth = Profile.saw_tooth(11, base_per_s=1, at_s=0, tooth_s=10, teeth=2)
    assert [rate_at(teeth.points, at_s) for at_s in (5, 10, 15, 20)] == [6, 1, 6, 1]
    assert loaded(teeth.points) == (0, 20) and teeth.highest_per_s == 11
    with pytest.raises(UsageError, match="débit haut"):
        Profile.step(1, base_per_s=2)
    with pytest.raises(UsageError):
        Profile.ramp(10, rise_s=0)
