"""An existing cluster (here the embedded one, by its kubeconfig): own namespaces, own copy, nothing else touched."""

from __future__ import annotations

import base64
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import live
import pytest
import yaml
from certificates import Authority

from k8s_helpers import exercises
from k8s_helpers._errors import ApiRefusedError, ClusterUnreachableError, ImageError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.cluster import Cluster, Namespace
from k8s_helpers.kube.http import get
from k8s_helpers.kube.waiting import wait_until
from k8s_helpers.measure.traffic.traffic import Traffic
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


def test_a_service_is_reached_through_the_api_where_no_port_leads_there(existing: Cluster) -> None:
    assert existing.provider.node_port_url(1) is None
    namespace = existing.namespace("voie").create()
    namespace.apply([live.web_deployment(replicas=1), live.service("web")])
    address = namespace.service_url("web", "low")
    assert address.via == "api-proxy"
    assert address.url.endswith(f"/namespaces/{namespace.name}/services/web:80/proxy")
    with Traffic(f"{address.url}/nu", rate_per_s=10, max_duration_s=60) as stranger:
        answers_of(stranger)
    with Traffic(address, rate_per_s=10, max_duration_s=60) as traffic:
        answers_of(traffic)
    assert {request.ok for request in stranger.requests} == {False}
    assert {request.status for request in traffic.requests} == {200}
    (pod,) = namespace.list("pods")
    seen = namespace.logs(pod["metadata"]["name"])
    assert "asked /\n" in seen and "/nu" not in seen


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
    for app in ("vitrine", "carnet"):
        images.ensure(cluster, app, "v1", Silent())
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


@pytest.mark.parametrize(
    "name", ["01-se-releve", "02-image", "03-message", "03-separer", "08-garanti"]
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


def _of_account(cluster: Cluster, namespace: Namespace) -> dict[str, Any]:
    """Return a kubeconfig of the namespace's default ServiceAccount, which has no rights."""
    path = f"{namespace.path('sa', 'default')}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = cluster.api.request("POST", path, body=body)["status"]["token"]
    plain: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    plain["users"][0]["user"] = {"token": token}
    return plain
