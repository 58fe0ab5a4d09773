"""A label of a running pod is changed, on a live cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8s_helpers import labs
from k8s_helpers._progress import Silent
from k8s_helpers.labs.relabel import summarize as relabel_summary
from k8s_helpers.labs.relabel.summary import to_story as relabel_story

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_a_relabelled_pod_leaves_its_service_and_is_replaced(cluster: Cluster) -> None:
    recording = labs.relabel.measure(cluster=cluster, replicas=2, progress=Silent())
    found = relabel_summary(recording.runs[0])
    assert found.left_s is not None and found.replaced_s is not None
    assert len(found.replacements) == 1 and found.alive
    assert (found.owner_after, found.answers_after, found.failed) == (None, 0, 0)
    assert relabel_story(recording).verdicts["owned-by-replicaset"] is True
