"""An autoscaler on a live cluster: up, to where it was predicted, and back; and what it cannot work with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import ManifestError, PlatformError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.kube import manifests
from k8s_helpers.labs.autoscaling import experiment
from k8s_helpers.labs.autoscaling import summary as measured
from k8s_helpers.labs.lab import MANIFESTS
from k8s_helpers.measure.traffic import Profile

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster, Namespace


def test_a_step_goes_to_the_predicted_plateau_and_back(cluster: Cluster) -> None:
    recording = labs.autoscaling.measure(
        Profile.step(20, at_s=3, length_s=22),
        request_millicores=100,
        cpu_ms=10.0,
        max_replicas=3,
        stabilization_s=2,
        cluster=cluster,
        progress=Silent(),
    )
    (run,) = recording.runs
    found = labs.autoscaling.summarize(run)
    # Four pods’ worth: far above the maximum, whatever the machine is busy with.
    assert (found.predicted_replicas, found.plateau_replicas, found.max_replicas) == (3, 3, 3)
    assert found.first_scale_up_s is not None and found.first_scale_up_s < 45
    assert found.back_to_min_s is not None and found.back_to_min_s < 120
    decisions = measured.scalings(run)
    assert decisions[0].current == 1 and decisions[-1].desired == 1
    assert "⌈1 ×" in decisions[0].words
    assert run.parameters["shortened"]["stabilizationWindowSeconds"] == [2, 300]
    assert any(one.reason == "SuccessfulRescale" for one in run.events)


def test_without_requests_the_autoscaler_s_own_complaint_is_told_soon(cluster: Cluster) -> None:
    began_s = time.monotonic()
    with pytest.raises(ManifestError, match="missing request for cpu") as caught:
        labs.autoscaling.measure(request_millicores=None, cluster=cluster, progress=Silent())
    assert "<unknown>" in str(caught.value) and "FailedGetResourceMetric" in str(caught.value)
    assert "resources.requests.cpu" in caught.value.advice
    assert time.monotonic() - began_s < 150


def test_without_a_metrics_api_it_says_what_is_missing(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "METRICS_API", "/apis/metrics.example.com/v1beta1")
    monkeypatch.setattr(experiment, "METRICS_TIMEOUT_S", 1.0)
    with pytest.raises(PlatformError, match="metrics-server"):
        labs.autoscaling.measure(cluster=cluster, progress=Silent())


def test_a_target_of_zero_is_refused_here_and_by_the_api(
    cluster: Cluster, namespace: Namespace
) -> None:
    with pytest.raises(UsageError, match="cible 0"):
        labs.autoscaling.measure(target_percent=0, cluster=cluster, progress=Silent())
    (found,) = manifests.read(MANIFESTS / "12_autoscaling" / "hpa.yaml")
    found.object["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] = 0
    with pytest.raises(ManifestError, match="averageUtilization"):
        namespace.apply(found.object)


def test_a_pod_is_resized_in_place_and_works_faster(cluster: Cluster) -> None:
    recording = labs.resize.measure(duration_s=4, cluster=cluster, progress=Silent())
    found = labs.resize.summarize(recording.runs[0])
    # "1000m" is told as "1" by the node: the same quantity.
    assert found.done_in_s is not None and (found.before_cores, found.after_cores) == (0.1, 1.0)
    assert found.same_container and found.restarts == 0 and found.faster
    assert found.refusal in ("403", "Infeasible") and found.kept
