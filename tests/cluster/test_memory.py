"""The Java leak on a live cluster: both deaths, a restart, and what is measured of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from live import eventually

from k8s_helpers import labs
from k8s_helpers._progress import Silent

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster

MIB = 1 << 20
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


@pytest.fixture
def no_metrics(cluster: Cluster) -> Iterator[None]:
    """Take the metrics API away for a while, as in a cluster where nobody installed it."""
    path = f"{API_SERVICES}/v1beta1.metrics.k8s.io"
    found = cluster.api.request("GET", path)
    cluster.api.request("DELETE", path)
    yield
    own = {key: found["metadata"][key] for key in ("name", "labels") if key in found["metadata"]}
    cluster.api.request("POST", API_SERVICES, body={**found, "metadata": own, "status": {}})
    eventually(lambda: _available(cluster, path), timeout_s=60)


def _available(cluster: Cluster, path: str) -> bool:
    told = cluster.api.request("GET", path).get("status", {}).get("conditions", ())
    return any(one["type"] == "Available" and one["status"] == "True" for one in told)


@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK here")
def test_the_jvm_ends_itself_or_the_kernel_kills_it(cluster: Cluster) -> None:
    before = set(cluster.namespaces())
    recording = labs.memory.measure(
        cluster=cluster, restarts=1, leak_mb_per_s=150, limit_mib=256, progress=Silent()
    )
    default, large = (labs.memory.summarize(run) for run in recording.runs)
    assert [(life.reason, life.exit_code) for life in default.lives] == [("Error", 1)] * 2
    assert [(life.reason, life.exit_code) for life in large.lives] == [("OOMKilled", 137)] * 2
    for found in (default, large):
        assert found.restarts == 1 and found.died_as_predicted and not found.leak.stand_in
        assert found.waits[0].over and found.waits[0].delay_s == 0
        assert found.peak_bytes is not None
    assert default.heap_was_full and default.peak_bytes < 240 * MIB
    assert large.peak_bytes > 200 * MIB and not large.heap_was_full
    told = {one.name for run in recording.runs for one in run.samples}
    assert {"memory_bytes", "heap_bytes", "heap_max_bytes"} <= told
    assert set(cluster.namespaces()) <= before


def test_without_java_the_stand_in_dies_alike_and_says_what_it_is(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    recording = labs.memory.measure(
        cluster=cluster, restarts=0, leak_mb_per_s=150, limit_mib=256, progress=Silent()
    )
    default, large = (labs.memory.summarize(run) for run in recording.runs)
    assert default.leak.stand_in and large.leak.stand_in
    assert (default.reason, default.exit_code) == ("Error", 1)
    assert (large.reason, large.exit_code) == ("OOMKilled", 137)


def test_without_metrics_the_deaths_are_told_all_the_same_and_what_is_missing_is_said(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: object, no_metrics: None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    recording = labs.memory.measure(
        ["large-heap"],
        cluster=cluster,
        restarts=0,
        leak_mb_per_s=150,
        limit_mib=256,
        progress=Silent(),
    )
    (run,) = recording.runs
    found = labs.memory.summarize(run)
    assert (found.reason, found.exit_code) == ("OOMKilled", 137)
    assert found.peak_bytes is not None and found.peak_bytes > 100 * MIB
    names = {one.name for one in run.samples}
    assert "memory_bytes" in names and "metrics_bytes" not in names
    refused = run.mark("refused")
    assert refused is not None and refused.detail.startswith("metrics: ")
