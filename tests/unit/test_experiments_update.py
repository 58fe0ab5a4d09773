"""The parts of the update experiment that need no cluster: what is applied, what the Deployment allows, bad input."""

from __future__ import annotations

import copy

import pytest

from k8s_helpers import experiments, manifests
from k8s_helpers._errors import ClusterUnreachableError, UsageError
from k8s_helpers.experiments.scene import MANIFESTS, fit
from k8s_helpers.experiments.strategies import STRATEGIES, Setting
from k8s_helpers.forecasts.rollout import band

SETTING = Setting({"v1": "vitrine:v1", "v2": "local/vitrine:v2"}, 5, 50.0, 1.5)


def deployment(manifest: str) -> dict[str, object]:
    (found,) = manifests.read(MANIFESTS / manifest)
    return dict(found.object)


@pytest.mark.parametrize(
    "manifest", ["rolling-naif.yaml", "rolling.yaml", "recreate.yaml", "bleu.yaml", "vert.yaml"]
)
def test_the_course_s_manifest_runs_with_the_setting_and_nothing_else_changes(
    manifest: str,
) -> None:
    plain = deployment(manifest)
    before = copy.deepcopy(plain)
    fitted = fit(plain, SETTING, "v2")
    assert plain == before
    template = fitted["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert fitted["spec"]["replicas"] == 5
    assert template["metadata"]["labels"]["version"] == "v2"
    assert container["image"] == "local/vitrine:v2"
    (startup,) = [item for item in container["env"] if item["name"] == "STARTUP_SECONDS"]
    assert startup["value"] == "1.5"
    assert ("readinessProbe" in container) == (manifest != "rolling-naif.yaml")


def test_services_are_applied_as_they_are() -> None:
    plain = deployment("service-vert.yaml")
    assert fit(plain, SETTING, None) == plain
    assert deployment("service-vert.yaml")["spec"]["selector"] == {
        "app": "vitrine",
        "version": "v2",
    }  # type: ignore[index]


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (3, "25%", "25%", (1, 0)),
        (8, "25%", "25%", (2, 2)),
        (10, "25%", "25%", (3, 2)),
        (4, 2, 1, (2, 1)),
        (1, "0%", "25%", (0, 1)),
        (2, 0, "50%", (0, 1)),
    ],
)
def test_percentages_are_rounded_as_the_controller_rounds_them(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    found = band({"spec": {"replicas": replicas, "strategy": {"rollingUpdate": rolling}}})
    assert (found["max_surge_pods"], found["max_unavailable_pods"]) == expected
    assert found["max_surge"] == surge


def test_a_recreate_has_no_band() -> None:
    assert band({"spec": {"replicas": 3, "strategy": {"type": "Recreate"}}}) == {}


@pytest.mark.parametrize("strategies", ["rolling", [], ["rolling", "rolling"], ["canary"]])
def test_strategies_that_make_no_sense_are_refused_before_anything_is_done(
    strategies: object,
) -> None:
    with pytest.raises(UsageError, match="rolling-naive, rolling, recreate, blue-green"):
        experiments.update(strategies)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "numbers", [{"replicas": 0}, {"rate_per_s": 0}, {"rate_per_s": 1000}, {"startup_s": -1}]
)
def test_numbers_out_of_bounds_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="1 à 20 réplicas"):
        experiments.update(**numbers)  # type: ignore[arg-type]


def test_without_a_cluster_the_error_says_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("k8s_helpers.cluster._current", None)
    with pytest.raises(ClusterUnreachableError, match="connect"):
        experiments.update()


def test_strategies_come_in_the_order_of_the_course() -> None:
    assert list(STRATEGIES) == ["rolling-naive", "rolling", "recreate", "blue-green"]
