"""The course's images in a registry that a cluster pulls from: built for several architectures without running them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded_kubernetes.node.images import publishing
from embedded_kubernetes.processes import CommandError, run

from .. import _paths
from .._errors import ImageError, UsageError
from .._progress import Progress
from ..kube.image_names import STAND_IN
from ..providers.base import BASE_VARIABLES
from . import host_builds, images

VERSIONS = ("v1", "v2", "v3")
"""Tags of the course's images."""

_EXTRACTION = "-Djarmode=tools"
_ARCHIVE = "-XX:ArchiveClassesAtExit"
_EXTRACTION_S = 120.0
_REGISTRY = re.compile(r"[^\s/@]+(/[^\s@:]+)*/?")


@dataclass(frozen=True)
class Publication:
    """What a registry has of the course now.

    Attributes
    ----------
    references : dict
        Each image's pinned reference by its short name: {"vitrine:v1": "…/vitrine:v1@sha256:…"}.
    sent_bytes : int
        What had to be sent.
    notes : tuple of str
        French sentences: which program is replaced by its stand-in, and why.
    """

    references: dict[str, str]
    sent_bytes: int
    notes: tuple[str, ...]

    def lines(self) -> str:
        """Return the lines that `k8s-lab class create --images` reads, one for each image."""
        return "".join(f"{name} {self.references[name]}\n" for name in sorted(self.references))


def apps() -> tuple[str, ...]:
    """Return the course's programs that have an image."""
    return tuple(
        sorted(path.parent.name for path in (_paths.COURSE / "apps").glob("*/Containerfile"))
    )


def publish(
    registry: str,
    progress: Progress,
    *,
    names: Sequence[str] = (),
    platforms: Sequence[str] = tuple(publishing.PLATFORMS),
    credentials: tuple[str, str] | None = None,
) -> Publication:
    """Give a registry the course's images, one index of all architectures for each.

    Parameters
    ----------
    registry : str
        What the references begin with: "registre.exemple.fr/cours".
    progress : Progress
        Told each image.
    names : sequence of str
        Programs; by default all.
    platforms : sequence of str
        "linux/amd64", "linux/arm64".
    credentials : (str, str), optional
        Name and password; otherwise what `docker login` has kept.

    Raises
    ------
    UsageError
        No such program, a registry with a tag.
    ImageError
        A base that cannot be had, a registry that is away or refuses; a program that does not compile.
    """
    if not _REGISTRY.fullmatch(registry):
        raise UsageError(
            f"Publier les images dans « {registry} »",
            "ce n’est pas un registre avec un chemin",
            "Écrivez par exemple : k8s-lab image push registre.exemple.fr/cours.",
        )
    unknown = set(names) - set(apps())
    if unknown:
        raise UsageError(
            f"Publier l’image de « {sorted(unknown)[0]} »",
            "le cours n’a pas ce programme",
            f"Choisissez parmi : {', '.join(apps())}.",
        )
    recipes: dict[str, publishing.Recipe] = {}
    notes: list[str] = []
    for app in names or apps():
        found, note = _recipes(registry.rstrip("/"), app, progress)
        recipes |= found
        notes += [note] if note else []
    published = publishing.push(
        list(recipes.values()), progress, platforms=platforms, credentials=credentials
    )
    pinned = {name: image.pinned for name, image in zip(recipes, published, strict=True)}
    return Publication(pinned, sum(image.sent_bytes for image in published), tuple(notes))


def _recipes(
    registry: str, app: str, progress: Progress
) -> tuple[dict[str, publishing.Recipe], str]:
    """Return what to publish of a program, by short name, and what is to be known of it.

    A program of Maven's has its stand-in beside it, for who asks for that (`K8S_HELPERS_SPRING=standin`).
    """
    folder = _paths.COURSE / "apps" / app
    stand_in = folder / host_builds.STAND_IN
    note = ""
    contexts = {}
    try:
        context = host_builds.prepare(folder, progress)
        contexts[app if context == folder else f"{app}{STAND_IN}"] = context
        if context != folder:
            note = f"« {app} » : sa doublure en Python, faute d’un JDK sur cette machine."
    except ImageError as error:
        from . import jars

        if not isinstance(error, jars.MachineError):
            raise
        note = (
            f"« {app} » : sa doublure en Python seulement ({error.found.strip().splitlines()[0]})."
        )
    if host_builds.built_by_maven(folder):
        contexts[f"{app}{STAND_IN}"] = stand_in
    recipes = {
        f"{name}:{version}": _recipe(f"{registry}/{name}:{version}", context, version)
        for name, context in contexts.items()
        for version in VERSIONS
    }
    return recipes, note


def _recipe(target: str, context: Path, version: str) -> publishing.Recipe:
    program, default = images.base((context / "Containerfile").read_text("utf-8"))
    arguments = {"VERSION": version}
    base = os.environ.get(BASE_VARIABLES[program]) or default
    if base != default:
        arguments["BASE_IMAGE"] = base
    return publishing.Recipe(context, target, arguments, _java_step)


def _java_step(text: str, folder: Path, working_dir: str) -> bool:
    """Do what the recipe of a Spring Boot program asks of Java, which must be the same for every architecture.

    The jar is unpacked with this machine's Java: its classes are portable. The archive of loaded classes is left out,
    as it serves the very virtual machine that wrote it: the program starts without it, in about twice the time.
    """
    if _ARCHIVE in text:
        return True
    if _EXTRACTION not in text:
        return False
    if shutil.which("java") is None:
        raise ImageError(
            "Déplier le jar de l’application Spring Boot",
            "Java est introuvable",
            f"Installez un JDK, ou publiez les autres : --app {' --app '.join(apps()[:2])} …",
        )
    try:
        run(["sh", "-c", text], timeout_s=_EXTRACTION_S, cwd=Path(f"{folder}{working_dir}"))
    except CommandError as error:
        raise ImageError(
            "Déplier le jar de l’application Spring Boot",
            error.found,
            "Refaites-le par « mvn package » dans apps/demarrage_lent.",
        ) from None
    return True
