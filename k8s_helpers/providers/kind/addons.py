"""What the course puts into a kind node: metrics-server at its start, Traefik the first time that it is asked for.

ingress-nginx was retired in March 2026; Traefik is maintained, is one program without anything beside it, and serves
Ingress and Gateway API alike (https://doc.traefik.io/traefik/).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from embedded_kubernetes.programs.binaries import KUBERNETES_VERSION

from ..._errors import ImageError, WaitTimeoutError
from ..._progress import Progress
from . import images as kind_images
from .engine import Engine

METRICS_IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
INGRESS_IMAGE = "docker.io/library/traefik:v3.7.13"
GATEWAY_CONTROLLER = "traefik.io/gateway-controller"
"""As Traefik calls itself (`controllerName` in its provider `gateway`)."""
INGRESS_VARIABLE = "K8S_HELPERS_INGRESS_IMAGE"
"""Names another image, as in a room without internet."""

_MANIFESTS = Path(__file__).with_name("manifests")
_KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
_NAMESPACE, _DEPLOYMENT = "ingress-traefik", "deployment/traefik"
_GATEWAY_OPTION = "--providers.kubernetesgateway=true"
_PULL_S, _ROLLOUT_S = 300.0, 120.0

_SCRIPT = """
set -e
export KUBECONFIG=/etc/kubernetes/admin.conf
crictl inspecti {image} > /dev/null 2>&1 || crictl pull {image}
kubectl apply --filename /kind/metrics-server.yaml
kubectl --namespace kube-system rollout status deployment/metrics-server --timeout=600s
kubectl apply --filename /kind/metrics-apiservice.yaml
"""


def install_metrics(engine: Engine, cluster: str, node: str, progress: Progress) -> None:
    """Let the node install metrics-server by itself while the student begins; without its image nothing is changed."""
    progress.step("Métriques (en arrière-plan)", 0.98)
    if engine.has_image(METRICS_IMAGE):
        kind_images.load(engine, cluster, node, METRICS_IMAGE, progress)
    for name in ("metrics-server.yaml", "metrics-apiservice.yaml"):
        text = (_MANIFESTS / name).read_text()
        engine.exec(node, "cp", "/dev/stdin", f"/kind/{name}", stdin=text)
    script = _SCRIPT.format(image=METRICS_IMAGE)
    engine.run("exec", "--detach", node, "sh", "-c", f"({script}) > /kind/metrics-server.log 2>&1")


def ingress_image() -> str:
    """Return the reference of the controller's image."""
    return os.environ.get(INGRESS_VARIABLE) or INGRESS_IMAGE


def ensure_ingress(
    engine: Engine,
    cluster: str,
    node: str,
    progress: Progress,
    definitions: Callable[[], None],
) -> None:
    """Install the controller unless it is there, and return once it is ready.

    Parameters
    ----------
    engine, cluster, node
        Where.
    progress : Progress
        Hears what is done.
    definitions : callable
        Installs Gateway API: the controller waits for it before it serves a Gateway.

    Raises
    ------
    ImageError
        Neither this machine nor the node can get its image.
    WaitTimeoutError
        It does not get ready.
    """
    if _ready(engine, node):
        return
    progress.step("Contrôleur d’Ingress (Traefik)")
    reference = ingress_image()
    if engine.has_image(reference):
        kind_images.load(engine, cluster, node, reference, progress)
    _require_image(engine, node, reference)
    definitions()
    manifest = (_MANIFESTS / "traefik.yaml").read_text(encoding="utf-8")
    manifest = manifest.replace(INGRESS_IMAGE, reference)
    engine.exec(node, *_KUBECTL, "apply", "--filename", "-", stdin=manifest)
    words = ("rollout", "status", _DEPLOYMENT, f"--timeout={_ROLLOUT_S:.0f}s")
    done = engine.exec(
        node, *_KUBECTL, "--namespace", _NAMESPACE, *words,
        timeout_s=_ROLLOUT_S + 10, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise WaitTimeoutError(
            f"Installer Traefik dans le cluster kind « {cluster} »",
            done.stderr.strip()[-300:] or done.stdout.strip()[-300:],
            f"« kubectl --namespace {_NAMESPACE} describe pods » en dit plus.",
        )


def _ready(engine: Engine, node: str) -> bool:
    template = "jsonpath={.status.readyReplicas} {.spec.template.spec.containers[0].args}"
    done = engine.exec(
        node, *_KUBECTL, "--namespace", _NAMESPACE, "get", _DEPLOYMENT, "--output", template,
        check=False,
    )  # fmt: skip
    replicas, _, arguments = done.stdout.partition(" ")
    # A cluster of a former version of the course has it without Gateway API.
    return done.returncode == 0 and replicas not in ("", "0") and _GATEWAY_OPTION in arguments


def _require_image(engine: Engine, node: str, reference: str) -> None:
    """Let the node pull the image where it has not got it."""
    if engine.exec(node, "crictl", "inspecti", reference, check=False).returncode == 0:
        return
    pulled = engine.exec(node, "crictl", "pull", reference, timeout_s=_PULL_S, check=False)
    if pulled.returncode != 0:
        raise ImageError(
            f"Télécharger l’image {reference} du contrôleur d’Ingress",
            pulled.stderr.strip()[-300:],
            f"Vérifiez la connexion à internet. Sans elle : « k8s-lab bundle load », ou une image locale nommée par "
            f"{INGRESS_VARIABLE}.",
        )


def bundled_images() -> list[str]:
    """Return the images that a kind cluster needs where there is no internet."""
    wish = os.environ.get(kind_images.NODE_IMAGE_VARIABLE)
    return [wish or f"kindest/node:{KUBERNETES_VERSION}", METRICS_IMAGE, ingress_image()]
