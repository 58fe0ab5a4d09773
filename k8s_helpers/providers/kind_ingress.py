"""Traefik as the ingress controller of a kind cluster, installed the first time that it is asked for.

ingress-nginx was retired in March 2026; Traefik is maintained, is one program without anything beside it, and serves
Ingress and Gateway API alike (https://doc.traefik.io/traefik/).
"""

from __future__ import annotations

import os
from pathlib import Path

from .._errors import ImageError, WaitTimeoutError
from .._progress import Progress
from . import kind_images
from .engine import Engine

VARIABLE = "K8S_HELPERS_INGRESS_IMAGE"
"""Names another image, as in a room without internet."""
IMAGE = "docker.io/library/traefik:v3.7.13"

_MANIFEST = Path(__file__).with_name("manifests") / "traefik.yaml"
_KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
_NAMESPACE, _DEPLOYMENT = "ingress-traefik", "deployment/traefik"
_PULL_S, _ROLLOUT_S = 300.0, 120.0


def image() -> str:
    """Return the reference of the controller's image."""
    return os.environ.get(VARIABLE) or IMAGE


def ensure(engine: Engine, cluster: str, node: str, progress: Progress) -> None:
    """Install the controller unless it is there, and return once it is ready.

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
    reference = image()
    if engine.has_image(reference):
        kind_images.load(engine, cluster, node, reference, progress)
    _require_image(engine, node, reference)
    manifest = _MANIFEST.read_text(encoding="utf-8").replace(IMAGE, reference)
    engine.run("exec", "--interactive", node, *_KUBECTL, "apply", "--filename", "-", stdin=manifest)
    words = ("rollout", "status", _DEPLOYMENT, f"--timeout={_ROLLOUT_S:.0f}s")
    done = engine.run(
        "exec", node, *_KUBECTL, "--namespace", _NAMESPACE, *words,
        timeout_s=_ROLLOUT_S + 10, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise WaitTimeoutError(
            f"Installer Traefik dans le cluster kind « {cluster} »",
            done.stderr.strip()[-300:] or done.stdout.strip()[-300:],
            f"« kubectl --namespace {_NAMESPACE} describe pods » en dit plus.",
        )


def _ready(engine: Engine, node: str) -> bool:
    template = "jsonpath={.status.readyReplicas}"
    done = engine.run(
        "exec", node, *_KUBECTL, "--namespace", _NAMESPACE, "get", _DEPLOYMENT, "--output", template,
        check=False,
    )  # fmt: skip
    return done.returncode == 0 and done.stdout.strip() not in ("", "0")


def _require_image(engine: Engine, node: str, reference: str) -> None:
    """Let the node pull the image where it has not got it."""
    if engine.run("exec", node, "crictl", "inspecti", reference, check=False).returncode == 0:
        return
    pulled = engine.run("exec", node, "crictl", "pull", reference, timeout_s=_PULL_S, check=False)
    if pulled.returncode != 0:
        raise ImageError(
            f"Télécharger l’image {reference} du contrôleur d’Ingress",
            pulled.stderr.strip()[-300:],
            f"Vérifiez la connexion à internet. Sans elle : « k8s-lab bundle load », ou une image locale nommée par "
            f"{VARIABLE}.",
        )
