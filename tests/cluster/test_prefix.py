"""A cluster whose containers have no namespaces: what it shows all the same, and what it refuses in so many words."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from live import eventually, pod
from pod_states import eventually_told, sh, status_of, told, waiting_for

from embedded_kubernetes.node import isolation
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import Cluster, badge
from k8s_helpers.providers.embedded import EmbeddedProvider
from k8s_helpers.providers.embedded_facts import WITHOUT_NAMESPACES

if TYPE_CHECKING:
    from k8s_helpers.cluster import Namespace

WHY = "this node has no mount namespaces for its containers"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of this file's own."""
    provider = EmbeddedProvider("prefixe")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(isolation.variable(), "prefix")
        provider.up(Silent())
    yield Cluster(provider)
    provider.down(Silent())


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    made = cluster.namespace(f"sans-{secrets.token_hex(2)}").create()
    yield made
    made.delete(timeout_s=0)


def test_the_node_and_the_badge_say_it(cluster: Cluster) -> None:
    (node,) = cluster.nodes()
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].endswith("-prefix")
    shown = badge.html(cluster.provider, "v1.37.0")
    assert all(fact.subject in shown for fact in WITHOUT_NAMESPACES)
    assert "readOnlyRootFilesystem est refusé" in shown
    assert "readOnlyRootFilesystem" not in badge.html(EmbeddedProvider("autre"), "v1.37.0")


def test_a_read_only_root_is_refused_with_the_reason(namespace: Namespace) -> None:
    security = {"securityContext": {"readOnlyRootFilesystem": True}}
    namespace.apply(pod("sealed", sh("main", "exec sleep 1000", **security)))
    found = namespace.wait(
        "pod", "sealed", lambda now: waiting_for(now, "main") == "CreateContainerConfigError"
    )
    message = status_of(found, "main")["state"]["waiting"]["message"]
    assert message == f"readOnlyRootFilesystem cannot be enforced: {WHY}"
    eventually_told(namespace, "sealed", "Failed", f"Error: {message}")


def test_a_read_only_volume_is_told_not_to_be_one(namespace: Namespace) -> None:
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "site"},
            "data": {"a": "A"},
        }
    )
    volumes: list[dict[str, Any]] = [
        {"name": "work", "emptyDir": {}},
        {"name": "site", "configMap": {"name": "site"}},
    ]
    mounts = {
        "volumeMounts": [
            {"name": "work", "mountPath": "/work", "readOnly": True},
            {"name": "site", "mountPath": "/site", "readOnly": True},
        ]
    }
    plain = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    namespace.apply(pod("reads", sh("main", "exec sleep 1000", **mounts), volumes=volumes))
    namespace.apply(pod("writes", sh("main", "exec sleep 1000", **plain), volumes=volumes[:1]))
    for name in ("reads", "writes"):
        namespace.wait("pod", name, "Ready")
    message = eventually_told(namespace, "reads", "NotEnforced", "readOnly")
    assert message == f'readOnly of volume "work" is not enforced: {WHY}'
    eventually_told(namespace, "writes", "Started")
    assert "NotEnforced" not in dict(told(namespace, "writes"))


def test_a_file_mounted_alone_stays_as_it_was(namespace: Namespace) -> None:
    def configure(text: str) -> None:
        namespace.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "site"},
                "data": {"page": text},
            }
        )

    configure("one")
    mounts = {
        "volumeMounts": [
            {"name": "site", "mountPath": "/whole"},
            {"name": "site", "mountPath": "/etc/shop/page", "subPath": "page"},
        ]
    }
    volumes = [{"name": "site", "configMap": {"name": "site"}}]
    namespace.apply(pod("reads", sh("main", "exec sleep 1000", **mounts), volumes=volumes))
    namespace.wait("pod", "reads", "Ready")

    def read(path: str) -> str:
        return namespace.exec("reads", ["cat", path]).stdout

    configure("two")
    eventually(lambda: read("/whole/page") == "two")
    assert read("/etc/shop/page") == "one"
