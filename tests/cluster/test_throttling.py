"""A processor limit on a live cluster: work takes the time that the limit leaves, and nobody dies of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8s_helpers import labs
from k8s_helpers._progress import Silent
from k8s_helpers.labs.throttling import summarize as throttling_summary

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_a_limited_pod_answers_late_and_lives(cluster: Cluster) -> None:
    recording = labs.throttling.measure(["100m"], cluster=cluster, duration_s=6, progress=Silent())
    found = throttling_summary(recording.runs[0])
    median_s = found.percentile_s(0.5)
    assert found.failed == 0 and len(found.latencies_s) >= 4
    # A busy machine makes it longer, nothing makes it shorter: 60 ms of work at a tenth of a processor.
    assert median_s is not None and median_s >= 0.8 * found.predicted.lo_s > 0.3
    assert found.restarts == 0
