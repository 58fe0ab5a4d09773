"""The images that the node of a kind cluster has: fetched by the engine, read from an archive, listed, removed."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded_kubernetes.processes import CommandError

from ... import _french
from ..._errors import ImageError
from ..._progress import Progress
from ..base import Origin, StoredImage
from .engine import Engine
from .images import BASE_NAME_LABEL, LABEL, NO_NETWORK, load_archive, reference

_PULL_S = 1200.0
_ARCHIVE_ADVICE = (
    "Faites l’archive sur une machine qui a l’image : « docker save --output ARCHIVE IMAGE » ; « podman save » "
    "convient aussi."
)
_NAME_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def pull(engine: Engine, image: str, progress: Progress) -> None:
    """Let the engine fetch an image from its registry; where that cannot be reached, what the engine has will do.

    Raises
    ------
    ImageError
        The engine cannot; says what it said.
    """
    progress.step(f"Téléchargement de l’image {image}")
    try:
        engine.run("pull", image, timeout_s=_PULL_S)
    except CommandError as error:
        if any(mark in error.found.lower() for mark in NO_NETWORK) and engine.has_image(image):
            progress.step(f"{image} : le registre ne répond pas, {engine.command} l’a déjà")
            return
        tried = f"Télécharger l’image {image} avec {engine.command}"
        raise ImageError(tried, error.found, _pull_advice(error.found)) from None


def _pull_advice(output: str) -> str:
    low = output.lower()
    if any(mark in low for mark in ("not found", "manifest unknown", "does not exist", "denied")):
        return (
            "Vérifiez le nom et l’étiquette ; un registre privé demande d’abord « docker login »."
        )
    if any(mark in low for mark in NO_NETWORK):
        return (
            "Vérifiez la connexion ; sans internet, prenez une archive faite ailleurs par « docker save » : "
            "« k8s-lab image load ARCHIVE »."
        )
    return "Corrigez ce que le message dit, puis recommencez."


def load_from(engine: Engine, cluster: str, archive: Path, progress: Progress) -> tuple[str, ...]:
    """Carry the images of an archive into the node; return their names.

    Raises
    ------
    ImageError
        It is not there or no archive of images, or the node refuses it.
    """
    tried = f"Charger l’archive {archive} dans le cluster kind « {cluster} »"
    try:
        names = _names(archive)
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        reason = "ce n’est pas une archive d’images"
        if isinstance(error, OSError):
            reason = _french.system(error)
        raise ImageError(tried, reason, _ARCHIVE_ADVICE) from None
    progress.step(f"Chargement de {', '.join(names) or archive.name} dans le cluster")
    try:
        load_archive(engine, cluster, archive)
        # The engine keeps it too, if it can (Docker reads OCI archives since version 25): `k8s-lab bundle` takes along
        # what it has, and so does the next cluster.
        engine.run("load", "--input", str(archive), timeout_s=_PULL_S, check=False)
    except CommandError as error:
        advice = "Refaites l’archive, pour cette machine : « docker save --output ARCHIVE IMAGE »."
        raise ImageError(tried, error.found, advice) from None
    return names


def _names(archive: Path) -> tuple[str, ...]:
    """Return the names in an archive of `docker save` (`manifest.json`) or of an OCI layout (`index.json`)."""
    with tarfile.open(archive) as tar:
        inside = set(tar.getnames())
        if "manifest.json" in inside:
            images = _read(tar, "manifest.json")
            return tuple(name for image in images for name in image.get("RepoTags") or ())
        if "index.json" not in inside:
            raise ValueError(archive)
        notes = [image.get("annotations", {}) for image in _read(tar, "index.json")["manifests"]]
    names = (next((note[key] for key in _NAME_ANNOTATIONS if key in note), "") for note in notes)
    return tuple(familiar(name) for name in names if name)


def _read(tar: tarfile.TarFile, name: str) -> Any:
    source = tar.extractfile(name)
    assert source is not None
    return json.load(source)


def stored(engine: Engine, node: str, noted: Mapping[str, str]) -> tuple[StoredImage, ...]:
    """Return the images of a node, by name; those without a name (a replaced build) are left out.

    Parameters
    ----------
    engine, node : Engine, str
        The node is a container of the engine.
    noted : mapping
        Where images came from, by their full names.
    """
    listed = json.loads(engine.exec(node, "crictl", "images", "--output", "json").stdout)["images"]
    bases = _bases(engine)
    return tuple(
        sorted(
            (
                StoredImage(
                    familiar(name),
                    image["id"],
                    int(image["size"]),
                    bases.get(name, ""),
                    _origin(noted.get(name), built=name in bases),
                )
                for image in listed
                for name in image["repoTags"]
            ),
            key=lambda image: image.name,
        )
    )


def _origin(noted: str | None, *, built: bool) -> Origin:
    if noted == "pulled" or noted == "loaded":
        return "pulled" if noted == "pulled" else "loaded"
    return "built" if built else "node"


def _bases(engine: Engine) -> dict[str, str]:
    """Return what the engine's images of the course were built on, by their full names."""
    listed = engine.run(
        "images", "--filter", f"label={LABEL}", "--format", "{{.Repository}}:{{.Tag}}", check=False
    ).stdout.split()
    return {reference(name): engine.image_label(name, BASE_NAME_LABEL) or "" for name in listed}


def remove(engine: Engine, cluster: str, node: str, image: str) -> None:
    """Take an image away from a node.

    Raises
    ------
    ImageError
        The node has none of that name.
    """
    full = reference(image)
    done = engine.exec(node, "crictl", "rmi", full, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"crictl : {done.returncode}"]
        raise ImageError(
            f"Supprimer l’image {image} du cluster kind « {cluster} »",
            "il n’a pas d’image de ce nom" if "no such image" in said[-1] else said[-1],
            "« k8s-lab image list » donne celles qu’il a.",
        )


def familiar(name: str) -> str:
    """Return a full name as people write it: `docker.io/library/x:1` is `x:1`."""
    return name.removeprefix("docker.io/").removeprefix("library/")
