"""A class's given namespaces: taken by one at a time, emptied, given back; whoever dies loses them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from k8s_helpers import exercises, providers
from k8s_helpers._errors import (
    ApiRefusedError,
    ManifestWarning,
    PoolWarning,
    SpoiledError,
    WaitTimeoutError,
)
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.cli.checks.clusters import check_existing
from k8s_helpers.cluster import Cluster, Namespace, conditions
from k8s_helpers.cluster.ownership import PoolSupply
from k8s_helpers.kube.api import ApiSession
from k8s_helpers.kube.classes import (
    CONFIG_MAP,
    HOME_VARIABLE,
    Enrolment,
    class_labels,
    home_name,
    pool_names,
)
from k8s_helpers.kube.discovery import Kinds
from k8s_helpers.kube.refusals import ignoring
from k8s_helpers.measure.measure import Measure
from k8s_helpers.providers import in_cluster
from k8s_helpers.providers.existing import ExistingProvider
from k8s_helpers.providers.pool import leases
from k8s_helpers.providers.pool.pool import Pool

ENROLMENT = Enrolment("ntest", "zoe", pool_names("ntest", "zoe", 3))
HOME = home_name("ntest", "zoe")
_RBAC = "rbac.authorization.k8s.io"
_WORK = [
    {
        "apiGroups": ["", "apps", "batch", "autoscaling", "policy", "networking.k8s.io"],
        "resources": ["*"],
        "verbs": ["*"],
    },
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["*"], "verbs": ["*"]},
    {"apiGroups": [_RBAC], "resources": ["roles", "rolebindings"], "verbs": ["list"]},
]


def bound(cluster: Cluster, namespace: str, rules: list[dict[str, Any]]) -> None:
    """Give the student's account a Role in a namespace."""
    labels = class_labels("ntest", "zoe")
    root = f"/apis/{_RBAC}/v1/namespaces/{namespace}"
    role = {"metadata": {"name": "etudiant", "labels": labels}, "rules": rules}
    cluster.api.request("POST", f"{root}/roles", body=role)
    binding = {
        "metadata": {"name": "etudiant", "labels": labels},
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": "etudiant"},
        "subjects": [{"kind": "ServiceAccount", "name": "etudiant", "namespace": HOME}],
    }
    cluster.api.request("POST", f"{root}/rolebindings", body=binding)


def give(cluster: Cluster, name: str, role: str) -> None:
    """Make a namespace of the class."""
    metadata = {"name": name, "labels": class_labels("ntest", "zoe", role)}
    cluster.api.request("POST", "/api/v1/namespaces", body={"metadata": metadata})


