"""The course's own programs as images in the cluster in use: one Containerfile for every provider."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import _paths
from .._errors import ImageError, UsageError
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..cluster import Cluster
from ..kube.image_names import STAND_IN
from ..providers.base import BASE_VARIABLES, BaseProgram
from . import host_builds

SPRING = "demarrage_lent"
"""The app of slide 4.06."""

SPRING_VARIABLE = "K8S_HELPERS_SPRING"
"""Environment variable that asks for the real program (`real`) or for its stand-in (`standin`)."""

_REAL = "L’application est la vraie, Spring Boot sur Java."

_DEFAULT_BASE = re.compile(r"^ARG BASE_IMAGE=(\S+)", re.MULTILINE)
_JAVA_BASE = re.compile("java|jre|jdk|temurin")


@dataclass(frozen=True)
class SpringImage:
    """The slow Spring Boot program's image, or its stand-in's.

    Attributes
    ----------
    ref : str
        Reference for manifests.
    real : bool
        False where a Python program of the same behaviour stands in: the experiment shows `reason`.
    reason : str
        One French sentence that says what runs and why.
    """

    ref: str
    real: bool
    reason: str

    def parameters(self) -> dict[str, str]:
        """Return what a run keeps of it."""
        return {
            "program": "java" if self.real else "python",
            "stand_in": "" if self.real else self.reason,
        }


@stoppable
def ensure(cluster: Cluster, app: str, version: str, progress: Progress | None = None) -> str:
    """Make an app's image runnable in the cluster, and return its reference for manifests.

    Nothing is built where the cluster has the image of the same content already. A Java program is compiled on this
    machine first; where there is no Java, its stand-in is built under the same name (`stands_in` tells).

    Parameters
    ----------
    cluster : Cluster
        Where it shall run.
    app : str
        A folder of `apps/`.
    version : str
        Image tag, and build argument `VERSION` of its Containerfile ("v2").
    progress : Progress, optional
        Told each step.

    Raises
    ------
    ImageError
        No such app, or a build that fails; also Maven's, which makes the jar of a Java app first.
    """
    context = _paths.COURSE / "apps" / app
    if not (context / "Containerfile").is_file():
        folder = _paths.COURSE / "apps"
        known = sorted(path.parent.name for path in folder.glob("*/Containerfile"))
        raise ImageError(
            f"Construire l’image de « {app} »",
            f"{context / 'Containerfile'} n’existe pas",
            f"Choisissez parmi : {', '.join(known) or 'aucune application'}.",
        )
    with reporting(progress) as reporter:
        if not cluster.provider.builds_images:
            return _pulled(cluster, context, f"{app}:{version}", reporter)
        context = host_builds.prepare(context, reporter)
        return _build(cluster, context, f"{app}:{version}", version, reporter)


def _pulled(cluster: Cluster, context: Path, tag: str, progress: Progress) -> str:
    """Return what an image is called on a cluster that pulls it; nothing of it is made here."""
    names = cluster.provider.image_names
    reference = names.full(tag)
    if reference not in names.pinned.values():
        cluster.provider.build_image(context, tag, {}, progress)
    return reference


@stoppable
def configuration(cluster: Cluster, reference: str) -> dict[str, Any]:
    """Return what an image says of how to run it, as the cluster's node keeps it.

    Parameters
    ----------
    cluster : Cluster
        Whose node is asked.
    reference : str
        As `ensure` returned it, or as a manifest names it.

    Returns
    -------
    dict
        The `config` object of its OCI configuration: "Entrypoint", "Cmd", "Env", "WorkingDir", "ExposedPorts" …

    Raises
    ------
    ImageError
        The node has no such image.
    PlatformError
        The cluster's nodes are not open to the course.
    """
    config = cluster.provider.image_configuration(reference)
    if config is None:
        raise ImageError(
            f"Lire la configuration de l’image « {reference} »",
            "le nœud n’a pas cette image",
            'Faites-la d’abord : images.ensure(cluster, "vitrine", "v1").',
        )
    return config


@stoppable
def spring(cluster: Cluster, version: str, progress: Progress | None = None) -> SpringImage:
    """Make the slow Spring Boot program of slide 4.06 runnable in the cluster, or its stand-in.

    The stand-in comes where this machine cannot have the real one: no Maven and no jar, or no Java for the embedded
    cluster. `K8S_HELPERS_SPRING` (`real` or `standin`) decides otherwise.

    Parameters
    ----------
    cluster : Cluster
        Where it shall run.
    version : str
        "v1" or "v2".
    progress : Progress, optional
        Told each step.

    Raises
    ------
    ImageError
        A build that fails, a source that does not compile; with `real`, a machine that cannot.
    UsageError
        Another value in `K8S_HELPERS_SPRING`.
    """
    from . import jars  # what measures imports little

    wish = os.environ.get(SPRING_VARIABLE, "")
    if wish not in ("", "real", "standin"):
        raise UsageError(
            f"Choisir l’application Spring Boot par {SPRING_VARIABLE}",
            f"« {wish} » n’est pas un choix",
            "Écrivez real ou standin, ou retirez cette variable.",
        )
    if not cluster.provider.builds_images:
        return _spring_pulled(cluster, version, wish, progress)
    if wish == "standin":
        return _standin(cluster, version, progress, f"{SPRING_VARIABLE}=standin le demande")
    try:
        if cluster.provider.kind == "embedded":
            _require_java()
        reference = ensure(cluster, SPRING, version, progress)
    except jars.MachineError as error:
        if wish == "real":
            raise
        return _standin(cluster, version, progress, error.found.strip().partition("\n")[0])
    return SpringImage(reference, True, _REAL)


def _spring_pulled(
    cluster: Cluster, version: str, wish: str, progress: Progress | None
) -> SpringImage:
    """Return the one of both that the cluster can pull: a registry has the stand-in always (`publication`)."""
    names = cluster.provider.image_names
    pinned = f"{SPRING}:{version}" in names.pinned
    if wish == "real" or (pinned and wish != "standin"):
        return SpringImage(ensure(cluster, SPRING, version, progress), True, _REAL)
    if wish == "standin":
        why = f"{SPRING_VARIABLE}=standin le demande"
    elif names.pinned:
        why = "le registre de votre classe n’a pas la vraie"
    else:
        why = f"rien ne dit si votre registre a la vraie ({SPRING_VARIABLE}=real la demande)"
    return _standin(cluster, version, progress, why)


def _require_java() -> None:
    """Raise where the embedded cluster, whose containers run this machine's programs, has no Java for the jar."""
    from . import jars

    version = jars.java_version()
    if version is None or version < jars.JAVA_VERSION:
        raise jars.MachineError(
            "Lancer l’application Spring Boot dans le cluster embarqué",
            "Java est introuvable"
            if version is None
            else f"Java {version} est trop ancien, il faut Java {jars.JAVA_VERSION}",
            f"Installez-le (« apt install openjdk-{jars.JAVA_VERSION}-jdk-headless », ou conda), puis redémarrez le "
            "cluster (« k8s-lab down », « k8s-lab up »).",
        )


