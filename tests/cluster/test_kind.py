"""kind for real: a cluster made, used and deleted; and every way in which it can be refused."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateways import prove_gateway, prove_tls, two_versions

from embedded_kubernetes.processes import run
from k8s_helpers import _paths, labs
from k8s_helpers._errors import EngineError, ImageError, K8sHelpersError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.cluster import Cluster, Namespace
from k8s_helpers.kube.http import get
from k8s_helpers.providers.kind import addons
from k8s_helpers.providers.kind.engine import Engine, require_engine
from k8s_helpers.providers.kind.provider import KindProvider

pytestmark = pytest.mark.kind

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers: [{{name: web, image: "{image}"}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  type: NodePort
  selector: {{app: web}}
  ports: [{{port: 80, targetPort: 8080}}]
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    try:
        return require_engine()
    except EngineError as error:
        if os.environ.get("K8S_HELPERS_REQUIRE_KIND") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture
def provider(engine: Engine) -> Iterator[KindProvider]:
    """A provider of a name of its own, whose cluster is deleted after the test."""
    made = KindProvider(f"essai-{secrets.token_hex(3)}")
    yield made
    made.down(Silent())


def containers(engine: Engine, name: str) -> list[str]:
    label = f"label=io.x-k8s.kind.cluster={name}"
    return engine.run("ps", "--all", "--quiet", "--filter", label).stdout.split()


def test_an_image_is_built_loaded_once_and_answers_on_its_node_port(
    kind_cluster: Cluster, kind_namespace: Namespace
) -> None:
    image = images.ensure(kind_cluster, "vitrine", "v2", Silent())
    began_s = time.monotonic()
    assert images.ensure(kind_cluster, "vitrine", "v2", Silent()) == image
    assert time.monotonic() - began_s < 5  # nothing is built or loaded again
    kind_namespace.apply(WEB.format(image=image))
    kind_namespace.wait_rollout("web")
    address = kind_namespace.service_url("web")
    assert address.via == "node-port"
    assert get(address).version == "v2"
    (pod,) = kind_namespace.list("pods")
    done = kind_namespace.exec(pod["metadata"]["name"], ["python3", "-c", "print(6 * 7)"])
    assert done.stdout == "42\n"


def test_the_node_keeps_the_configuration_of_an_image(kind_cluster: Cluster) -> None:
    reference = images.ensure(kind_cluster, "vitrine", "v1", Silent())
    found = images.configuration(kind_cluster, reference)
    assert found["Entrypoint"] == ["python3", "-S", "/app/main.py"]
    assert found["WorkingDir"] == "/app" and found["ExposedPorts"] == {"8080/tcp": {}}
    assert "VERSION=v1" in found["Env"]
    with pytest.raises(ImageError, match="vitrine:v9"):
        images.configuration(kind_cluster, "vitrine:v9")


def test_metrics_come_by_themselves(kind_cluster: Cluster) -> None:
    end_s = time.monotonic() + 150
    while time.monotonic() < end_s:
        try:
            found = kind_cluster.api.request("GET", "/apis/metrics.k8s.io/v1beta1/nodes")["items"]
        except K8sHelpersError:
            found = []
        if found:
            assert found[0]["usage"]["cpu"] != "0"
            return
        time.sleep(1)
    pytest.fail("metrics.k8s.io gave nothing in 150 s")


def test_the_badge_and_the_status_know_the_cluster(kind_cluster: Cluster) -> None:
    status = kind_cluster.provider.status()
    assert (status.state, status.kubernetes_version) == ("running", kind_cluster.kubernetes_version)
    assert "NodePorts" in kind_cluster._repr_html_()


def test_a_life_from_up_to_down_leaves_nothing(provider: KindProvider, engine: Engine) -> None:
    """With a port taken, a stop of the node in between, a name that others cannot take; all on one cluster."""
    home = (Path.home() / ".kube" / "config").exists()
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # taken already, which is the same to us
            other.bind(("127.0.0.1", 30003))
            other.listen()
        provider.up(Silent())
    assert provider.node_port_url(30003) not in (None, "http://127.0.0.1:30003")
    assert provider.node_port_url(30016) is None
    assert provider.kubeconfig.stat().st_mode & 0o077 == 0

    began_s = time.monotonic()
    KindProvider(provider.name).up(Silent())  # another kernel finds it
    assert time.monotonic() - began_s < 10

    # A container that is just starting can be frozen by runc on old cgroups, and the engine then cannot kill the node.
    running = Cluster(provider)
    running.namespace("kube-system").wait_rollout("metrics-server", timeout_s=150)
    running.close()
    engine.run("stop", "--time", "1", f"{provider.name}-control-plane")
    assert provider.status().state == "stopped"
    provider.up(Silent())
    assert provider.status().state == "running"

    provider.down(Silent())
    assert containers(engine, provider.name) == []
    assert not provider.kubeconfig.parent.exists()
    assert provider.status().state == "absent"
    assert (Path.home() / ".kube" / "config").exists() == home


def test_a_failed_creation_leaves_nothing(
    provider: KindProvider, engine: Engine, environment: os._Environ[str]
) -> None:
    environment["K8S_HELPERS_KIND_NODE_IMAGE"] = "127.0.0.1:1/absente:v1"
    with pytest.raises(EngineError):
        provider.up(Silent())
    assert containers(engine, provider.name) == []
    assert not provider.kubeconfig.parent.exists()


def test_an_interrupted_creation_leaves_nothing(provider: KindProvider, engine: Engine) -> None:
    class Interrupting(Silent):
        def step(self, text: str, fraction: float | None = None) -> None:
            if text.startswith("Écriture") or text.startswith("Démarrage"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        provider.up(Interrupting())
    assert containers(engine, provider.name) == []
    assert not provider.kubeconfig.parent.exists()


def test_a_cluster_of_someone_else_is_neither_used_nor_deleted(
    kind_cluster: Cluster, engine: Engine, environment: os._Environ[str], tmp_path: Path
) -> None:
    environment["K8S_HELPERS_HOME"] = str(tmp_path)  # the same machine, another student
    other = KindProvider(kind_cluster.provider.name)
    assert other.status().state == "absent"
    with pytest.raises(EngineError, match="existe déjà"):
        other.up(Silent())
    other.down(Silent())
    assert containers(engine, other.name)


def test_kind_missing_is_told(
    engine: Engine, provider: KindProvider, environment: os._Environ[str], tmp_path: Path
) -> None:
    found = run(["sh", "-c", f"command -v {engine.command}"], timeout_s=5).stdout.strip()
    (tmp_path / engine.command).symlink_to(found)
    environment["PATH"] = str(tmp_path)
    with pytest.raises(EngineError, match="go install"):
        provider.up(Silent())
    assert not (_paths.state_dir() / "clusters" / "kind" / provider.name).exists()


def test_a_stopped_engine_is_told(provider: KindProvider, environment: os._Environ[str]) -> None:
    environment["DOCKER_HOST"] = "unix:///nonexistent"
    environment["KIND_EXPERIMENTAL_PROVIDER"] = "docker"
    with pytest.raises(EngineError, match="arrêté"):
        provider.up(Silent())


def test_traefik_is_installed_once_and_routes_by_host_and_by_path(
    kind_cluster: Cluster, engine: Engine
) -> None:
    if not engine.has_image(addons.ingress_image()):
        pytest.skip(f"no image {addons.ingress_image()}: toolchain/traefik/image makes one")
    recording = labs.ingress.measure(cluster=kind_cluster, progress=Silent())
    hosts, paths, nobody = ([one.answer for one in run.attempts] for run in recording.runs)
    assert hosts == ["address", "boutique", "blog", "404"]
    assert paths == ["address", "boutique", "blog", "boutique"]
    assert nobody == ["no-address", "404"]
    began_s = time.monotonic()
    kind_cluster.provider.ingress_url(Silent())
    assert time.monotonic() - began_s < 10  # nothing is installed again


def test_traefik_serves_tls_and_gateways(
    kind_cluster: Cluster, engine: Engine, tmp_path: Path
) -> None:
    if not engine.has_image(addons.ingress_image()):
        pytest.skip(f"no image {addons.ingress_image()}: toolchain/traefik/image makes one")
    name = f"portes-{secrets.token_hex(2)}"
    with kind_cluster.namespace(name) as namespace:
        services = two_versions(kind_cluster, namespace)
        prove_tls(kind_cluster, namespace, services[0], tmp_path)
        prove_gateway(kind_cluster, namespace, services)


def test_a_secret_lies_in_clear_in_etcd(kind_cluster: Cluster) -> None:
    (run,) = labs.secrets.measure(cluster=kind_cluster, progress=Silent()).runs
    assert run.attempts[-1].answer == "plaintext"
    assert kind_cluster.provider.read_etcd("/registry/secrets/personne/rien") is None
