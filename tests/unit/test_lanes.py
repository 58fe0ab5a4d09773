"""Which cluster each of several notebooks that run at once is sent to."""

from __future__ import annotations

from contextlib import ExitStack

from k8s_helpers.cli.jupyter.notebooks import _lanes
from k8s_helpers.cli.options import Selection


def test_each_lane_names_its_cluster_the_first_one_too() -> None:
    """Where none is named, the last one started is meant: that may be another lane's."""
    with ExitStack() as stack:
        lanes = _lanes(Selection("embedded", "essai"), 3, False, stack)
        stack.pop_all()  # nothing was started
    assert [lane["K8S_HELPERS_CLUSTER"] for lane in lanes] == ["essai", "essai-2", "essai-3"]
    assert {lane["K8S_HELPERS_PROVIDER"] for lane in lanes} == {"embedded"}