@pytest.fixture(scope="module")
def kubeconfig(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a student whom a class has given three namespaces; they have no other right."""
    give(cluster, HOME, "home")
    home = f"/api/v1/namespaces/{HOME}"
    for name in ENROLMENT.namespaces:
        give(cluster, name, "pool")
        bound(cluster, name, _WORK)
    bound(cluster, HOME, [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}])
    cluster.api.request("POST", f"{home}/serviceaccounts", body={"metadata": {"name": "etudiant"}})
    data = {"metadata": {"name": CONFIG_MAP}, "data": ENROLMENT.format()}
    cluster.api.request("POST", f"{home}/configmaps", body=data)
    path = f"{home}/serviceaccounts/etudiant/token"
    token = cluster.api.request("POST", path, body={"spec": {}})["status"]["token"]
    plain: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    plain["users"][0]["user"] = {"token": token}
    plain["contexts"][0]["context"]["namespace"] = HOME
    file = tmp_path_factory.mktemp("classe") / "kubeconfig"
    file.write_text(yaml.safe_dump(plain))
    yield file
    for name in (HOME, *ENROLMENT.namespaces):
        with ignoring(404, 409):
            cluster.api.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def student(kubeconfig: Path, environment: os._Environ[str]) -> Iterator[Cluster]:
    """The student, connected."""
    environment["K8S_HELPERS_IMAGE_PREFIX"] = ""
    provider = ExistingProvider("classe", kubeconfig=kubeconfig)
    provider.up(Silent())
    connected = Cluster(provider)
    yield connected
    connected.close()
    provider.down(Silent())


def lease_of(cluster: Cluster, name: str) -> leases.Holding:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{name}/leases/k8s-helpers"
    return leases.parse(name, cluster.api.find(path))


def fill(cluster: Cluster, namespace: str, name: str, **metadata: Any) -> None:
    body = {"metadata": {"name": name, **metadata}}
    cluster.api.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body=body)


def config_maps(cluster: Cluster, namespace: str) -> set[str]:
    items = cluster.api.request("GET", f"/api/v1/namespaces/{namespace}/configmaps")["items"]
    return {item["metadata"]["name"] for item in items} - {"kube-root-ca.crt"}


def test_the_pool_is_found_by_itself(student: Cluster) -> None:
    assert student.provider.enrolment == ENROLMENT
    assert student.provider.home_namespace == HOME
    status = student.provider.status()
    assert status.state == "running" and "zoe" in status.detail
    student.namespace("tp").create().use()  # our copy then names another namespace
    again = ExistingProvider("classe")
    again.up(Silent())
    assert again.enrolment == ENROLMENT and again.home_namespace == HOME


def test_the_doctor_looks_with_the_students_rights_and_changes_nothing(
    student: Cluster, kubeconfig: Path
) -> None:
    def noted() -> dict[str, bytes]:
        folder = student.kubeconfig.parent
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    student.namespace("tp").create()
    before = noted()
    for provider in (
        ExistingProvider("classe"),
        ExistingProvider("classe", kubeconfig=kubeconfig),
        ExistingProvider("autre", kubeconfig=kubeconfig),
    ):
        found = {check.subject: check for check in check_existing(provider)}
        assert "system:serviceaccount:ntest-zoe:etudiant" in found["Cluster existant"].found
        assert "3\xa0espaces de noms, dont 2\xa0libres" in found["Vos espaces de noms"].found
        refused = found["Expériences et exercices"]
        assert refused.state == "limited" and "13-classe-qui-garde" in refused.found
        assert "01-se-releve" not in refused.found
    assert noted() == before
    assert not student.kubeconfig.parent.with_name("autre").exists()
    student.namespace("tp").delete()


def test_a_namespace_is_emptied_of_all_but_what_is_the_classs(
    student: Cluster, cluster: Cluster
) -> None:
    for name in ENROLMENT.namespaces:
        fill(cluster, name, "ancien")
    first = ENROLMENT.namespaces[0]
    fill(cluster, first, "classe", labels=class_labels("ntest", "zoe"))
    with student.namespace("tp") as namespace:
        real = namespace.name
        assert real in ENROLMENT.namespaces
        assert config_maps(cluster, real) <= {"classe"}
        namespace.apply(exercises.load("01-se-releve").solution()[0])
        namespace.wait("deployment", "vitrine", lambda _: True)
        assert student.namespace("tp").name == real
        assert student.asked_names() == {real: "tp"}
    assert student.namespaces() == []
    for kind in ("pods", "deployments", "services", "replicasets"):
        assert namespace_list(cluster, real, kind) == []
    assert "classe" in config_maps(cluster, first)
    roles = cluster.api.request("GET", f"/apis/{_RBAC}/v1/namespaces/{real}/roles")["items"]
    assert [item["metadata"]["name"] for item in roles] == ["etudiant"]
    cluster.api.request("DELETE", f"/api/v1/namespaces/{first}/configmaps/classe")


def namespace_list(cluster: Cluster, name: str, kind: str) -> list[str]:
    items = cluster.api.request("GET", cluster.kinds.find(kind).path(name))["items"]
    return [item["metadata"]["name"] for item in items]


def test_none_free_says_who_has_which(student: Cluster) -> None:
    for number in range(3):
        student.namespace(f"tp{number}").create()
    with pytest.raises(ApiRefusedError) as caught:
        student.namespace("tp3").create()
    for number in range(3):
        assert f"« tp{number} »" in caught.value.found
    assert "exercise stop" in caught.value.advice
    student.namespace("tp1").delete()
    assert student.namespace("tp3").create().name in ENROLMENT.namespaces
    with pytest.raises(ApiRefusedError, match="ne porte ce nom"):
        _ = student.namespace("tp1").name


def test_threads_that_take_at_once_get_different_ones(student: Cluster) -> None:
    got: list[str] = []
    barrier = threading.Barrier(3)

    def take(number: int) -> None:
        barrier.wait()
        got.append(student.namespace(f"fil{number}").create(passing=True).name)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(ENROLMENT.namespaces)


def test_one_name_is_one_namespace_whoever_asks_at_once(student: Cluster) -> None:
    got: list[str] = []
    barrier = threading.Barrier(4)

    def take() -> None:
        barrier.wait()
        got.append(student.namespace("commun").create().name)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4 and len(set(got)) == 1
    assert student.namespaces() == got[:1]


PROGRAM = """
import json, sys, time
from pathlib import Path
from k8s_helpers.kube.api import ApiSession
from k8s_helpers.kube.classes import Enrolment
from k8s_helpers.providers.pool import emptying
from k8s_helpers.providers.pool.pool import Pool
kubeconfig, namespaces, asked, slow = sys.argv[1:]
api = ApiSession(Path(kubeconfig))
pool = Pool(api, Enrolment("ntest", "zoe", tuple(json.loads(namespaces))))
if slow == "slow":
    def never(*_):
        print("emptying", flush=True)
        time.sleep(1000)
    emptying.empty = never
print("ready", flush=True)
sys.stdin.readline()
print(pool.take(asked, 60.0, passing=True), flush=True)
sys.stdin.readline()
"""


def kernel(kubeconfig: Path, asked: str, slow: str = "") -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", PROGRAM, str(kubeconfig)]
    argv += [json.dumps(list(ENROLMENT.namespaces)), asked, slow]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_kernels_that_take_at_once_get_different_ones_and_lose_them_when_killed(
    student: Cluster, kubeconfig: Path
) -> None:
    kernels = [kernel(kubeconfig, f"noyau{number}") for number in range(3)]
    try:
        for process in kernels:
            go(process)
        assert sorted(map(line, kernels)) == sorted(ENROLMENT.namespaces)
        with pytest.raises(ApiRefusedError, match="processus"):
            student.namespace("tp").create()
    finally:
        for process in kernels:
            kill(process)
    with student.namespace("tp") as namespace:
        assert namespace.name in ENROLMENT.namespaces
    student.sweep(Silent())
    assert student.namespaces() == []


def test_a_kernel_that_is_killed_while_it_empties_leaves_nothing_for_the_next(
    student: Cluster, cluster: Cluster, kubeconfig: Path
) -> None:
    for name in ENROLMENT.namespaces:
        fill(cluster, name, "d-un-autre")
    process = kernel(kubeconfig, "tp", "slow")
    go(process)
    assert line(process) == "emptying"
    (real,) = student.namespaces()
    assert student.namespace("tp").metadata() is None  # not ready
    kill(process)
    with student.namespace("tp") as namespace:
        assert namespace.name == real
        assert config_maps(cluster, real) == set()


def test_a_lease_that_is_not_renewed_lapses(student: Cluster, cluster: Cluster) -> None:
    """Its holder is of another machine: nothing else says that it died."""
    now_s = time.time()
    free = lease_of(cluster, ENROLMENT.namespaces[0])
    elsewhere = replace(
        free.taken("tp", "1", now_s, lasting=False),
        process="ailleurs/4026531836/7/1",
        phase=leases.READY,
    )
    assert not elsewhere.ended(now_s + leases.LAPSE_S - 1, "")
    assert elsewhere.ended(now_s + leases.LAPSE_S + 1, "")
    lasting = replace(elsewhere, lasting=True)
    assert not lasting.ended(now_s + 1e6, "")
    assert replace(lasting, phase=leases.EMPTYING).ended(now_s + 1e6, "")
    restarted = replace(elsewhere, pod="hub/jupyter-zoe")
    assert restarted.ended(now_s, "hub/jupyter-zoe")
    assert not restarted.ended(now_s, "hub/jupyter-tom")


def test_who_has_lost_a_namespace_does_not_empty_it(student: Cluster, cluster: Cluster) -> None:
    namespace = student.namespace("tp").create(passing=True)
    real = namespace.name
    pool = Pool(cluster.api, ENROLMENT)
    pool.release(lease_of(cluster, real), 1.0, 0.0)
    with student.namespace("autre") as other:
        while other.name != real:  # the one that is free longest is taken first
            other.delete()
            other.create(passing=True)
        fill(cluster, real, "precieux")
        namespace.delete()
        assert config_maps(cluster, real) == {"precieux"}


def test_a_finalizer_that_hangs_is_named_and_another_namespace_taken(
    student: Cluster, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8s_helpers.providers.pool.pool.EMPTY_S", 2.0)
    namespace = student.namespace("tp").create()
    real = namespace.name
    fill(cluster, real, "tenu", finalizers=["exemple.fr/jamais"])
    try:
        with pytest.raises(
            WaitTimeoutError, match=r"ConfigMap/tenu \(retenu par exemple\.fr/jamais"
        ):
            namespace.delete(timeout_s=2.0)
        assert student.namespaces() == []
        for other in ("a", "b"):
            assert student.namespace(other).create().name != real
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with pytest.raises(ApiRefusedError, match=r"exemple\.fr/jamais"):
                student.namespace("c").create()
        assert any(issubclass(item.category, PoolWarning) for item in caught)
    finally:
        path = f"/api/v1/namespaces/{real}/configmaps/tenu"
        patch = {"metadata": {"finalizers": None}}
        cluster.api.request("PATCH", path, body=patch, content_type="application/merge-patch+json")
    assert student.namespace("c").create().name == real


def test_an_exercise_lives_in_the_pool_and_down_gives_it_back(
    student: Cluster, cluster: Cluster, environment: os._Environ[str], tmp_path: Path
) -> None:
    environment["K8S_HELPERS_PROGRESS"] = str(tmp_path / "progress.json")
    images.ensure(cluster, "vitrine", "v1", Silent())
    started = exercises.start("03-deux-ports", cluster=student, progress=Silent())
    assert started.namespace in ENROLMENT.namespaces
    assert student.asked_names() == {started.namespace: "exercice-03-deux-ports"}
    verdict = exercises.check("03-deux-ports", cluster=student, progress=Silent())
    assert verdict.finding.code and verdict.finding.code != "espace", verdict
    verdict = exercises.check(
        "01-se-releve",
        *exercises.load("01-se-releve").solution(),
        cluster=student,
        progress=Silent(),
    )
    assert verdict.passed, verdict
    student.provider.down(Silent())
    pool = Pool(cluster.api, ENROLMENT)
    assert all(holding.free for holding in pool.holdings())
    assert namespace_list(cluster, started.namespace, "pods") == []
    there = cluster.api.find(f"/api/v1/namespaces/{started.namespace}")
    assert there is not None and "deletionTimestamp" not in there["metadata"]


def test_a_token_that_ends_in_mid_measure_says_what_is_lost(
    student: Cluster, cluster: Cluster, kubeconfig: Path, tmp_path: Path
) -> None:
    """Its account is deleted: from then on the token counts no more, as one whose time is over."""
    home = f"/api/v1/namespaces/{HOME}/serviceaccounts"
    cluster.api.request("POST", home, body={"metadata": {"name": "passant"}})
    for name in ENROLMENT.namespaces:
        path = f"/apis/{_RBAC}/v1/namespaces/{name}/rolebindings/etudiant"
        binding = cluster.api.request("GET", path)
        binding["subjects"].append({"kind": "ServiceAccount", "name": "passant", "namespace": HOME})
        cluster.api.request("PUT", path, body=binding)
    token = cluster.api.request("POST", f"{home}/passant/token", body={"spec": {}})["status"]
    plain: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    plain["users"][0]["user"] = {"token": token["token"]}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(plain))
    api = ApiSession(file)
    passing = Namespace(
        api, Kinds(api), student.provider, PoolSupply(Pool(api, ENROLMENT)), "mesure"
    )
    measured = Measure("essai", student, tmp_path, {}, Silent())
    with (
        pytest.raises(SpoiledError, match="votre jeton a pris fin") as caught,
        passing as namespace,
        measured.lane("essai", "Essai", namespace=namespace) as lane,
        lane.recorded(),
    ):
        cluster.api.request("DELETE", f"{home}/passant")
        lane.pause(60.0)
    assert "class renew" in caught.value.advice
    api.close()


def test_a_node_port_that_the_class_forbids_becomes_a_cluster_ip(
    student: Cluster, cluster: Cluster
) -> None:
    with student.namespace("ports") as namespace:
        body = {
            "metadata": {"name": CONFIG_MAP, "labels": class_labels("ntest", "zoe")},
            "spec": {"hard": {"services.nodeports": "0"}},
        }
        quotas = namespace.path("quota")
        cluster.api.request("POST", quotas, body=body)
        try:
            namespace.wait("quota", CONFIG_MAP, lambda item: "used" in item.get("status", {}))
            service = {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "vitrine"},
                "spec": {
                    "type": "NodePort",
                    "selector": {"app": "vitrine"},
                    "ports": [{"port": 80, "targetPort": 8080}],
                },
            }
            with pytest.warns(ManifestWarning, match="ClusterIP"):
                (made,) = namespace.apply(service)
            assert made["spec"]["type"] == "ClusterIP"
        finally:
            cluster.api.request("DELETE", f"{quotas}/{CONFIG_MAP}")


def test_a_pod_of_the_cluster_is_known_by_its_own_account(
    kubeconfig: Path,
    environment: os._Environ[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A JupyterHub's server has no kubeconfig: a token that is renewed, the cluster's authority, a namespace."""
    plain: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    address = urlsplit(plain["clusters"][0]["cluster"]["server"])
    account = tmp_path / "account"
    account.mkdir()
    authority = ApiSession(kubeconfig).access.ca_pem
    assert authority is not None
    (account / "ca.crt").write_bytes(authority)
    (account / "token").write_text(plain["users"][0]["user"]["token"])
    (account / "namespace").write_text(HOME)
    monkeypatch.setattr(in_cluster, "_ACCOUNT", account)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    environment["KUBERNETES_SERVICE_HOST"] = str(address.hostname)
    environment["KUBERNETES_SERVICE_PORT"] = str(address.port)
    for name in ("K8S_HELPERS_PROVIDER", "K8S_HELPERS_CLUSTER", "KUBECONFIG"):
        environment.pop(name, None)
    assert providers.choose() == "existing"
    (account / "namespace").write_text("default")  # the hub's, where the student has no right
    assert providers.choose() != "existing"
    environment[HOME_VARIABLE] = HOME
    assert providers.choose() == "existing"
    provider = ExistingProvider("serveur")
    provider.up(Silent())
    connected = Cluster(provider)
    try:
        assert provider.enrolment == ENROLMENT
        copy = provider.kubeconfig.read_text()
        assert str(account / "token") in copy and "eyJ" not in copy
        with connected.namespace("tp") as namespace:
            held = lease_of(connected, namespace.name)
            assert held.pod == f"default/{socket.gethostname()}"
        (account / "token").write_text("faux")
        with pytest.raises(ApiRefusedError, match="identité"):
            connected.namespace("tp").create()
        (account / "token").write_text(plain["users"][0]["user"]["token"])
        assert connected.namespaces() == []
    finally:
        connected.close()
        provider.down(Silent())


def test_a_namespace_that_is_gone_or_going_is_skipped(student: Cluster, cluster: Cluster) -> None:
    """Last, as it takes namespaces away for good."""
    going, gone, _ = ENROLMENT.namespaces
    fill(cluster, going, "tenu", finalizers=["exemple.fr/jamais"])
    for name in (going, gone):
        cluster.api.request("DELETE", f"/api/v1/namespaces/{name}")
    conditions.wait_deleted(cluster.api, cluster.kinds.find("namespace"), "", gone, 30.0)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with student.namespace("tp") as namespace:
                assert namespace.name == ENROLMENT.namespaces[2]
                with pytest.raises(ApiRefusedError) as refused:
                    student.namespace("tp2").create()
        assert refused.value.found.count("Terminating") == 2
        assert {str(item.message).split()[1] for item in caught} == {going, gone}
    finally:
        path = f"/api/v1/namespaces/{going}/configmaps/tenu"
        patch = {"metadata": {"finalizers": None}}
        cluster.api.request("PATCH", path, body=patch, content_type="application/merge-patch+json")
