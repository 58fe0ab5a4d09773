"""A node joins a full cluster that runs, and leaves it; where the provider cannot, it says so and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import PlatformError
from k8s_helpers._progress import Silent

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def _nodes(cluster: Cluster) -> list[str]:
    return sorted(node["metadata"]["name"] for node in cluster.nodes())


def test_waiting_pods_land_on_a_node_that_joins(cluster: Cluster) -> None:
    before = _nodes(cluster)
    if cluster.provider.kind != "embedded":
        with pytest.raises(PlatformError):
            labs.added_node.measure(cluster=cluster, progress=Silent())
        with pytest.raises(PlatformError):
            cluster.provider.add_node()
        assert _nodes(cluster) == before
        return
    recording = labs.added_node.measure(waiting=3, stays_s=1.0, cluster=cluster, progress=Silent())
    (run,) = recording.runs
    found = labs.added_node.summarize(run)
    assert "Insufficient cpu" in found.message
    # Two fit into a node; whatever else runs in the cluster can only make more of them wait.
    assert found.waiting >= 3 and found.landed == 2
    assert found.still_waiting == found.waiting - 2
    assert found.waiting_after == found.waiting
    assert found.joined_s is not None and found.placed_s is not None
    assert found.joined_s < found.placed_s < 60
    assert found.gone and _nodes(cluster) == before
    assert run.incidents == ()
