"""The embedded cluster's life on this machine, without nodes: what is tried here is the control plane's keeping."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import leftovers
import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.control import control_socket, first_data, lifecycle, slots
from embedded_kubernetes.control.first_data import kept
from embedded_kubernetes.lock import signed_by, try_lock
from embedded_kubernetes.processes import run, spawn
from embedded_kubernetes.programs.binaries import Binaries
from k8s_helpers._errors import BusyError, ComponentError, K8sHelpersError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.providers.embedded import EmbeddedProvider

NAME = "lifecycle"
PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

pytestmark = pytest.mark.cluster


@pytest.fixture
def name() -> Iterator[str]:
    """The name of a cluster that is gone after the test whatever the test did."""
    yield NAME
    lifecycle.down(NAME, Silent())


@pytest.fixture
def config(name: str) -> ClusterConfig:
    """A running cluster."""
    return lifecycle.up(name, Silent(), nodes=0)


def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "did not happen"
        time.sleep(0.02)


def kubectl(config: ClusterConfig, *words: str) -> str:
    argv = [f"{config.binaries}/kubectl", "--kubeconfig", str(config.kubeconfig), *words]
    return run(argv, timeout_s=30).stdout


def answers(config: ClusterConfig) -> bool:
    try:
        return kubectl(config, "get", "--raw", "/readyz") == "ok"
    except K8sHelpersError:
        return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pids() -> dict[str, int]:
    return {name: facts["pid"] for name, facts in lifecycle.status(NAME).components.items()}


def incidents() -> list[str]:
    found = EmbeddedProvider(NAME).incidents(0.0)
    return [f"{incident.component}: {incident.what}" for incident in found]


def supervisor() -> int:
    pid = signed_by(lifecycle.directory_of(NAME))
    assert pid is not None
    return pid


def test_up_makes_a_cluster_that_answers_and_down_leaves_nothing(name: str) -> None:
    config = lifecycle.up(name, Silent(), nodes=0)
    assert answers(config)
    assert "default" in kubectl(config, "get", "serviceaccounts")
    state = lifecycle.status(name)
    assert state.state == "running"
    assert set(pids()) == set(PLANE)
    processes = [*pids().values(), supervisor()]
    lifecycle.down(name, Silent())
    assert not any(alive(pid) for pid in processes)
    assert not config.path.exists()
    assert not config.runtime.exists()
    assert slots.port_is_free(config.api_port)
    assert lifecycle.status(name).state == "absent"


def test_up_on_a_running_cluster_changes_nothing_and_is_quick(config: ClusterConfig) -> None:
    before = pids()
    began_s = time.monotonic()
    assert lifecycle.up(NAME, Silent()) == config
    assert time.monotonic() - began_s < 5.0
    assert pids() == before


def test_a_new_clusters_objects_are_its_own_and_as_old_as_it_is(config: ClusterConfig) -> None:
    programs = Binaries(Path(config.binaries), config.kubernetes_version)
    data = kept.read(kept.folder_of(programs), programs)
    columns = "U:.metadata.uid,T:.metadata.creationTimestamp"
    shown = kubectl(
        config, "get", "namespaces,clusterroles,apiservices", "-o", f"custom-columns={columns}"
    )
    rows = [line.split() for line in shown.splitlines() if not line.startswith("U ")]
    assert len(rows) > 90
    assert not {uid for uid, _ in rows} & set(data.uids)
    ages_s = [time.time() - datetime.fromisoformat(made).timestamp() for _, made in rows]
    assert min(ages_s) > -2 and max(ages_s) < 120


def test_a_cluster_starts_without_first_data_too(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_data, "ensure", lambda *_: None)
    config = lifecycle.up(name, Silent(), nodes=0)
    assert answers(config) and "cluster-admin" in kubectl(config, "get", "clusterroles")


def test_only_this_user_gets_in(config: ClusterConfig) -> None:
    for folder in (config.path, config.runtime, config.pki):
        assert folder.stat().st_mode & 0o077 == 0
    anonymous = [
        "curl",
        "--silent",
        "--insecure",
        "--write-out",
        "%{http_code}",
        f"{config.server}/api",
    ]
    assert run(anonymous, timeout_s=10).stdout.endswith("401")


def test_nothing_listens_elsewhere_than_on_loopback(config: ClusterConfig) -> None:
    inodes = set()
    for pid in pids().values():
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(descriptor.readlink()).removeprefix("socket:[").rstrip("]"))
            except OSError:
                continue
    addresses = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == "0A" and cells[9] in inodes:
                addresses.append(cells[1])
    assert addresses == [f"0100007F:{config.api_port:04X}"]


@pytest.mark.parametrize("component", PLANE)
def test_a_killed_component_comes_back_and_it_is_written_down(
    config: ClusterConfig, component: str
) -> None:
    kubectl(config, "create", "configmap", "kept", "--from-literal=a=b")
    before = pids()[component]
    os.kill(before, signal.SIGKILL)
    until(lambda: pids()[component] not in (None, before))
    until(lambda: answers(config))
    assert "kept" in kubectl(config, "get", "configmaps")
    assert any(one.startswith(f"{component}: ") and "SIGKILL" in one for one in incidents())
    others = {name: pid for name, pid in pids().items() if name != component}
    assert all(alive(pid) for pid in others.values())
    kubectl(config, "create", "deployment", "after", "--image=x")
    until(lambda: "after" in kubectl(config, "get", "pods"))


def test_a_component_that_dies_at_every_start_stops_the_cluster_with_a_clear_word(
    config: ClusterConfig,
) -> None:
    processes = [*pids().values(), supervisor()]
    log = config.path / "logs" / "kube-scheduler.log"
    (config.pki / "scheduler.kubeconfig").write_text("this is not a kubeconfig")
    os.kill(pids()["kube-scheduler"], signal.SIGKILL)
    until(lambda: lifecycle.status(NAME).state == "broken")
    until(lambda: not any(alive(pid) for pid in processes), timeout_s=15)
    assert "kube-scheduler" in lifecycle.status(NAME).detail
    assert log.exists()
    # The next start makes the kubeconfig again, and the cluster lives.
    assert answers(lifecycle.up(NAME, Silent()))


def test_killing_the_supervisor_leaves_no_process_and_up_brings_the_data_back(
    config: ClusterConfig,
) -> None:
    kubectl(config, "create", "configmap", "kept", "--from-literal=a=b")
    processes = [*pids().values(), supervisor()]
    os.kill(supervisor(), signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in processes))
    assert lifecycle.status(NAME).state == "stopped"
    again = lifecycle.up(NAME, Silent())
    assert again.slot == config.slot
    assert "kept" in kubectl(again, "get", "configmaps")
    assert any(one.startswith("superviseur: ") for one in incidents())


def test_sigterm_stops_in_good_order(config: ClusterConfig) -> None:
    processes = [*pids().values(), supervisor()]
    os.kill(supervisor(), signal.SIGTERM)
    until(lambda: not any(alive(pid) for pid in processes))
    assert signed_by(config.path) is None
    assert incidents() == []


def test_a_component_can_be_stopped_and_started(config: ClusterConfig) -> None:
    provider = EmbeddedProvider(NAME)
    provider.stop_component("kube-scheduler")
    components = {one.name: one for one in provider.status().components}
    assert not components["kube-scheduler"].running
    assert components["kube-scheduler"].detail == "arrêté à la demande"
    provider.start_component("kube-scheduler")
    assert {one.name: one.running for one in provider.status().components}["kube-scheduler"]
    assert [one.split(": ")[0] for one in incidents()] == ["kube-scheduler"] * 2
    with pytest.raises(UsageError) as raised:
        provider.stop_component("kube-dns")
    assert "kube-scheduler" in raised.value.advice


def test_two_ups_at_once_make_one_cluster(name: str) -> None:
    found: list[ClusterConfig] = []
    threads = [
        threading.Thread(target=lambda: found.append(lifecycle.up(name, Silent(), nodes=0)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]
    assert answers(found[0])


def test_up_while_another_prepares_says_busy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "BUSY_TIMEOUT_S", 0.2)
    lock = try_lock(lifecycle.directory_of(name))
    assert lock is not None
    try:
        with pytest.raises(BusyError):
            lifecycle.up(name, Silent(), nodes=0)
    finally:
        os.close(lock)


def test_a_taken_port_is_avoided(name: str) -> None:
    first = lifecycle.up(name, Silent(), nodes=0)
    lifecycle.down(name, Silent())
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", first.api_port))
        squatter.listen()
        config = lifecycle.up(name, Silent(), nodes=0)
        assert config.api_port != first.api_port
        assert answers(config)


def test_a_port_taken_at_a_restart_moves_the_api_and_keeps_the_data(config: ClusterConfig) -> None:
    kubectl(config, "create", "configmap", "kept", "--from-literal=a=b")
    control_socket.ask(config.runtime, {"do": "down"})
    until(lambda: lifecycle.status(NAME).state == "stopped")
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", config.api_port))
        squatter.listen()
        again = lifecycle.up(NAME, Silent())
        assert again.api_port != config.api_port
        assert "kept" in kubectl(again, "get", "configmaps")


def test_damaged_folders_are_told_and_can_be_deleted(config: ClusterConfig) -> None:
    control_socket.ask(config.runtime, {"do": "down"})
    until(lambda: lifecycle.status(NAME).state == "stopped")
    (config.path / "cluster.json").write_text("{")
    assert lifecycle.status(NAME).state == "broken"
    with pytest.raises(ComponentError) as raised:
        lifecycle.up(NAME, Silent())
    assert "k8s-lab down" in raised.value.advice
    assert (config.path / "etcd").is_dir()
    (config.path / "cluster.json").unlink()
    with pytest.raises(ComponentError):
        lifecycle.up(NAME, Silent())
    lifecycle.down(NAME, Silent())
    assert not config.path.exists()


def test_damaged_data_end_with_etcds_own_words(config: ClusterConfig) -> None:
    control_socket.ask(config.runtime, {"do": "down"})
    until(lambda: lifecycle.status(NAME).state == "stopped")
    for file in (config.path / "etcd" / "member").rglob("*"):
        if file.is_file():
            file.write_bytes(b"rubbish" * 100)
    with pytest.raises(ComponentError) as raised:
        lifecycle.up(NAME, Silent())
    assert "etcd" in raised.value.found
    assert lifecycle.status(NAME).state == "broken"


def test_another_number_of_nodes_is_refused(config: ClusterConfig) -> None:
    with pytest.raises(UsageError):
        lifecycle.up(NAME, Silent(), nodes=3)
    assert answers(config)


@pytest.mark.parametrize("moment_s", [0.05, 0.4, 1.5])
def test_ctrl_c_in_the_middle_leaves_nothing(name: str, moment_s: float) -> None:
    code = (
        # a test run in the background of a shell has Ctrl-C ignored, and so have its children
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from embedded_kubernetes.control import lifecycle; from k8s_helpers._progress import Silent;"
        f"print('go', flush=True); lifecycle.up({name!r}, Silent(), nodes=0)"
    )
    process = spawn([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"go\n"
        time.sleep(moment_s)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
    assert lifecycle.status(name).state == "absent"
    assert not any((lifecycle.directory_of(name)).glob("*"))
    # Without a process nothing holds its slot: which one it had, other clusters of this machine may know by now.
    home = Path(os.environ["K8S_HELPERS_HOME"])
    assert leftovers.settled(lambda: _commands_about(home, name)) == []


def _commands_about(home: Path, name: str) -> list[str]:
    return [one.command for one in leftovers.our_processes(home) if name in one.command]


def test_a_supervisor_killed_during_the_start_is_told(name: str) -> None:
    def kill() -> None:
        until(lambda: signed_by(lifecycle.directory_of(name)) is not None)
        time.sleep(0.3)
        os.kill(supervisor(), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ComponentError) as raised:
        lifecycle.up(name, Silent(), nodes=0)
    killer.join()
    assert "superviseur" in raised.value.found
    assert lifecycle.status(name).state == "stopped"
    assert answers(lifecycle.up(name, Silent()))


def test_the_cluster_outlives_who_started_it(name: str) -> None:
    code = (
        # a test run in the background of a shell has Ctrl-C ignored, and so have its children
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from embedded_kubernetes.control import lifecycle; from k8s_helpers._progress import Silent;"
        f"lifecycle.up({name!r}, Silent(), nodes=0)"
    )
    run([sys.executable, "-c", code], timeout_s=60)
    assert lifecycle.status(name).state == "running"
    status = Path(f"/proc/{supervisor()}/status").read_text()
    assert f"PPid:\t{os.getpid()}\n" not in status


def test_incidents_are_lines_of_json(config: ClusterConfig) -> None:
    began_s = time.time()
    os.kill(pids()["kube-scheduler"], signal.SIGKILL)
    until(lambda: bool(incidents()))
    line = json.loads((config.path / "incidents.jsonl").read_text().splitlines()[0])
    assert set(line) == {"wall_s", "component", "what"}
    assert began_s - 1 < line["wall_s"] < time.time() + 1
    assert EmbeddedProvider(NAME).incidents(time.time() + 60) == ()


def nodes(config: ClusterConfig) -> str:
    return kubectl(config, "get", "nodes", "--output=name").strip()


def ready(config: ClusterConfig, name: str) -> bool:
    return "True" in kubectl(
        config,
        "get",
        "nodes",
        f"--field-selector=metadata.name={name}",
        "-o",
        'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}',
    )


def traces(config: ClusterConfig, name: str) -> list[str]:
    return [
        one.name for folder in ("nodes", "pki") for one in (config.path / folder).glob(f"{name}*")
    ]


def test_a_node_joins_the_running_cluster_and_leaves_nothing(config: ClusterConfig) -> None:
    provider = EmbeddedProvider(NAME)
    before = (config.path / "cluster.json").read_bytes()
    name = provider.add_node()
    until(lambda: ready(config, name))
    pid = pids()[name]
    with pytest.raises(UsageError, match="déjà un nœud"):
        provider.add_node()
    provider.stop_component(name)
    provider.start_component(name)
    assert not alive(pid) and alive(pids()[name])
    pid = pids()[name]
    provider.remove_node()
    provider.remove_node()  # once more changes nothing
    assert nodes(config) == ""
    assert not alive(pid) and set(pids()) == set(PLANE)
    assert traces(config, name) == []
    assert (config.path / "cluster.json").read_bytes() == before


def test_a_cluster_killed_with_one_more_node_restarts_without_it(config: ClusterConfig) -> None:
    name = EmbeddedProvider(NAME).add_node()
    until(lambda: ready(config, name))
    pod = (
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "left"}, "spec": {"nodeName": "'
        f'{name}", "containers": [{{"name": "a", "image": "none"}}]}}}}'
    )
    manifest = config.path / "pod.json"
    manifest.write_text(pod)
    kubectl(config, "create", "-f", str(manifest))
    pid = pids()[name]
    os.kill(supervisor(), signal.SIGKILL)
    until(lambda: not alive(pid))
    again = lifecycle.up(NAME, Silent())
    assert again.node_names == config.node_names
    assert nodes(again) == "" and set(pids()) == set(PLANE)
    assert kubectl(again, "get", "pods", "--all-namespaces", "--output=name") == ""
    assert traces(again, name) == []
