"""`connect()`, namespaces, apply, waits, logs, exec: what notebooks use, on the embedded cluster."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from live import eventually

from embedded_kubernetes.processes import run
from k8s_helpers._errors import (
    ApiRefusedError,
    ImageError,
    ManifestError,
    ManifestWarning,
    UsageError,
    WaitTimeoutError,
)
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.cluster import Cluster, Namespace, connect, current_cluster, ownership
from k8s_helpers.kube.api import ApiStatusError
from k8s_helpers.kube.http import get
from k8s_helpers.kube.manifests import ManifestSyntaxError
from k8s_helpers.kube.waiting import wait_until

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n"
LIMITED = """\
apiVersion: v1
kind: ResourceQuota
metadata: {name: peu}
spec: {hard: {configmaps: "2"}}
"""


def vitrine(image: str, replicas: int = 2) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - name: web
          image: {image}
          env: [{{name: GRACEFUL, value: "1"}}]
          readinessProbe: {{httpGet: {{path: /healthz/ready, port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  type: NodePort
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]
"""


@pytest.fixture(scope="module")
def image(cluster: Cluster) -> str:
    return images.ensure(cluster, "vitrine", "v1", Silent())


def test_the_cluster_is_found_again_and_kubectl_speaks_to_it(cluster: Cluster) -> None:
    again = connect(provider="embedded", progress=Silent())
    assert again.kubernetes_version == cluster.kubernetes_version
    assert current_cluster() is again
    assert os.environ["KUBECONFIG"].split(os.pathsep)[-1] == str(cluster.kubeconfig)
    assert Path.home() / ".kube" not in cluster.kubeconfig.parents
    assert "kube-system" in again.kubectl("get namespaces -o name").stdout


