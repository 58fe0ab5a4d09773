"""Images for a kind cluster: built by the engine, carried into the node by an archive."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded_kubernetes.processes import CommandError, run
from embedded_kubernetes.programs.binaries import KUBERNETES_VERSION

from ... import _paths
from ..._errors import ImageError
from ..._progress import Progress
from .engine import Engine

LABEL = "k8s-helpers.content"
BASE_NAME_LABEL = "org.opencontainers.image.base.name"
"""Label that names the image that another was built on.

Source: https://github.com/opencontainers/image-spec/blob/main/annotations.md
"""
NODE_IMAGE_VARIABLE = "K8S_HELPERS_KIND_NODE_IMAGE"
NO_NETWORK = ("no such host", "i/o timeout", "failed to resolve", "pull access", "dial tcp")
"""Words of an engine that does not reach a registry."""
_BUILD_S = 1200.0
_LOAD_S = 600.0


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


def content_hash(context: Path, tag: str, build_args: Mapping[str, str]) -> str:
    """Return a digest of all that decides what an image holds: files, their modes, arguments, tag."""
    digest = hashlib.sha256(repr((tag, sorted(build_args.items()))).encode())
    for path in sorted(context.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(context)} {path.stat().st_mode & 0o111:o}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def reference(tag: str) -> str:
    """Return the full name that the kubelet gives to a short one ("vitrine:v2")."""
    first, slash, _ = tag.partition("/")
    if not slash:
        return f"docker.io/library/{tag}"
    return tag if "." in first or ":" in first or first == "localhost" else f"docker.io/{tag}"


def build(
    engine: Engine, context: Path, tag: str, build_args: Mapping[str, str], progress: Progress
) -> None:
    """Build an image from the Containerfile of a folder, unless the engine has it of the same content.

    Raises
    ------
    ImageError
        No Containerfile, or a build that fails; with the build's last words.
    """
    recipe = context / "Containerfile"
    tried = f"Construire l’image {tag} depuis {context}"
    if not recipe.is_file():
        raise ImageError(
            tried, "il n’y a pas de Containerfile", "Vérifiez le dossier de l’application."
        )
    content = content_hash(context, tag, build_args)
    if engine.image_label(reference(tag), LABEL) == content:
        return
    progress.step(f"Construction de l’image {tag}")
    arguments = [
        word for name, value in build_args.items() for word in ("--build-arg", f"{name}={value}")
    ]
    labels = {LABEL: content}
    if base := _base(recipe.read_text(), build_args):
        labels[BASE_NAME_LABEL] = base
    arguments += [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    try:
        engine.run(
            "build", "--file", str(recipe), "--tag", reference(tag), *arguments, str(context),
            timeout_s=_BUILD_S,
        )  # fmt: skip
    except CommandError as error:
        raise ImageError(tried, error.found, _build_advice(error.found)) from None


def _build_advice(output: str) -> str:
    low = output.lower()
    if any(mark in low for mark in NO_NETWORK):
        return (
            "L’image de base n’a pas pu être téléchargée : vérifiez la connexion, ou nommez une image locale par "
            "K8S_HELPERS_BASE_IMAGE_PYTHON ou K8S_HELPERS_BASE_IMAGE_JAVA."
        )
    if "no space left" in low:
        return "Libérez de la place sur le disque (« docker system prune »), puis recommencez."
    return "Corrigez le Containerfile là où le message le dit."


def _base(containerfile: str, build_args: Mapping[str, str]) -> str:
    """Return what the last stage stands on, where it is a name or the argument `BASE_IMAGE`."""
    bases = re.findall(r"^FROM\s+(\S+)", containerfile, re.MULTILINE | re.IGNORECASE)
    if not bases or "$" not in bases[-1]:
        return bases[-1] if bases else ""
    default = re.search(r"^ARG BASE_IMAGE=(\S+)", containerfile, re.MULTILINE)
    return build_args.get("BASE_IMAGE", default[1] if default else "")


def load(engine: Engine, cluster: str, node: str, image: str, progress: Progress) -> None:
    """Carry an image of the engine into the node, unless the node has that very one.

    `kind load docker-image` fails with Docker 29 and later on images of several platforms; an archive does not.

    Raises
    ------
    ImageError
        The engine cannot write it, or the node cannot take it.
    """
    if _in_node(engine, node, image) == _in_engine(engine, image):
        return
    progress.step(f"Chargement de l’image {image} dans le cluster")
    tried = f"Charger l’image {image} dans le cluster kind « {cluster} »"
    with tempfile.TemporaryDirectory(prefix="image-", dir=_paths.cache_dir()) as folder:
        archive = Path(folder) / "image.tar"
        try:
            engine.save(image, archive, _LOAD_S)
            load_archive(engine, cluster, archive)
        except CommandError as error:
            advice = (
                "Vérifiez la place libre sur le disque et l’état du cluster (« k8s-lab status »)."
            )
            raise ImageError(tried, error.found, advice) from None


def load_archive(engine: Engine, cluster: str, archive: Path) -> None:
    """Let `kind` carry an archive of images into its node; `CommandError` where it fails."""
    argv = ["kind", "load", "image-archive", "--name", cluster, str(archive)]
    run(argv, timeout_s=_LOAD_S, env=engine.environment)


def configuration(engine: Engine, node: str, image: str) -> dict[str, Any] | None:
    """Return the `config` object of an image's OCI configuration, as the node's containerd keeps it."""
    done = engine.exec(node, "crictl", "inspecti", "--output", "json", image, check=False)
    if done.returncode != 0:
        return None
    return dict(json.loads(done.stdout)["info"]["imageSpec"]["config"])


def _in_engine(engine: Engine, image: str) -> str | None:
    done = engine.run("image", "inspect", "--format", "{{.Id}}", image, check=False)
    return _digest(done.stdout) if done.returncode == 0 else None


def _in_node(engine: Engine, node: str, image: str) -> str:
    done = engine.exec(
        node, "crictl", "inspecti", "--output", "go-template", "--template", "{{.status.id}}", image,
        check=False,
    )  # fmt: skip
    return _digest(done.stdout)


def _digest(text: str) -> str:
    return text.strip().strip('"').removeprefix("sha256:")
