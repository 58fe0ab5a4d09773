"""Components that live and do not work: noticed, told and brought back by the supervisor of an embedded cluster."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from live import pod, spawner_of
from pod_states import sh, status_of

from embedded_kubernetes.control import control_socket, lifecycle
from embedded_kubernetes.control.watchdog import STOPPED_S
from embedded_kubernetes.lock import signed_by
from embedded_kubernetes.node.runtime.proctree import tree
from k8s_helpers._errors import WaitTimeoutError
from k8s_helpers._progress import Silent
from k8s_helpers.cli import call
from k8s_helpers.cli.checks import machine
from k8s_helpers.cluster import Cluster, Namespace, connect

NAME = "hangs"
NODE = f"{NAME}-node-1"
BACK_WITHIN_S = 15.0

pytestmark = [pytest.mark.cluster, pytest.mark.quiet]


@pytest.fixture(scope="module")
def hangs() -> Iterator[Cluster]:
    """A cluster of this file's own, whose components are stopped by signals."""
    cluster = connect(provider="embedded", name=NAME, progress=Silent())
    yield cluster
    cluster.close()
    lifecycle.down(NAME, Silent())


@pytest.fixture
def space(hangs: Cluster) -> Iterator[Namespace]:
    """A namespace with one pod that runs."""
    with hangs.namespace("hangs") as made:
        made.apply(pod("lives", sh("main", "exec sleep 1000")))
        made.wait("pod", "lives", "Ready")
        yield made


def facts(name: str) -> dict[str, object]:
    answer = control_socket.ask(lifecycle.runtime_of(NAME), {"do": "status"}, timeout_s=10.0)
    component: dict[str, object] = answer["components"][name]
    return component


def pid_of(name: str) -> int:
    pid = facts(name)["pid"]
    assert isinstance(pid, int)
    return pid


def until(condition: Callable[[], bool], timeout_s: float) -> float:
    """Return after how many seconds it holds."""
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() - began_s < timeout_s, f"not within {timeout_s} s"
        time.sleep(0.05)
    return time.monotonic() - began_s


def has_trouble(name: str) -> bool:
    return bool(facts(name)["trouble"])


def has_new_life(name: str, old: int) -> bool:
    """Return whether another process is there, and a node's gives signs of life."""
    now = facts(name)
    return now["pid"] not in (None, old) and (name != NODE or bool(now["beat"]))


@pytest.mark.parametrize(
    "name", ["kube-scheduler", "kube-controller-manager", "etcd", "kube-apiserver", NODE]
)
def test_a_stopped_component_is_told_and_is_back_within_seconds(hangs: Cluster, name: str) -> None:
    began_wall_s, old = time.time(), pid_of(name)
    os.kill(old, signal.SIGSTOP)
    until(lambda: has_trouble(name), BACK_WITHIN_S)
    until(lambda: has_new_life(name, old), BACK_WITHIN_S)
    # Another one may end by itself a while after the API server was away: controllers give up then.
    (incident,) = (one for one in hangs.incidents(began_wall_s) if one.component == name)
    words = f"suspendu par un signal depuis {STOPPED_S:.0f} s, tué par le superviseur, "
    assert incident.what.startswith(words)
    assert "relancé" in incident.what
    until(lambda: hangs.provider.status().state == "running" and not has_trouble(name), 10)
    with hangs.api.patient():
        hangs.nodes()


def test_a_spawner_that_is_stopped_is_replaced_and_its_containers_too(
    hangs: Cluster, space: Namespace
) -> None:
    began_wall_s, node = time.time(), pid_of(NODE)
    os.kill(spawner_of(node), signal.SIGSTOP)
    found = space.wait(
        "pod",
        "lives",
        lambda now: status_of(now, "main")["restartCount"] == 1 and status_of(now, "main")["ready"],
        timeout_s=2 * BACK_WITHIN_S,
    )
    assert status_of(found, "main")["lastState"]["terminated"]["exitCode"] == 137
    assert pid_of(NODE) == node
    (incident,) = hangs.incidents(began_wall_s)
    assert incident.component == NODE
    assert incident.what.startswith("lanceur de conteneurs suspendu par un signal depuis ")


def test_a_hang_is_told_by_status_doctor_and_the_cell_that_waits(
    hangs: Cluster, space: Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    began_wall_s, old = time.time(), pid_of(NODE)
    os.kill(old, signal.SIGSTOP)
    until(lambda: has_trouble(NODE), BACK_WITHIN_S)
    (hung,) = (one for one in hangs.provider.status().components if one.trouble)
    assert hung.name == NODE and hung.running
    space.apply(pod("waits", sh("main", "exec sleep 1000")))
    with pytest.raises(WaitTimeoutError) as raised:
        space.wait("pod", "waits", "Ready", timeout_s=0.2)
    assert call(["status", "--provider", "embedded", "--name", NAME]) == 0
    text = capsys.readouterr().out
    check = machine.check_clusters()
    assert f"✘ {NODE} suspendu par un signal depuis" in text, text
    assert "le superviseur va le relancer" in text
    assert check.state == "limited" and f"{NODE} : suspendu par un signal" in check.found
    assert f"Cluster : {NODE} : suspendu par un signal depuis" in raised.value.found
    until(lambda: has_new_life(NODE, old), BACK_WITHIN_S)
    space.wait("pod", "waits", "Ready", timeout_s=30)
    assert any("tué par le superviseur" in one for one in hangs.provider.troubles(began_wall_s))


def test_a_machine_that_was_suspended_finds_everything_as_it_was(
    hangs: Cluster, space: Namespace
) -> None:
    """Longer than any silence that a component may have; longer still would change nothing, as one gap counts once."""
    began_wall_s = time.time()
    supervisor = signed_by(lifecycle.directory_of(NAME))
    assert supervisor is not None
    everything = tree([supervisor])
    before = {name: pid_of(name) for name in (NODE, "etcd", "kube-apiserver", "kube-scheduler")}
    for pid in everything:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(BACK_WITHIN_S)
    for pid in everything:  # the supervisor is the first to wake up
        os.kill(pid, signal.SIGCONT)
    time.sleep(5.0)
    assert hangs.incidents(began_wall_s) == ()
    assert {name: pid_of(name) for name in before} == before
    assert status_of(space.get("pod", "lives"), "main")["restartCount"] == 0
    space.apply(pod("after", sh("main", "exec sleep 1000")))
    space.wait("pod", "after", "Ready", timeout_s=30)


def test_a_stopped_supervisor_is_told(hangs: Cluster) -> None:
    supervisor = signed_by(lifecycle.directory_of(NAME))
    assert supervisor is not None
    os.kill(supervisor, signal.SIGSTOP)
    try:
        detail = lifecycle.status(NAME).detail
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert f"kill -CONT {supervisor}" in detail
    until(lambda: lifecycle.status(NAME).state == "running", 10)