def test_a_connection_does_not_decide_where_the_next_one_goes(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("K8S_HELPERS_PROVIDER")
    monkeypatch.delenv("K8S_HELPERS_CLUSTER", raising=False)
    connect(cluster.provider.kind, cluster.provider.name, progress=Silent())
    assert {"K8S_HELPERS_PROVIDER", "K8S_HELPERS_CLUSTER"}.isdisjoint(os.environ)


def test_the_official_client_finds_it_too_though_it_was_imported_before(
    cluster: Cluster, environment: os._Environ[str], tmp_path: Path
) -> None:
    """In a process of its own, as a notebook's kernel that nothing prepared: the client reads KUBECONFIG at import."""
    code = """if True:
        import kubernetes
        import k8s_helpers
        k8s_helpers.connect(provider="embedded")
        kubernetes.config.load_kube_config()
        print(kubernetes.client.Configuration.get_default_copy().host)
        print(len(kubernetes.client.CoreV1Api().list_namespace().items) > 3)
    """
    environment.pop("KUBECONFIG", None)
    done = run([sys.executable, "-c", code], timeout_s=120, env={"HOME": str(tmp_path)})
    assert done.stdout.split() == [cluster.api.server, "True"]


def test_what_a_killed_kernel_has_left_goes_with_the_next_connect(cluster: Cluster) -> None:
    """A namespace that was to stay, and one of a process that lives, are left alone."""
    names = [f"{what}-{secrets.token_hex(3)}" for what in ("laisse", "voulu")]
    kernel = f"""\
        import os, signal
        from k8s_helpers import connect
        cluster = connect(provider="embedded", name={cluster.provider.name!r})
        cluster.namespace({names[1]!r}).create()
        with cluster.namespace({names[0]!r}):
            os.kill(os.getpid(), signal.SIGKILL)"""
    done = run([sys.executable, "-c", dedent(kernel)], timeout_s=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with cluster.namespace(f"vivant-{secrets.token_hex(3)}") as alive:
        assert {*names, alive.name} <= set(cluster.namespaces())
        try:
            connect(provider="embedded", progress=Silent())
            eventually(lambda: names[0] not in cluster.namespaces())
            assert {names[1], alive.name} <= set(cluster.namespaces())
        finally:
            cluster.namespace(names[1]).delete()


def test_who_empties_a_namespace_leaves_alone_another_one_of_its_name(cluster: Cluster) -> None:
    """It is not quick: meanwhile the namespace may have gone, and been made anew."""
    namespace = cluster.namespace(f"meme-nom-{secrets.token_hex(3)}").create()
    try:
        namespace.apply(CONFIG)
        namespace.delete(timeout_s=0)  # its controller empties it in 5 s
        ownership.empty(cluster.api, namespace.name, "of the one before", 1.0, 3.0)
        assert namespace.get("configmap", "a")["data"] == {"x": "1"}
    finally:
        namespace.delete()


def test_a_namespace_that_its_controller_is_at_work_on_is_left_to_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It deletes by name: in a namespace of the same name, made as soon as we let this one go, it would go on."""
    monkeypatch.setattr(ownership, "_CONTROLLER_S", 0.0)
    namespace = cluster.namespace(f"au-controleur-{secrets.token_hex(3)}").create()
    uid = cluster.api.request("GET", f"/api/v1/namespaces/{namespace.name}")["metadata"]["uid"]
    namespace.delete(timeout_s=0)
    ownership.empty(cluster.api, namespace.name, uid, 1.0, 3.0)
    assert cluster.api.find(f"/api/v1/namespaces/{namespace.name}") is not None
    namespace.delete()
    assert cluster.api.find(f"/api/v1/namespaces/{namespace.name}") is None


def test_the_node_keeps_the_configuration_of_an_image(cluster: Cluster, image: str) -> None:
    found = images.configuration(cluster, image)
    assert found["Entrypoint"] == ["python3", "-S", "/app/main.py"] and "Cmd" not in found
    assert found["WorkingDir"] == "/app" and found["ExposedPorts"] == {"8080/tcp": {}}
    assert "VERSION=v1" in found["Env"]
    with pytest.raises(ImageError, match="vitrine:v9"):
        images.configuration(cluster, "vitrine:v9")


def test_the_badge_says_what_is_simulated(cluster: Cluster) -> None:
    html = cluster._repr_html_()
    assert cluster.kubernetes_version in html
    assert html.count('scope="row"') == len(cluster.provider.facts())
    assert html.count("<strong>simulé</strong>") == sum(
        not fact.real for fact in cluster.provider.facts()
    )


def test_a_deployment_from_apply_to_answer(namespace: Namespace, image: str) -> None:
    applied = namespace.apply(vitrine(image))
    assert [item["kind"] for item in applied] == ["Deployment", "Service"]
    namespace.wait_rollout("web", timeout_s=60)
    address = namespace.service_url("web", "http")
    assert address.via == "node-port"
    assert get(address).version == "v1"
    pods = namespace.list("po", "app=web")
    assert len(pods) == 2
    assert {pod["kind"] for pod in pods} == {"Pod"}
    namespace.scale("deploy", "web", 1)
    namespace.wait_rollout("web", timeout_s=60)
    assert namespace.get("deployments", "web")["status"]["replicas"] == 1
    namespace.patch("deploy", "web", {"metadata": {"labels": {"vu": "oui"}}})
    namespace.patch("deploy", "web", [{"op": "remove", "path": "/metadata/labels/vu"}])
    assert "vu" not in namespace.get("deploy", "web")["metadata"].get("labels", {})
    assert any(event["reason"] == "ScalingReplicaSet" for event in namespace.events())


def test_exec_and_logs(namespace: Namespace, image: str) -> None:
    namespace.apply(vitrine(image, replicas=1))
    namespace.wait_rollout("web", timeout_s=60)
    (pod,) = [item["metadata"]["name"] for item in namespace.list("pods")]
    done = namespace.exec(pod, ["sh", "-c", "echo dehors; echo faute >&2; exit 3"])
    assert (done.returncode, done.stdout, done.stderr) == (3, "dehors\n", "faute\n")
    assert len(namespace.logs(pod, tail=1).splitlines()) <= 1
    with pytest.raises(ApiRefusedError, match="not found"):
        namespace.logs("personne")
    with pytest.raises(ApiRefusedError, match="not found"):
        namespace.exec("personne", ["true"])
    with pytest.raises(WaitTimeoutError, match="sleep 30"):
        namespace.exec(pod, ["sleep", "30"], timeout_s=0.5)


def test_an_unknown_image_is_told_while_waiting(namespace: Namespace) -> None:
    namespace.apply(vitrine("inconnue:v9", replicas=1))
    with pytest.raises(WaitTimeoutError) as caught:
        namespace.wait_rollout("web", timeout_s=10)
    assert "ImagePull" in caught.value.found
    assert "kubectl" in caught.value.advice


def test_waits_see_conditions_functions_creation_and_deletion(namespace: Namespace) -> None:
    threading.Timer(0.3, namespace.apply, [CONFIG]).start()
    assert (
        namespace.wait("configmap", "a", lambda item: item["data"]["x"] == "1", 10)["kind"]
        == "ConfigMap"
    )
    threading.Timer(0.3, namespace.delete_object, ["cm", "a"]).start()
    assert namespace.wait("cm", "a", "deleted", 10) == {}
    with pytest.raises(WaitTimeoutError, match="n’existe pas"):
        namespace.wait("cm", "a", "Ready", 0.3)
    namespace.delete_object("cm", "a", timeout_s=1)


def test_an_object_held_by_a_finalizer_is_told(namespace: Namespace) -> None:
    namespace.apply(CONFIG.replace("{name: a}", "{name: a, finalizers: [cours.example/retenue]}"))
    with pytest.raises(WaitTimeoutError, match=r"cours\.example/retenue"):
        namespace.delete_object("cm", "a", timeout_s=0.5)
    namespace.patch("cm", "a", [{"op": "remove", "path": "/metadata/finalizers"}])
    namespace.wait("cm", "a", "deleted", 5)


@pytest.mark.parametrize(
    ("before", "after", "line", "found", "advice"),
    [
        ("replicas:", "replica:", 5, "« replica »", "« replicas »"),
        ("image:", "imagee:", 12, "« imagee »", "« image »"),
        ('value: "1"', "value: 1", 13, "got 1)", "texte"),
        ("replicas: 2", "replicas: deux", 5, "mauvais type", "nombre"),
        ("replicas: 2", "replicas: -2", 5, "-2", "champ"),
        ("matchLabels: {app: web}", "matchLabels: {app: autre}", 8, "sélecteur", "Recopiez"),
        ("- name: web", "- name: WEB", 11, "WEB", "minuscules"),
    ],
)  # fmt: skip
def test_what_the_server_finds_wrong_is_brought_back_to_its_line(
    namespace: Namespace, before: str, after: str, line: int, found: str, advice: str
) -> None:
    with pytest.raises(ManifestSyntaxError) as caught:
        namespace.apply(vitrine("vitrine:v1").replace(before, after, 1))
    assert caught.value.line == line
    assert found in caught.value.found
    assert advice in caught.value.advice


def test_python_objects_have_no_line_but_the_same_words(namespace: Namespace) -> None:
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "dat": {}}
    with pytest.raises(ManifestError, match="« dat »") as caught:
        namespace.apply(wrong)
    assert "« data »" in caught.value.advice


def test_an_object_that_is_too_big_is_told_so(namespace: Namespace) -> None:
    big = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"x": "x" * 1_100_000},
    }
    with pytest.raises(ManifestError, match=r"trop gros .*1048576 bytes"):
        namespace.apply(big)


def test_kinds_that_do_not_exist_are_named(namespace: Namespace) -> None:
    with pytest.raises(UsageError, match="Deployment"):
        namespace.get("deploymnt", "web")
    with pytest.raises(UsageError, match="apps/v1"):
        namespace.apply(vitrine("a").replace("apps/v1", "apps/v1beta1", 1))


def test_another_namespace_in_the_manifest_is_refused_with_its_line(namespace: Namespace) -> None:
    with pytest.raises(ManifestError, match=r"ligne 3.*« ailleurs »"):
        namespace.apply(CONFIG.replace("{name: a}", "{name: a, namespace: ailleurs}"))
    namespace.apply(CONFIG.replace("{name: a}", f"{{name: a, namespace: {namespace.name}}}"))


def test_a_quota_is_told_in_numbers(namespace: Namespace) -> None:
    namespace.apply(LIMITED)
    namespace.wait("quota", "peu", lambda item: "used" in item.get("status", {}), 20)
    namespace.apply(CONFIG)
    with pytest.raises(ApiRefusedError) as caught:
        namespace.apply(CONFIG.replace("name: a", "name: b"))
    assert "quota « peu »" in caught.value.found
    assert "configmaps=2" in caught.value.found


def test_a_namespace_that_is_not_ours_is_neither_used_nor_deleted(cluster: Cluster) -> None:
    system = cluster.namespace("kube-system")
    with pytest.raises(ApiRefusedError, match="pas vous"):
        system.create()
    with pytest.raises(ApiRefusedError, match="pas vous"):
        system.delete()
    assert (
        cluster.api.request("GET", "/api/v1/namespaces/kube-system")["status"]["phase"] == "Active"
    )


def test_a_namespace_takes_all_that_it_holds_with_it(cluster: Cluster, image: str) -> None:
    name = f"pleine-{secrets.token_hex(2)}"
    kinds = ("deployment", "replicaset", "pod", "configmap", "event")
    with cluster.namespace(name) as full:
        full.apply(vitrine(image))
        full.apply(CONFIG)
        eventually(lambda: all(full.list(kind) for kind in kinds))
        held = {one["metadata"]["uid"] for kind in kinds for one in full.list(kind)}
    assert full.name not in cluster.namespaces()
    with cluster.namespace(name) as again:  # what an emptied one had forgotten would show up here
        found = {one["metadata"]["uid"] for kind in kinds for one in again.list(kind)}
        assert not held & found


def test_a_namespace_held_by_a_finalizer_says_by_which(cluster: Cluster) -> None:
    held = cluster.namespace("retenu").create()
    assert held.name in cluster.namespaces()
    held.apply(CONFIG.replace("{name: a}", "{name: a, finalizers: [cours.example/retenue]}"))
    try:
        with pytest.raises(WaitTimeoutError, match=r"cours\.example/retenue"):
            held.delete(timeout_s=20)
    finally:
        held.patch("cm", "a", [{"op": "remove", "path": "/metadata/finalizers"}])
    held.delete()
    assert held.name not in cluster.namespaces()


def test_a_watch_resumes_after_a_relist_and_ends_from_another_thread(
    namespace: Namespace, cluster: Cluster
) -> None:
    labelled = CONFIG.replace("{name: a}", "{name: a, labels: {x: '1'}}")
    namespace.apply(labelled.replace("name: a", "name: before"))
    seen: list[tuple[str, str]] = []
    watch = cluster.api.watch(
        namespace.path("cm"), resource_version="1", query={"labelSelector": "x=1"}
    )

    def follow() -> None:
        seen.extend((event.type, event.object["metadata"]["name"]) for event in watch)

    thread = threading.Thread(target=follow)
    thread.start()
    # What comes and goes before the list is no event of it.
    wait_until(lambda: ("ADDED", "before") in seen, 30, every_s=0.02)
    namespace.apply(labelled)
    namespace.delete_object("cm", "a")
    wait_until(lambda: ("DELETED", "a") in seen, 30, every_s=0.02)
    watch.close()
    thread.join(2)
    assert not thread.is_alive()
    assert seen == [("ADDED", "before"), ("ADDED", "a"), ("DELETED", "a")]


def test_a_watch_ends_in_its_time(namespace: Namespace, cluster: Cluster) -> None:
    began_s = time.monotonic()
    events = list(cluster.api.watch(namespace.path("cm"), timeout_s=1))
    assert {event.type for event in events} == {"ADDED"}  # kube-root-ca.crt, perhaps
    assert 0.9 <= time.monotonic() - began_s < 30


def test_refusals_keep_the_servers_words(cluster: Cluster) -> None:
    with pytest.raises(ApiStatusError) as caught:
        cluster.api.request("GET", "/api/v1/namespaces/absent")
    assert (caught.value.code, caught.value.reason) == (404, "NotFound")
    assert '"absent"' in caught.value.found


# --- names, and whose fields they are


def test_an_empty_name_touches_nothing(namespace: Namespace, cluster: Cluster) -> None:
    for name in ("a", "b"):
        namespace.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    missing: Any = None
    calls: list[Callable[[Any], object]] = [
        lambda name: namespace.get("configmap", name),
        lambda name: namespace.delete_object("configmap", name),
        lambda name: namespace.patch("configmap", name, {"data": {}}),
        lambda name: namespace.scale("deployment", name, 1),
        lambda name: namespace.wait("configmap", name, timeout_s=1),
        lambda name: namespace.wait("configmap", name, "deleted", timeout_s=1),
        lambda name: namespace.wait_rollout(name, timeout_s=1),
        lambda name: namespace.logs(name),
        lambda name: namespace.logs("a", container=name or ""),
        lambda name: namespace.exec(name, ["true"]),
        lambda name: namespace.exec("a", ["true"], container=name or ""),
        lambda name: namespace.service_url(name),
        lambda name: cluster.namespace(name),
    ]
    for call in calls:
        for name in ("", missing, "a/b", ".."):
            with pytest.raises(UsageError, match="Désigner"):
                call(name)
    with pytest.raises(UsageError, match="rien n’a été envoyé"):
        cluster.api.request("DELETE", f"{namespace.path('configmap')}/")
    assert {"a", "b"} <= {one["metadata"]["name"] for one in namespace.list("configmap")}


SCALED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: absente:1}]
"""
SCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: agrandisseur}
spec:
  minReplicas: 2
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
"""


def test_taking_replicas_back_from_an_autoscaler_is_said(namespace: Namespace) -> None:
    def scaled(deployment: dict[str, Any]) -> bool:
        return bool(deployment["spec"]["replicas"] == 2)

    namespace.apply(SCALED)
    namespace.apply(SCALER)
    namespace.wait("deployment", "web", scaled)
    with pytest.warns(ManifestWarning) as caught:
        (applied,) = namespace.apply(SCALED)
    assert applied["spec"]["replicas"] == 1
    text = str(caught[0].message)
    assert "ligne 5" in text and "« agrandisseur » en avait mis 2" in text
    assert "enlevez la ligne « replicas: … »" in text
    assert caught[0].filename == __file__
    namespace.wait("deployment", "web", scaled)
    # What the warning advises: nothing is said, and the autoscaler's number stays (warnings are errors here).
    (applied,) = namespace.apply(SCALED.replace("  replicas: 1\n", ""))
    assert applied["spec"]["replicas"] == 2
