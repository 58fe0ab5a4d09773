"""An existing cluster (here the embedded one, by its kubeconfig): own namespaces, own copy, nothing else touched."""

from __future__ import annotations

import base64
import dataclasses
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import live
import pytest
import yaml
from certificates import Authority

from embedded_kubernetes import processes
from k8s_helpers import exercises
from k8s_helpers._errors import ApiRefusedError, ClusterUnreachableError, ImageError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.cli.checks.clusters import check_existing
from k8s_helpers.cluster import Cluster, Namespace, traffic_pods
from k8s_helpers.cluster.ownership import PROCESS
from k8s_helpers.cluster.traffic_pods import TrafficPod
from k8s_helpers.kube.api import MERGE_PATCH, ApiSession
from k8s_helpers.kube.http import get
from k8s_helpers.kube.refusals import ignoring
from k8s_helpers.kube.waiting import wait_until
from k8s_helpers.measure.traffic import Traffic, TrafficCutError
from k8s_helpers.providers.existing import ExistingProvider


@pytest.fixture
def existing(cluster: Cluster, environment: os._Environ[str]) -> Iterator[Cluster]:
    provider = ExistingProvider("partage", kubeconfig=cluster.kubeconfig, namespace_prefix="zoe")
    provider.up(Silent())
    found = Cluster(provider)
    yield found
    found.close()
    provider.down(Silent())


def names(cluster: Cluster) -> set[str]:
    items = cluster.api.request("GET", "/api/v1/namespaces")["items"]
    return {item["metadata"]["name"] for item in items}


def test_the_copy_holds_one_context_and_is_private(existing: Cluster, cluster: Cluster) -> None:
    copy = existing.kubeconfig
    assert copy != cluster.kubeconfig
    assert copy.stat().st_mode & 0o077 == 0
    plain = yaml.safe_load(copy.read_text())
    assert [len(plain[part]) for part in ("contexts", "clusters", "users")] == [1, 1, 1]
    assert existing.provider.status().state == "running"


def test_namespaces_carry_the_prefix_and_down_deletes_only_them(cluster: Cluster) -> None:
    mine = ExistingProvider("mien", kubeconfig=cluster.kubeconfig, namespace_prefix="mia")
    other = ExistingProvider("autre", kubeconfig=cluster.kubeconfig, namespace_prefix="mia-lou")
    mine.up(Silent())
    other.up(Silent())
    ours, theirs = Cluster(mine), Cluster(other)
    plain = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mia-etranger"}}
    cluster.api.request("POST", "/api/v1/namespaces", body=plain)
    try:
        assert ours.namespace("tp").create().name == "mia-tp"
        assert theirs.namespace("tp").create().name == "mia-lou-tp"
        assert ours.namespaces() == ["mia-tp"]
        mine.down(Silent())
        assert not mine.kubeconfig.parent.exists()
        assert {"mia-etranger", "mia-lou-tp"} <= names(cluster)
        assert "mia-tp" not in names(cluster)
        with pytest.raises(ApiRefusedError, match="pas vous"):
            ours.namespace("etranger").delete()
        with pytest.raises(ApiRefusedError, match="pas vous"):
            ours.namespace("lou-tp").delete()
    finally:
        other.down(Silent())
        mine.down(Silent())
        cluster.api.request("DELETE", "/api/v1/namespaces/mia-etranger")
        ours.close()
        theirs.close()


def test_the_prefix_is_remembered(existing: Cluster) -> None:
    assert ExistingProvider("partage").namespace_prefix == "zoe-"


def test_missing_rights_are_all_named(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(_of_account(cluster, namespace)))
    poor = ExistingProvider("pauvre", kubeconfig=file, namespace_prefix="p")
    with pytest.raises(ApiRefusedError) as caught:
        poor.up(Silent())
    assert not poor.kubeconfig.parent.exists()
    assert "créer des espaces de noms" in caught.value.found
    assert "exécuter des commandes" in caught.value.found


