"""What spoils a measure or a wait from outside is noticed at once, and said; nothing is drawn of it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import leftovers
import pytest
from kernels import Kernel, kernel

from k8s_helpers import check, labs, starter
from k8s_helpers._errors import SpoiledError
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import sentinel
from k8s_helpers.kube.api import ApiStatusError, ClusterStoppedError
from k8s_helpers.measure.recorder import Recorder
from k8s_helpers.providers.embedded import EmbeddedProvider

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster, Namespace

AT_ONCE_S = 15.0
"""Seconds that remain of minutes; alone it takes one or two."""


class Until(Silent):
    """Does something once a step is told, and knows when."""

    def __init__(self, words: str, act: Callable[[], object]) -> None:
        self._words = words
        self._act = act
        self.acted_s: float | None = None

    def step(self, text: str, fraction: float | None = None) -> None:
        """Begin to act."""
        if self._words in text and self.acted_s is None:
            self.acted_s = time.monotonic()
            threading.Thread(target=self._act, daemon=True).start()


def delete_all(cluster: Cluster, before: set[str], word: str) -> None:
    """Delete as another terminal does."""
    for name in set(cluster.namespaces()) - before:
        if word in name:
            cluster.api.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.mark.parametrize("moment", ["Déploiement de la version 1", "trafic sur la version 1"])
def test_a_namespace_deleted_by_hand_ends_the_measure(cluster: Cluster, moment: str) -> None:
    before = set(cluster.namespaces())

    def act() -> None:
        while not any("recreate-" in name for name in set(cluster.namespaces()) - before):
            time.sleep(0.05)
        delete_all(cluster, before, "recreate-")

    progress = Until(moment, act)
    with pytest.raises((SpoiledError, ApiStatusError)) as caught:
        labs.update.measure(["recreate"], cluster=cluster, startup_s=20, progress=progress)
    assert progress.acted_s is not None and time.monotonic() - progress.acted_s < AT_ONCE_S + 5
    assert "a été supprimé entre-temps" in caught.value.found


@pytest.mark.parametrize("wait", ["wait", "service_url"])
def test_a_namespace_deleted_by_hand_ends_a_wait(
    cluster: Cluster, namespace: Namespace, wait: str
) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "vide"}}
    namespace.apply({**service, "spec": {"selector": {"app": "x"}, "ports": [{"port": 80}]}})
    began_s = time.monotonic()
    later = threading.Timer(
        1.5, lambda: cluster.api.request("DELETE", f"/api/v1/namespaces/{namespace.name}")
    )
    later.start()
    with pytest.raises(SpoiledError, match="supprimé entre-temps"):
        if wait == "wait":
            namespace.wait("deployment", "absent", timeout_s=100)
        else:
            namespace.service_url("vide", timeout_s=100)
    assert time.monotonic() - began_s < AT_ONCE_S


def test_a_check_whose_namespace_is_deleted_judges_nothing(cluster: Cluster) -> None:
    before = set(cluster.namespaces())

    def act() -> None:
        while not (set(cluster.namespaces()) - before):
            time.sleep(0.05)
        time.sleep(0.5)
        delete_all(cluster, before, "exercice-09")

    with pytest.raises(SpoiledError, match="supprimé entre-temps"):
        check(
            "09-zero-perte",
            *starter("09-zero-perte"),
            cluster=cluster,
            progress=Until("Préparation de l’exercice", act),
        )


@pytest.mark.parametrize(
    ("boot_s", "wall_s", "words"),
    [
        (0.0, 3600.0, "avancé d’un coup de 60"),
        (0.0, -120.0, "reculé d’un coup de 2"),
        (120.0, 120.0, "suspendue pendant 2"),
    ],
)
def test_a_clock_that_jumps_or_a_machine_that_slept_spoils_a_recording(
    cluster: Cluster,
    namespace: Namespace,
    monkeypatch: pytest.MonkeyPatch,
    boot_s: float,
    wall_s: float,
    words: str,
) -> None:
    true = sentinel.now
    began_s = time.monotonic()
    with pytest.raises(SpoiledError, match=words), Recorder(cluster, namespace, "x") as recorder:

        def shifted() -> sentinel.Instant:
            instant = true()
            return sentinel.Instant(instant.boot_s + boot_s, instant.wall_s + wall_s)

        monkeypatch.setattr(sentinel, "now", shifted)
        while time.monotonic() < began_s + AT_ONCE_S:
            recorder.check()
            time.sleep(0.02)


@pytest.fixture
def own(home: Path) -> Iterator[tuple[Kernel, EmbeddedProvider]]:
    """A kernel on a cluster that no other test uses."""
    provider = EmbeddedProvider("portable")
    with kernel({"K8S_HELPERS_CLUSTER": provider.name}) as started:
        try:
            started.run("import k8s_helpers as kh; cluster = kh.connect()")
            yield started, provider
        finally:
            provider.down(Silent())


def test_a_closed_laptop_spoils_the_measure(
    own: tuple[Kernel, EmbeddedProvider], home: Path
) -> None:
    kernel, _ = own
    cell = kernel.send('kh.labs.update.measure(["rolling"])')
    cell.wait_for("trafic sur la version 1")
    everything = {one.pid for one in leftovers.our_processes(home)} | {kernel.pid}
    everything.discard(os.getpid())
    try:
        for pid in everything:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(sentinel.SUSPENDED_S + 3)
    finally:
        for pid in everything:
            os.kill(pid, signal.SIGCONT)
    began_s = time.monotonic()
    cell.wait()
    assert cell.error is not None and cell.error["ename"] == "SpoiledError", cell.text
    assert "la machine a été suspendue" in cell.traceback and len(cell.traceback.splitlines()) == 3
    assert "Recording(" not in cell.text
    assert time.monotonic() - began_s < 2 * AT_ONCE_S
    kernel.run('kh.connect().namespace("apres").create().delete()')


def test_a_cluster_taken_down_ends_the_measure(own: tuple[Kernel, EmbeddedProvider]) -> None:
    kernel, provider = own
    cell = kernel.send('kh.labs.update.measure(["rolling"])')
    cell.wait_for("trafic sur la version 1")
    provider.down(Silent())
    began_s = time.monotonic()
    cell.wait()
    assert time.monotonic() - began_s < AT_ONCE_S
    assert cell.error is not None and cell.error["ename"] == ClusterStoppedError.__name__
    assert "k8s-lab down" in cell.traceback and "avec ses données" not in cell.traceback
    assert len(cell.traceback.splitlines()) == 3
