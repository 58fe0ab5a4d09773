"""A component of a kind node, stopped and started by its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from k8s_helpers._errors import UsageError
from k8s_helpers.providers.kind import parts as kind_parts
from k8s_helpers.providers.kind.engine import require_engine

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster


def test_a_component_stops_and_comes_back(kind_cluster: Cluster) -> None:
    provider = kind_cluster.provider
    engine, node = require_engine(), f"{provider.name}-control-plane"
    try:
        provider.stop_component("kube-scheduler")
        assert kind_parts.is_stopped(engine, node, "kube-scheduler")
        provider.stop_component("kube-scheduler")  # once more changes nothing
    finally:
        provider.start_component("kube-scheduler")
    assert not kind_parts.is_stopped(engine, node, "kube-scheduler")
    with pytest.raises(UsageError, match="kube-controller-manager"):
        provider.stop_component("kube-dns")
