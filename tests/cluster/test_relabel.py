"""A label of a running pod is changed, on a live cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8s_helpers import experiments
from k8s_helpers._progress import Silent
from k8s_helpers.timeline.relabel import relabel_story, relabel_summary

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_a_relabelled_pod_leaves_its_service_and_is_replaced(cluster: Cluster) -> None:
    recording = experiments.relabel(cluster=cluster, replicas=2, progress=Silent())
    found = relabel_summary(recording.runs[0])
    assert found.left_s is not None and found.replaced_s is not None
    assert len(found.replacements) == 1 and found.alive
    assert (found.owner_after, found.answers_after, found.failed) == (None, 0, 0)
    assert relabel_story(recording).verdicts["avait un ReplicaSet"] is True
