"""An update during which one part of the cluster is killed: it comes back and the recording says so, or it is said
clearly that the cluster has stopped.
"""

from __future__ import annotations

import importlib
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import leftovers
import pytest
from live import eventually

from embedded_kubernetes.control import lifecycle
from embedded_kubernetes.lock import signed_by
from k8s_helpers import labs
from k8s_helpers._errors import ClusterUnreachableError
from k8s_helpers._progress import Lines, Silent
from k8s_helpers.providers.embedded import EmbeddedProvider

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster
    from k8s_helpers.measure.recording import Recording

NAME = "incidents"
NODE = f"{NAME}-node-1"
LONGEST_S = 90.0
"""An update of two pods takes ten seconds; the rest is for a machine that has other work."""

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def fragile() -> Iterator[Cluster]:
    """A cluster of this module's own, whose parts may be killed."""
    from k8s_helpers.cluster import Cluster

    provider = EmbeddedProvider(NAME)
    provider.up(Lines())
    cluster = Cluster(provider)
    yield cluster
    cluster.close()
    provider.down(Silent())


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("k8s_helpers.labs.update.experiment")
    monkeypatch.setattr(module, "BEFORE_S", 1.0)
    monkeypatch.setattr(module, "AFTER_S", 1.0)


def new_pods(cluster: Cluster) -> set[str]:
    """Return the pods of v2: where there is one, an update is on its way."""
    selector = {"labelSelector": "app=vitrine,version=v2"}
    items = cluster.api.request("GET", "/api/v1/pods", query=selector)["items"]
    return {item["metadata"]["uid"] for item in items}


def update_while(cluster: Cluster, accident: Callable[[], None]) -> Recording:
    """Measure a rolling update, in the middle of which something happens."""
    happened = threading.Event()
    before = new_pods(cluster)

    def wait_and_harm() -> None:
        eventually(lambda: new_pods(cluster) - before, timeout_s=60)
        accident()
        happened.set()

    harm = threading.Thread(target=wait_and_harm)
    harm.start()
    began_s = time.monotonic()
    try:
        return labs.update.measure(
            ["rolling"],
            cluster=cluster,
            replicas=2,
            rate_per_s=20,
            startup_s=0.5,
            progress=Silent(),
        )
    finally:
        took_s = time.monotonic() - began_s
        harm.join()
        assert happened.is_set()
        assert took_s < LONGEST_S


def kill(component: str) -> None:
    os.kill(lifecycle.status(NAME).components[component]["pid"], signal.SIGKILL)


def supervisor() -> int:
    pid = signed_by(lifecycle.directory_of(NAME))
    assert pid is not None
    return pid


def assert_usable(cluster: Cluster) -> None:
    container = {"name": "main", "image": "host/shell", "command": ["sleep", "1000"]}
    namespace = cluster.namespace(f"apres-{secrets.token_hex(2)}").create()
    try:
        namespace.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "neuf"},
                "spec": {"containers": [container]},
            }
        )
        namespace.wait("pod", "neuf", "Ready")
    finally:
        namespace.delete(timeout_s=0)


def measures(cluster: Cluster) -> list[str]:
    """Return the namespaces of measures."""
    return [name for name in cluster.namespaces() if name.startswith("rolling-")]


def delete_what_is_left(cluster: Cluster) -> None:
    """Delete the namespace of a measure whose cluster stopped."""
    for name in measures(cluster):
        cluster.namespace(name).delete()


def assert_nothing_runs() -> None:
    """No process of the cluster's is left: none knows its folder, whether component, container or helper of them."""
    directory = lifecycle.directory_of(NAME)
    left = leftovers.settled(
        lambda: [f"{one.pid}: {one.command}" for one in leftovers.our_processes(directory)]
    )
    assert left == []


@pytest.mark.parametrize(
    "component",
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", NODE],
)
def test_a_part_killed_during_an_update_comes_back_and_the_recording_says_so(
    fragile: Cluster, component: str
) -> None:
    recording = update_while(fragile, lambda: kill(component))
    (run,) = recording.runs
    (incident,) = run.incidents
    assert incident.component == component
    assert "SIGKILL" in incident.what
    apply, complete = run.mark("apply"), run.mark("complete")
    assert apply is not None and complete is not None
    assert apply.at_s < incident.at_s < complete.at_s
    assert [one.version for one in run.requests if one.ok][-1] == "v2"
    assert component in labs.update.draw(recording).alternative
    assert component in str(labs.update.tabulate(recording))
    assert measures(fragile) == []
    assert_usable(fragile)


def test_a_request_waits_for_the_api_server_where_it_is_told_to(fragile: Cluster) -> None:
    pid = lifecycle.status(NAME).components["kube-apiserver"]["pid"]
    kill("kube-apiserver")
    eventually(lambda: not Path(f"/proc/{pid}").exists())
    with pytest.raises(ClusterUnreachableError):
        fragile.namespaces()
    with fragile.api.patient():
        assert measures(fragile) == []


def test_a_part_that_cannot_come_back_ends_the_measure_with_its_name(fragile: Cluster) -> None:
    config = lifecycle.status(NAME).config
    assert config is not None

    def spoil() -> None:
        (config.pki / "scheduler.kubeconfig").write_text("this is not a kubeconfig")
        kill("kube-scheduler")

    with pytest.raises(ClusterUnreachableError) as raised:
        update_while(fragile, spoil)
    assert "kube-scheduler" in raised.value.found
    assert "5 fois de suite" in raised.value.found
    assert f"k8s-lab up --provider embedded --name {NAME}" in raised.value.advice
    assert_nothing_runs()
    fragile.provider.up(Silent())  # which makes the kubeconfig again
    delete_what_is_left(fragile)
    assert_usable(fragile)


def test_the_supervisor_killed_during_an_update_ends_it_at_once_and_up_brings_the_data_back(
    fragile: Cluster,
) -> None:
    killed_s: list[float] = []

    def strike() -> None:
        os.kill(supervisor(), signal.SIGKILL)
        killed_s.append(time.monotonic())

    with pytest.raises(ClusterUnreachableError) as raised:
        update_while(fragile, strike)
    assert time.monotonic() - killed_s[0] < 60
    assert "superviseur" in raised.value.found
    assert f"k8s-lab up --provider embedded --name {NAME}" in raised.value.advice
    assert_nothing_runs()
    fragile.provider.up(Silent())
    (left,) = measures(fragile)
    deployment = fragile.namespace(left).wait_rollout("vitrine")
    assert deployment["spec"]["template"]["metadata"]["labels"]["version"] == "v2"
    delete_what_is_left(fragile)
    assert_usable(fragile)
