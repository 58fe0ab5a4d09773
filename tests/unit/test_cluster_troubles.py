"""What a shared cluster refuses or cannot do, put into words: quotas, registries, NodePorts, versions. Pure."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s_helpers._errors import ApiRefusedError, ClusterUnreachableError
from k8s_helpers._progress import Silent
from k8s_helpers.cluster.applying import group_by_owner, without_node_port
from k8s_helpers.cluster.conditions import refused_pods, registry_trouble
from k8s_helpers.kube.manifests import Manifest
from k8s_helpers.kube.refusals import exceeded, explain
from k8s_helpers.providers import rights
from k8s_helpers.providers.existing import ExistingProvider

# As containerd's kubelet wrote them on a node (Kubernetes v1.37.0).
NO_HOST = (
    'failed to pull and unpack image "registre.invalid/vitrine:v1": failed to resolve reference '
    '"registre.invalid/vitrine:v1": failed to do request: Head "https://registre.invalid/v2/vitrine/manifests/v1": '
    "dial tcp: lookup registre.invalid on 172.18.0.1:53: no such host"
)
HTTP = (
    'failed to resolve reference "r:5000/a:v1": failed to do request: Head "https://r:5000/v2/a/manifests/v1": http: '
    "server gave HTTP response to HTTPS client"
)
DENIED = (
    "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://r.fr/token: "
    "401 Unauthorized"
)
MISSING = 'failed to resolve reference "r.fr/a:v9": r.fr/a:v9: not found'


def waiting(image: str, message: str, reason: str = "ErrImagePull") -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"nodeName": "noeud", "containers": [{"name": "web", "image": image}]},
        "status": {
            "containerStatuses": [
                {"name": "web", "state": {"waiting": {"reason": reason, "message": message}}}
            ]
        },
    }


@pytest.mark.parametrize(
    ("image", "message", "words"),
    [
        (
            "registre.invalid/vitrine:v1",
            NO_HOST,
            "ne peut pas joindre le registre « registre.invalid »",
        ),
        ("r:5000/a:v1", HTTP, "ne reconnaît pas le certificat du registre « r:5000 »"),
        ("r.fr/a:v1", DENIED, "se voit refuser l’accès au registre « r.fr »"),
    ],
)
def test_a_registry_that_nodes_cannot_use_is_named(image: str, message: str, words: str) -> None:
    assert words in registry_trouble(waiting(image, message))
    assert words in registry_trouble(waiting(image, f"Back-off … {message}", "ImagePullBackOff"))


@pytest.mark.parametrize(
    "pod",
    [
        waiting("r.fr/a:v9", MISSING),  # the manifest's own affair
        waiting("vitrine:v9", NO_HOST),  # no registry of the class is named
        waiting("r.fr/a:v1", "dial tcp", "CrashLoopBackOff"),
        {"kind": "Pod", "metadata": {}, "spec": {"containers": []}},
    ],
)
def test_another_trouble_is_not_the_registrys(pod: dict[str, Any]) -> None:
    assert registry_trouble(pod) == ""


QUOTA = (
    'pods "web-7d4b9c6f5-abcde" is forbidden: exceeded quota: k8s-helpers-class, requested: '
    "pods=1,requests.memory=64Mi, used: pods=50,requests.memory=3Gi, limited: pods=50,requests.memory=3Gi"
)


def test_a_full_quota_says_which_resource_and_who_uses_it() -> None:
    assert exceeded(QUOTA) == ("pods", "requests.memory")
    assert exceeded('pods "x" is forbidden: User "u" cannot create resource "pods"') == ()
    web = {"kind": "ReplicaSet", "name": "web-7d4b9c6f5"}
    base = {"kind": "StatefulSet", "name": "base"}
    items = [
        {"metadata": {"name": "web-1", "ownerReferences": [web]}},
        {"metadata": {"name": "web-2", "ownerReferences": [web]}},
        {"metadata": {"name": "base-0", "ownerReferences": [base]}},
        {"metadata": {"name": "seul"}},
    ]
    assert group_by_owner(items) == "web (2), base (1), seul (1)"
    many = [{"metadata": {"name": f"p{number}"}} for number in range(9)]
    assert group_by_owner(many).endswith("et 3 autres")


def test_a_deployment_whose_pods_a_quota_refuses_says_so() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": QUOTA}
    said = refused_pods({"status": {"conditions": [condition]}})
    assert "le quota « k8s-helpers-class » serait dépassé" in said
    assert refused_pods({"status": {"conditions": [{**condition, "status": "False"}]}}) == ""


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "vitrine"},
    "spec": {
        "type": "NodePort",
        "externalTrafficPolicy": "Local",
        "ports": [{"port": 80, "nodePort": 30080}],
    },
}


@pytest.mark.parametrize(
    ("code", "message", "falls_back"),
    [
        (403, "exceeded quota: k8s-helpers-class, requested: services.nodeports=1, used: …", True),
        (403, "exceeded quota: bornes, requested: services.nodeports=1, used: …", False),
        (403, 'admission webhook "g" denied the request: NodePort services are forbidden', True),
        (422, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no node ports", True),
        (
            422,
            "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated",
            False,
        ),
        (403, 'User "u" cannot create resource "services"', False),
        (500, "Internal error occurred: failed to allocate a nodePort: range is full", True),
    ],
)
def test_node_ports_that_the_cluster_forbids_are_done_without(
    code: int, message: str, falls_back: bool
) -> None:
    error = explain("PATCH", "/api/v1/namespaces/x/services/vitrine", code, {"message": message})
    inside = without_node_port(Manifest(SERVICE, "service.yaml"), error)
    assert (inside is not None) == falls_back
    if inside is not None:
        assert inside.object["spec"] == {"type": "ClusterIP", "ports": [{"port": 80}]}
    other = Manifest({**SERVICE, "spec": {"type": "ClusterIP"}}, "service.yaml")
    assert without_node_port(other, error) is None


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (
            "create storageclasses.storage.k8s.io",
            rights.Right("create", "storage.k8s.io", "storageclasses"),
        ),
        ("list nodes", rights.Right("list", "", "nodes")),
        ("create resourcequotas here", rights.Right("create", "", "resourcequotas", rights.OWN)),
    ],
)
def test_a_right_is_read_from_its_words(text: str, right: rights.Right) -> None:
    assert rights.parse(text) == right


@pytest.mark.parametrize("text", ["list", "list nodes there", "list nodes here now"])
def test_words_that_say_no_right_are_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        rights.parse(text)


class _OldServer(http.server.BaseHTTPRequestHandler):
    """An API server of a given version that says nothing else: every other request is answered by 403."""

    version = ""

    def do_GET(self) -> None:
        known = self.path == "/version"
        body = {"gitVersion": self.version} if known else {"message": "forbidden", "code": 403}
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def server_of(version: str, folder: Path) -> Iterator[Path]:
    """Give the kubeconfig of a server of that version."""
    handler = type("Handler", (_OldServer,), {"version": version})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        plain = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "clusters": [
                {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
            ],
            "users": [{"name": "c", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }
        file = folder / "kubeconfig"
        file.write_text(yaml.safe_dump(plain))
        yield file
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("version", ["v1.29.14", "v1.29.9-eks-1-abc", "v1.9.0"])
def test_a_cluster_that_is_too_old_is_refused(version: str, tmp_path: Path) -> None:
    with server_of(version, tmp_path) as kubeconfig:
        provider = ExistingProvider("vieux", kubeconfig=kubeconfig)
        with pytest.raises(ClusterUnreachableError, match="trop ancien") as caught:
            provider.up(Silent())
    assert version in caught.value.found and "v1.30" in caught.value.advice


@pytest.mark.parametrize("version", ["v1.30.0", "v1.31.4+k3s1", "v1.37.0"])
def test_a_cluster_that_is_recent_enough_is_asked_for_rights(version: str, tmp_path: Path) -> None:
    with server_of(version, tmp_path) as kubeconfig:
        provider = ExistingProvider("recent", kubeconfig=kubeconfig)
        with pytest.raises(ApiRefusedError, match="vous le refuse"):
            provider.up(Silent())