def test_a_token_that_is_not_valid_is_told(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    plain = _of_account(cluster, namespace)
    plain["users"][0]["user"]["token"] = "faux"
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(plain))
    wrong = ExistingProvider("faux", kubeconfig=file)
    (told,) = check_existing(wrong)
    assert told.state == "missing" and told.advice
    with pytest.raises(ApiRefusedError, match="identité"):
        wrong.up(Silent())
    assert not wrong.kubeconfig.parent.exists()


def test_another_clusters_authority_is_told(cluster: Cluster, tmp_path: Path) -> None:
    plain: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    pem = Authority(tmp_path, "autre").file.read_bytes()
    target = plain["clusters"][0]["cluster"]
    target.pop("certificate-authority", None)
    target["certificate-authority-data"] = base64.b64encode(pem).decode()
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(plain))
    wrong = ExistingProvider("autre-ca", kubeconfig=file)
    with pytest.raises(ClusterUnreachableError, match="certificat du serveur"):
        wrong.up(Silent())
    assert not wrong.kubeconfig.parent.exists()


def test_images_must_come_from_a_registry(
    existing: Cluster, environment: os._Environ[str], tmp_path: Path
) -> None:
    environment.pop("K8S_HELPERS_IMAGE_PREFIX", None)
    with pytest.raises(ImageError, match="K8S_HELPERS_IMAGE_PREFIX"):
        existing.provider.build_image(tmp_path, "vitrine:v1", {}, Silent())
    environment["K8S_HELPERS_IMAGE_PREFIX"] = "registre.exemple.fr/cours/"
    existing.provider.build_image(tmp_path, "vitrine:v1", {}, Silent())
    assert existing.provider.image_prefix == "registre.exemple.fr/cours/"


def test_a_service_is_reached_through_the_api_where_no_port_leads_there(
    existing: Cluster, cluster: Cluster
) -> None:
    images.ensure(cluster, "vitrine", "v1", Silent())
    assert existing.provider.node_port_url(1) is None
    namespace = existing.namespace("voie").create()
    namespace.apply([live.web_deployment(replicas=1), live.service("web")])
    address = namespace.service_url("web", "low")
    assert address.via == "api-proxy"
    assert address.url.endswith(f"/namespaces/{namespace.name}/services/web:80/proxy")
    with Traffic(f"{address.url}/nu", rate_per_s=10, max_duration_s=60) as stranger:
        answers_of(stranger)
    before_s = time.monotonic()
    with Traffic(address, rate_per_s=10, max_duration_s=60) as traffic:
        answers_of(traffic)
    assert {request.ok for request in stranger.requests} == {False}
    assert {request.status for request in traffic.requests} == {200}
    (pod,) = namespace.list("pods")
    seen = namespace.logs(pod["metadata"]["name"])
    assert "asked /\n" in seen and "/nu" not in seen
    # It left from a pod, whose clock is this machine's here: its instants are ours.
    parameters = traffic.parameters
    assert parameters["sent_from"] == "pod" and stranger.parameters == {"sent_from": "here"}
    assert abs(parameters["clock_ahead_s"]) <= parameters["clock_uncertainty_s"] < 1
    assert before_s < traffic.zero_monotonic_s < time.monotonic()
    (made,) = [name for name in names(cluster) if name.startswith("zoe-trafic-")]
    existing.close()
    assert wait_until(lambda: made not in names(cluster), 30, every_s=0.1)


def answers_of(traffic: Traffic) -> None:
    assert wait_until(lambda: len(traffic.requests) >= 5, 30, every_s=0.05)


# --- a cluster far away: no port of its nodes leads there, and we have but a token


