"""A cluster that was used costs next to nothing once nobody asks anything."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from benchmarks import afternoon, processes
from embedded_kubernetes import preflight
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import Cluster
from k8s_helpers.providers.embedded import EmbeddedProvider

NAME = "usage"
USE = afternoon.Use(kinds=80, waves=2, pods_a_wave=15, objects=120, explained=40, commands=20)

IDLE_CPU_PERCENT = 15.0
"""Of a core, for each program on a machine that runs other tests: a quiet one shows a tenth of it."""

COLLECTIONS_PER_MIN = 30.0
"""A collector that is short of memory runs several times a second."""

WINDOW_S = 5.0
SETTLED_S = 60.0

pytestmark = pytest.mark.cluster


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster of the test's own: the kinds that are made would stay in the one that all tests share."""
    provider = EmbeddedProvider(NAME)
    provider.up(Silent())
    made = Cluster(provider)
    yield made
    made.close()
    provider.down(Silent())


def test_an_idle_cluster_is_quiet_after_heavy_use(own_cluster: Cluster) -> None:
    pids = processes.components(NAME)
    afternoon.use(own_cluster, USE)
    end_s = time.monotonic() + SETTLED_S
    while True:
        idle = afternoon.idle(own_cluster, pids, WINDOW_S)
        quiet = max(idle.cpu_percent.values()) <= IDLE_CPU_PERCENT
        if quiet and idle.collections_per_min <= COLLECTIONS_PER_MIN:
            break
        assert time.monotonic() < end_s, idle
    assert sum(idle.memory_mb.values()) * 1e6 <= preflight.MEMORY_BYTES, idle
