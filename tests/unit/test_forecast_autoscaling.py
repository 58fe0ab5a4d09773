"""The autoscaler's formula, what holds it back, and loads played against it, with figures reckoned by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers._autoscaler import COURSE, KIND_METRICS_PERIOD_S, KUBERNETES
from k8s_helpers._errors import UsageError
from k8s_helpers.forecasts.autoscaling import (
    DEFAULT_DOWN,
    DEFAULT_UP,
    Advice,
    Autoscaler,
    PodReading,
    Policy,
    Rules,
    ScaleEvent,
    bounded,
    decide,
    desired_replicas,
    explain,
    limited,
    plateau,
    proposal,
    stabilised,
    utilization_percent,
)
from k8s_helpers.forecasts.autoscaling_course import Workload, loaded, predict, rate_at, simulate
from k8s_helpers.kube import manifests
from k8s_helpers.labs.lab import MANIFESTS
from k8s_helpers.measure.traffic.profile import Profile
from k8s_helpers.providers.kind import config as kind_config

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


@pytest.mark.parametrize(
    ("states", "target", "wanted"),
    [
        # One at 150 %, one without a measure: counted as idle, 75 % of 50 %, ⌈1.5 × 2⌉.
        ([0.3, "missing"], 50, (3, 150)),
        # Unready ones count as idle too: 300 % over three is 100 % of 50 %.
        ([0.6, "missing", "unready"], 50, (6, 300)),
        ([0.6, "unready", "unready"], 50, (6, 300)),
        # 60 % alone asks for more, 20 % with the idle ones for less: neither.
        ([0.12, "missing", "missing"], 50, (3, 60)),
        # On the way down an unready one is left out: ⌈0.2 × 1⌉.
        ([0.02, "unready", "unready", "unready"], 50, (1, 10)),
        # One that is not measured is as busy as its request, or as the target where that is more.
        ([0.02, "missing", "unready", "unready"], 80, (2, 10)),
        ([0.02, "missing"], 150, (2, 10)),
        # 5 % alone asks for less, 68 % with the busy ones for more: neither.
        ([0.01, "missing", "missing"], 50, (3, 5)),
        # On target, a pod without a measure changes nothing.
        ([0.1, "missing"], 50, (2, 50)),
        # 10 % off is tolerated, 12 % is not.
        ([0.11, 0.11], 50, (2, 55)),
        ([0.112, 0.112], 50, (3, 56)),
        (["missing", "unready"], 50, (2, None)),
    ],
)
def test_pods_that_are_not_measured_make_it_careful(
    states: list[float | str], target: int, wanted: tuple[int, int | None]
) -> None:
    """The cases of `GetResourceReplicas` (pkg/controller/podautoscaler/replica_calculator.go), by hand."""
    pods = [
        PodReading(one) if isinstance(one, float) else PodReading(0.0, one)  # type: ignore[arg-type]
        for one in states
    ]
    assert proposal(pods, 0.2, target, 0.1) == wanted


def test_a_utilisation_is_a_mean_in_whole_percent_rounded_down() -> None:
    assert utilization_percent([0.3, 0.1], 0.2) == 100
    assert utilization_percent([0.033], 0.2) == 16
    assert utilization_percent([0.57], 0.1) == 570  # 569.99… in binary fractions
    with pytest.raises(UsageError, match="demandent"):
        utilization_percent([0.1], 0.0)


def test_a_current_number_out_of_bounds_is_brought_back_first() -> None:
    assert decide(Autoscaler(50, 2, 5), 0.0, 8, 3, 20).desired == 5
    assert decide(Autoscaler(50, 2, 5), 0.0, 1, 5, 400).desired == 2
    assert [bounded(count, Autoscaler(50, 2, 5)) for count in (1, 2, 5, 6)] == [2, 2, 5, 5]


def test_windows_go_up_by_the_least_and_down_by_the_most_that_was_asked_for() -> None:
    slow = Autoscaler(
        50, 1, 20, Rules(DEFAULT_UP.policies, 60.0), Rules(DEFAULT_DOWN.policies, 30.0)
    )
    asked = [Advice(0.0, 3), Advice(20.0, 5)]
    assert stabilised(slow, 40.0, 2, 9, asked) == 3
    assert stabilised(slow, 60.0, 2, 9, asked) == 5  # what is a whole window old is forgotten
    assert stabilised(slow, 80.0, 2, 9, asked) == 9
    assert stabilised(slow, 40.0, 8, 1, asked) == 5
    assert stabilised(slow, 50.0, 8, 1, asked) == 1
    # Between the least and the most there is no reason to move.
    assert stabilised(slow, 40.0, 4, 4, [Advice(30.0, 2), Advice(30.0, 7)]) == 4
    words = plain(decide(slow, 40.0, 2, 9, 225, asked).words)
    assert "retenu à 3 par la fenêtre de stabilisation de 60 s" in words


UP_BOTH = (Policy("Pods", 4, 15.0), Policy("Percent", 100, 15.0))
DOWN_BOTH = (Policy("Pods", 1, 60.0), Policy("Percent", 50, 60.0))


@pytest.mark.parametrize(
    ("select", "current", "wanted", "allowed"),
    [
        ("Max", 10, 50, 20),
        ("Max", 2, 50, 6),
        ("Min", 10, 50, 14),
        ("Min", 2, 50, 4),
        ("Disabled", 10, 50, 10),
        ("Max", 10, 12, 12),  # no further than wanted
        ("Max", 10, 1, 5),
        ("Max", 9, 1, 4),  # int(4.5)
        ("Min", 10, 1, 9),
        ("Disabled", 10, 1, 10),
        ("Max", 10, 8, 8),
        ("Max", 10, 10, 10),
    ],
)
def test_of_several_policies_the_boldest_counts_unless_told_otherwise(
    select: str, current: int, wanted: int, allowed: int
) -> None:
    rules = [Rules(policies, 0.0, select) for policies in (UP_BOTH, DOWN_BOTH)]  # type: ignore[arg-type]
    assert limited(Autoscaler(50, 1, 100, *rules), 0.0, current, wanted, ()) == allowed


def test_what_a_period_has_used_up_is_taken_off_and_what_it_gave_back_is_given() -> None:
    pods = Rules((Policy("Pods", 4, 60.0),), 0.0)
    scaler = Autoscaler(50, 1, 100, pods, pods)
    assert limited(scaler, 100.0, 10, 50, [ScaleEvent(50.0, 3)]) == 11
    assert limited(scaler, 100.0, 10, 50, [ScaleEvent(40.0, 3)]) == 14  # a whole period ago
    assert limited(scaler, 100.0, 10, 50, [ScaleEvent(50.0, 9)]) == 10  # never the other way
    assert limited(scaler, 100.0, 10, 50, [ScaleEvent(50.0, -2)]) == 16
    assert limited(scaler, 100.0, 10, 1, [ScaleEvent(50.0, -3)]) == 9
    assert limited(scaler, 100.0, 10, 1, [ScaleEvent(50.0, -9)]) == 10
    percent = Rules((Policy("Percent", 100, 60.0),), 0.0)
    scaler = Autoscaler(50, 1, 100, percent, percent)
    assert limited(scaler, 100.0, 9, 50, [ScaleEvent(50.0, 4)]) == 10
    assert limited(scaler, 100.0, 200, 999, ()) == 400
    ten = Autoscaler(50, 1, 100, Rules((Policy("Percent", 10, 60.0),), 0.0))
    assert limited(ten, 0.0, 11, 50, ()) == 13  # ⌈12.1⌉
    assert limited(ten, 0.0, 10, 50, ()) == 11


def test_behaviour_that_is_written_in_part_has_defaults_for_the_rest() -> None:
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    spec = {
        "maxReplicas": 9,
        "metrics": [
            {"type": "Resource", "resource": {**metric, "name": "memory"}},
            {"type": "Pods", "resource": metric},
            {"type": "Resource", "resource": metric},
        ],
        "behavior": {
            "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Min"},
            "scaleDown": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}]},
        },
    }
    assert Autoscaler.of({"spec": spec}) == Autoscaler(
        70,
        1,
        9,
        Rules(UP_BOTH, 0.0, "Min"),
        Rules((Policy("Pods", 2, 30.0),), 300.0, "Max"),
    )
    assert Autoscaler.of({"spec": {**spec, "minReplicas": 3}}).min_replicas == 3
    assert KUBERNETES.sync_period_s == 15.0
    assert (DEFAULT_UP.window_s, DEFAULT_UP.select, DEFAULT_UP.policies) == (0.0, "Max", UP_BOTH)
    assert Rules((Policy("Percent", 100, 15.0),), 300.0, "Max") == DEFAULT_DOWN


def test_an_autoscaler_may_keep_one_number_and_a_target_of_one_percent() -> None:
    assert Autoscaler(1, 1, 1).target_percent == 1
    for wrong in ((0, 1, 1), (50, 0, 1), (50, 2, 1)):
        with pytest.raises(UsageError, match="maximum"):
            Autoscaler(*wrong)


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
    cut = decide(Autoscaler(50, 1, 5), 0.0, 2, 7, 160)
    assert (cut.asked, cut.desired) == (7, 5)
    assert plain(cut.words) == "⌈2 × 160 % / 50 %⌉ = 7, limité à 5 par maxReplicas"
    held = decide(QUICK, 20.0, 4, 1, 2, [Advice(10.0, 4)])
    assert held.desired == 4 and "stabilisation de 15 s" in plain(held.words)
    assert decide(QUICK, 26.0, 4, 1, 2, [Advice(10.0, 4)]).desired == 1
    assert "toléré" in decide(SCALER, 0.0, 4, 4, 46).words
    assert plain(explain(Autoscaler(50, 1, 5), 2, 160, 5)) == plain(cut.words)
    assert "neufs" in explain(SCALER, 4, 80, 4)


def test_up_goes_by_four_pods_or_double_and_down_by_half_where_told() -> None:
    wide = Autoscaler(50, 1, 100)
    assert decide(wide, 0.0, 1, 50, 2500).desired == 5
    assert decide(wide, 0.0, 10, 50, 250).desired == 20
    # Four were added 5 s ago: that period's share is used up.
    assert decide(wide, 5.0, 5, 50, 500, events=[ScaleEvent(0.0, 4)]).desired == 5
    assert decide(wide, 16.0, 5, 50, 500, events=[ScaleEvent(0.0, 4)]).desired == 10
    half = Autoscaler(50, 1, 100, DEFAULT_UP, Rules((Policy("Percent", 50, 60.0),), 0.0))
    assert decide(half, 0.0, 9, 1, 5).desired == 4
    never = Autoscaler(50, 1, 100, DEFAULT_UP, Rules(DEFAULT_DOWN.policies, 0.0, "Disabled"))
    assert decide(never, 0.0, 9, 1, 5).desired == 9


def test_the_course_s_manifest_is_read_with_kubernetes_defaults() -> None:
    (found,) = manifests.read(MANIFESTS / "12_autoscaling" / "hpa.yaml")
    scaler = Autoscaler.of(found.object)
    assert (scaler.target_percent, scaler.min_replicas, scaler.max_replicas) == (50, 1, 6)
    assert (scaler.up, scaler.down) == (DEFAULT_UP, Rules(DEFAULT_DOWN.policies, 15.0))
    del found.object["spec"]["behavior"]
    assert Autoscaler.of(found.object).down.window_s == 300


def test_clusters_of_the_course_have_the_times_that_forecasts_reckon_with() -> None:
    written = kind_config.build({}, {80: 8080}, image=None, cgroup_v1=False)
    text = " ".join(written.replace("\\n", " ").replace("\\", " ").split())
    for flag, value in COURSE.flags().items():
        assert f"{flag}: {value:g}s" in text
    metrics_server = Path(kind_config.__file__).with_name("manifests") / "metrics-server.yaml"
    assert f"--metric-resolution={KIND_METRICS_PERIOD_S:g}s" in metrics_server.read_text()


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