@pytest.fixture
def far(
    cluster: Cluster,
    environment: os._Environ[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Cluster]:
    """The embedded cluster by an account's token, as if it were elsewhere; its images are there already."""
    for app, version in (("vitrine", "v1"), ("vitrine", "v2"), ("carnet", "v1")):
        images.ensure(cluster, app, version, Silent())
    with cluster.namespace("comptes-du-test") as accounts:
        role = {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        }
        subject = {"kind": "ServiceAccount", "name": "default", "namespace": accounts.name}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": accounts.name},
            "roleRef": role,
            "subjects": [subject],
        }
        bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
        cluster.api.request("POST", bindings, body=binding)
        file = tmp_path / "kubeconfig"
        file.write_text(yaml.safe_dump(_of_account(cluster, accounts)))
        environment["K8S_HELPERS_IMAGE_PREFIX"] = ""
        monkeypatch.setattr(ExistingProvider, "node_port_url", lambda self, port: None)
        provider = ExistingProvider("loin", kubeconfig=file, namespace_prefix="lou")
        provider.up(Silent())
        found = Cluster(provider)
        yield found
        found.close()
        provider.down(Silent())
        cluster.api.request("DELETE", f"{bindings}/{accounts.name}")


def test_a_prefix_that_belongs_to_somebody_is_refused(far: Cluster, cluster: Cluster) -> None:
    far.namespace("tp").create()
    stranger = ExistingProvider("etranger", kubeconfig=cluster.kubeconfig, namespace_prefix="lou")
    with pytest.raises(UsageError, match="à quelqu’un d’autre"):
        stranger.up(Silent())
    assert not stranger.kubeconfig.parent.exists()
    assert "lou-tp" in names(cluster)


@pytest.mark.parametrize(
    "name", ["01-se-releve", "02-image", "03-message", "03-separer", "08-garanti", "09-zero-perte"]
)
def test_an_exercise_is_checked_through_the_api_where_no_port_leads_there(
    far: Cluster, name: str, environment: os._Environ[str], tmp_path: Path
) -> None:
    environment["K8S_HELPERS_PROGRESS"] = str(tmp_path / "progress.json")
    verdict = exercises.check(
        name, *exercises.load(name).solution(), cluster=far, progress=Silent()
    )
    assert verdict.passed, verdict


def test_a_service_far_away_is_asked_with_our_token(far: Cluster, tmp_path: Path) -> None:
    with far.namespace("loin") as namespace:
        namespace.apply(exercises.load("01-se-releve").solution()[0])
        address = namespace.service_url("vitrine")
        assert address.via == "api-proxy" and "Authorization" in address.headers
        assert wait_until(lambda: get(address, "/api/info"), 30).version == "v1"
        assert get(dataclasses.replace(address, headers={}), "/api/info").status in (401, 403)
        assert get(dataclasses.replace(address, ca_file=None), "/api/info").status == 0


def test_traffic_from_a_pod_that_goes_is_cut_said_and_can_begin_anew(far: Cluster) -> None:
    with far.namespace("coupe") as namespace:
        namespace.apply(exercises.load("01-se-releve").solution()[0])
        address = namespace.service_url("vitrine")
        with pytest.raises(TrafficCutError) as caught, Traffic(address, rate_per_s=20) as traffic:
            answers_of(traffic)
            (place,) = [name for name in far.namespaces() if "-trafic-" in name]
            pods = f"/api/v1/namespaces/{place}/pods"
            far.api.request("DELETE", pods, query={"gracePeriodSeconds": 0})
            assert wait_until(lambda: traffic.incidents, 30, every_s=0.05)
            with pytest.raises(TrafficCutError):
                traffic.check()
        assert len(traffic.requests) >= 5 and "requêtes notées" in caught.value.found
        with Traffic(address.at("api/info"), rate_per_s=20) as again:
            answers_of(again)
        assert not again.incidents and {request.version for request in again.requests} == {"v1"}