def _standin(cluster: Cluster, version: str, progress: Progress | None, why: str) -> SpringImage:
    context = _paths.COURSE / "apps" / SPRING / "standin"
    tag = f"{SPRING}{STAND_IN}:{version}"
    with reporting(progress) as reporter:
        if cluster.provider.builds_images:
            reference = _build(cluster, context, tag, version, reporter)
        else:
            reference = _pulled(cluster, context, tag, reporter)
    reason = (
        "Un programme Python de même comportement remplace ici l’application Spring Boot : "
        f"{why.rstrip('.')}. « k8s-lab doctor » dit comment avoir la vraie."
    )
    return SpringImage(reference, False, reason.replace(" : ", "\N{NO-BREAK SPACE}: "))


def _build(cluster: Cluster, context: Path, tag: str, version: str, progress: Progress) -> str:
    arguments = {"VERSION": version}
    program, default = base((context / "Containerfile").read_text())
    wished = cluster.provider.base_image(program, default)
    if wished != default:
        arguments["BASE_IMAGE"] = wished
    cluster.provider.build_image(context, tag, arguments, progress)
    return f"{cluster.provider.image_prefix}{tag}"


def stands_in(app: str, cluster: Cluster | None = None) -> bool:
    """Return whether an app is its stand-in in Python: for lack of Java here, or in a cluster's registry."""
    if cluster is not None and not cluster.provider.builds_images:
        return f"{app}{STAND_IN}:" in cluster.provider.image_names.full(f"{app}:v1")
    return host_builds.is_stand_in(_paths.COURSE / "apps" / app)


def base_images() -> list[str]:
    """Return the images that the course's programs are built on, for a room without internet."""
    images = set()
    for containerfile in (_paths.COURSE / "apps").rglob("Containerfile"):
        program, default = base(containerfile.read_text())
        images.add(os.environ.get(BASE_VARIABLES[program]) or default)
    return sorted(images - {""})


def base(containerfile: str) -> tuple[BaseProgram, str]:
    """Return what an app's base must be able to run, and which image its Containerfile takes by default."""
    match = _DEFAULT_BASE.search(containerfile)
    default = match[1] if match else ""
    return "java" if _JAVA_BASE.search(default) else "python", default
