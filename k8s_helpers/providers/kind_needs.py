"""The images that a kind cluster is made of, and where they come from."""

from __future__ import annotations

import os

from ..embedded.binaries import KUBERNETES_VERSION
from . import kind_ingress, kind_metrics
from .engine import Engine

NODE_IMAGE_VARIABLE = "K8S_HELPERS_KIND_NODE_IMAGE"


def node_image(engine: Engine) -> str | None:
    """Return the node image to use; None leaves the choice to `kind`, which downloads the one of its release.

    `K8S_HELPERS_KIND_NODE_IMAGE` decides; otherwise an image of the course's Kubernetes version that the engine has.
    """
    if wish := os.environ.get(NODE_IMAGE_VARIABLE):
        return wish
    minor = KUBERNETES_VERSION.rpartition(".")[0]
    listed = engine.run(
        "images", "kindest/node", "--format", "{{.Repository}}:{{.Tag}}", check=False
    )
    local = [name for name in listed.stdout.split() if f":{minor}." in name]
    return max(local, key=lambda name: int(name.rpartition(".")[2])) if local else None


def bundled_images() -> list[str]:
    """Return the images that a kind cluster needs where there is no internet."""
    wish = os.environ.get(NODE_IMAGE_VARIABLE)
    return [wish or f"kindest/node:{KUBERNETES_VERSION}", kind_metrics.IMAGE, kind_ingress.image()]