@pytest.fixture
def home(far: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Namespace]:
    """A namespace as a class gives it to a student: restricted pods, a small quota."""
    with far.namespace("chez-lou") as namespace:
        levels = {"pod-security.kubernetes.io/enforce": "restricted"}
        path = f"/api/v1/namespaces/{namespace.name}"
        far.api.request(
            "PATCH", path, body={"metadata": {"labels": levels}}, content_type=MERGE_PATCH
        )
        monkeypatch.setattr(ExistingProvider, "home_namespace", namespace.name)
        yield namespace


def quota_of(home: Namespace, **hard: str) -> None:
    home.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "petit"},
            "spec": {"hard": hard},
        }
    )
    home.wait("quota", "petit", lambda quota: "used" in quota.get("status", {}))


def test_the_pod_fits_a_students_own_namespace_and_leaves_it_as_it_was(
    far: Cluster, home: Namespace
) -> None:
    quota_of(home, **{"pods": "1", "limits.cpu": "500m", "limits.memory": "256Mi"})
    pod = traffic_pods.of(far.api, far.provider)
    dialogues = [pod.run(["python3", "-c", "print(input())"]) for _ in range(2)]
    for number, dialogue in enumerate(dialogues):
        dialogue.send(f"{number}\n".encode())
    assert [b"".join(dialogue.output()) for dialogue in dialogues] == [b"0\n", b"1\n"]
    assert [dialogue.complaint for dialogue in dialogues] == ["", ""]
    assert len(home.list("pod", traffic_pods.SELECTOR)) == 1
    far.close()
    assert wait_until(lambda: not home.list("pod"), 30, every_s=0.1)


def test_a_pod_whose_process_has_ended_is_swept(far: Cluster, home: Namespace) -> None:
    def pod(name: str, process: str) -> dict[str, Any]:
        made = TrafficPod(far.api, far.provider)._pod({})
        made["metadata"] |= {"name": name, "annotations": {PROCESS: process}}
        return made

    machine = processes.identity().rpartition("/")[0].rpartition("/")[0]
    home.apply([pod("reste", f"{machine}/{2**22 + 1}/1"), pod("autre", "ailleurs/1/1")])
    far.sweep(Silent())

    def left() -> set[str]:
        return {item["metadata"]["name"] for item in home.list("pod")}

    assert wait_until(lambda: left() == {"autre"}, 30, every_s=0.1)


def test_a_full_quota_and_a_missing_right_are_told(far: Cluster, home: Namespace) -> None:
    quota_of(home, pods="0")
    with pytest.raises(ApiRefusedError, match="trafic") as full:
        TrafficPod(far.api, far.provider).run(["true"])
    assert "quota" in full.value.found and not home.list("pod")
    home.delete_object("quota", "petit")
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "sans-exec"}
    home.apply(
        [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": {"name": "sans-exec"},
                "rules": [rule],
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": "sans-exec"},
                "roleRef": role,
                "subjects": [{"kind": "ServiceAccount", "name": "default"}],
            },
        ]
    )
    account = far.api.acting_as(f"system:serviceaccount:{home.name}:default")
    assert wait_until(lambda: _may_list(account, home), 20, every_s=0.1)
    poor = TrafficPod(account, far.provider)
    with pytest.raises(ApiRefusedError, match="trafic") as refused:
        poor.run(["true"])
    assert "pods/exec" in refused.value.advice
    poor.close()
    assert wait_until(lambda: not home.list("pod"), 30, every_s=0.1)


def _may_list(api: ApiSession, home: Namespace) -> bool:
    with ignoring(403):
        api.request("GET", home.path("pod"))
        return True
    return False


def _of_account(cluster: Cluster, namespace: Namespace) -> dict[str, Any]:
    """Return a kubeconfig of the namespace's default ServiceAccount, which has no rights."""
    path = f"{namespace.path('sa', 'default')}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = cluster.api.request("POST", path, body=body)["status"]["token"]
    plain: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    plain["users"][0]["user"] = {"token": token}
    return plain
