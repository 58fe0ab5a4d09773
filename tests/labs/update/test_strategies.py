"""The parts of the update experiment that need no cluster: what is applied, what the Deployment allows, bad input."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import ClusterUnreachableError, UsageError
from k8s_helpers.forecasts.rollout import band
from k8s_helpers.labs import lab
from k8s_helpers.labs.update import strategies
from k8s_helpers.labs.update.lab import LAB
from k8s_helpers.measure.lane import Lane

if TYPE_CHECKING:
    from k8s_helpers.cluster import Namespace

MANIFESTS = ["rolling-naif.yaml", "rolling.yaml", "recreate.yaml", "bleu.yaml", "vert.yaml"]


def lane() -> Lane:
    """Return a lane whose manifests can be read; it has no cluster to apply them to."""
    images = {"vitrine:v1": "vitrine:v1", "vitrine:v2": "local/vitrine:v2"}
    measure: Any = SimpleNamespace(images=images, folder=lab.MANIFESTS / LAB.folder)
    parameters = {"replicas": 5, "rate_per_s": 50.0, "startup_s": 1.5}
    return Lane(measure, cast("Namespace", None), "rolling", "", parameters)


def without(plain: dict[str, Any]) -> dict[str, Any]:
    """Return a Deployment without what a run decides."""
    rest = copy.deepcopy(plain)
    del rest["spec"]["replicas"], rest["spec"]["template"]["metadata"]["labels"]["version"]
    (container,) = rest["spec"]["template"]["spec"]["containers"]
    del container["image"]
    container["env"] = [item for item in container["env"] if item["name"] != "STARTUP_SECONDS"]
    return rest


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_the_course_s_manifest_runs_as_the_lane_says_and_nothing_else_changes(
    manifest: str,
) -> None:
    (plain,) = lane().read(manifest)
    (fitted,) = lane().read(manifest, strategies.at_version(lane(), "v2"))
    assert without(fitted) == without(plain)
    template = fitted["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert fitted["spec"]["replicas"] == 5
    assert template["metadata"]["labels"]["version"] == "v2"
    assert container["image"] == "local/vitrine:v2"
    (startup,) = [item for item in container["env"] if item["name"] == "STARTUP_SECONDS"]
    assert startup["value"] == "1.5"
    assert ("readinessProbe" in container) == (manifest != "rolling-naif.yaml")


def test_the_switch_is_the_selector_of_one_service() -> None:
    (blue,), (green,) = lane().read("service-bleu.yaml"), lane().read("service-vert.yaml")
    assert blue["spec"].pop("selector") == {"app": "vitrine", "version": "v1"}
    assert green["spec"].pop("selector") == {"app": "vitrine", "version": "v2"}
    assert blue == green


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


@pytest.mark.parametrize("asked", ["rolling", [], ["rolling", "rolling"], ["canary"]])
def test_strategies_that_make_no_sense_are_refused_before_anything_is_done(
    asked: object,
) -> None:
    with pytest.raises(UsageError, match="rolling-naive, rolling, recreate, blue-green"):
        labs.update.measure(asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "numbers", [{"replicas": 0}, {"rate_per_s": 0}, {"rate_per_s": 1000}, {"startup_s": -1}]
)
def test_numbers_out_of_bounds_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="1 à 20 réplicas"):
        labs.update.measure(**numbers)  # type: ignore[arg-type]


def test_without_a_cluster_the_error_says_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("k8s_helpers.cluster._current", None)
    with pytest.raises(ClusterUnreachableError, match="connect"):
        labs.update.measure()


def test_strategies_come_in_the_order_of_the_course() -> None:
    assert list(strategies.STRATEGIES) == ["rolling-naive", "rolling", "recreate", "blue-green"]
