"""The images of this user: pulled and loaded ones, which all clusters share, and what each cluster has besides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ... import paths
from ...errors import ImageError
from ...progress import Progress, Silent

if TYPE_CHECKING:
    from ..cri import ImageConfig
    from .content.references import Reference
    from .store import Store

Origin = Literal["host", "built", "pulled", "loaded", "node", "registry"]
"""This machine's programs; a Containerfile; a registry; an archive; "node" where a node does not tell; "registry"
where nodes pull."""


@dataclass(frozen=True)
class StoredImage:
    """An image that a cluster can run without fetching it.

    Attributes
    ----------
    name : str
        As a manifest may write it.
    image_id : str
        "sha256:…".
    size_bytes : int
        Of what it brings.
    base : str
        The image that it was built on, where it says so; "" otherwise.
    origin : Origin
        Where it comes from.
    """

    name: str
    image_id: str
    size_bytes: int
    base: str
    origin: Origin


def load(archive: Path, progress: Progress) -> tuple[str, ...]:
    """Take the images of an archive (`docker save`, `podman save`, OCI) into the shared store; return their names.

    Raises
    ------
    ImageError
        It is no image, one of another architecture, broken, or the disk is full.
    """
    from .content import archives
    from .content.content_store import ContentStore

    names = asyncio.run(archives.load(ContentStore(), archive, progress))
    return tuple(name.familiar for name in names)


def pull(name: str, progress: Progress) -> str:
    """Take an image from its registry into the shared store, as that has it now; return its name.

    Raises
    ------
    ImageError
        No such image, a registry that is away or refuses, a broken layer, a full disk.
    """
    from .content.oci import PullError
    from .content.references import ReferenceFormatError, parse

    tried = f"Télécharger l’image « {name} »"
    _refuse_host(tried, name)
    try:
        reference = parse(name)
        asyncio.run(_pull(reference, progress))
    except ReferenceFormatError as error:
        raise ImageError(tried, str(error), "Écrivez son nom ainsi : busybox:1.36.") from None
    except PullError as error:
        raise ImageError(tried, str(error), _advice(error.number)) from None
    return reference.familiar


async def _pull(reference: Reference, progress: Progress) -> None:
    from .content import pulling, registry
    from .content.content_store import ContentStore

    def on_bytes(done: int, total: int) -> None:
        progress.step(f"Image {reference.familiar}", done / total if total else None)

    async with registry.session() as session:
        await pulling.pull(ContentStore(), session, reference, on_bytes=on_bytes)


def _advice(number: int) -> str:
    from .content import endpoints

    if number:
        return "Libérez de la place sur le disque (df -h), puis recommencez ; rien n’est resté à moitié."
    return (
        "Vérifiez le nom et le réseau ; un miroir se nomme dans la variable "
        f"{endpoints.variable()}, une archive se charge par « {paths.command()} image load FICHIER »."
    )


def build(
    store: Path,
    context: Path,
    tag: str,
    build_args: Mapping[str, str],
    progress: Progress | None = None,
) -> ImageConfig:
    """Build the image `tag` from the Containerfile of a folder.

    Nothing is done where an image of the same instructions, arguments and files is there already.

    Parameters
    ----------
    store : Path
        The cluster's `images` folder.
    context : Path
        Folder with `Containerfile` (or `Dockerfile`) and the files that it copies.
    tag : str
        The image's name, `vitrine:v2`.
    build_args : mapping
        Values for `ARG`.
    progress : Progress, optional
        Told of the images that have to be fetched.

    Raises
    ------
    ImageError
        No Containerfile, a base that is not here and cannot be pulled, an instruction that this cluster cannot run, a
        step that failed, a full disk.
    """
    from .builder import Build
    from .store import Store

    try:
        images = Store(store)
        with images.locked():
            made = Build(
                context, tag, build_args, images.path, _finder(images, progress or Silent())
            )
            key = made.key()
            if not (images.path / key).is_dir():
                with images.shared.used(made.layers()):
                    made.run(key)
                    images.shared.pin(images.path / key, images.read(key, tag).layers)
            images.name(tag, key)
        image = images.get(tag)
    except OSError as error:
        raise ImageError(
            f"Construire l’image « {tag} » dans {store}",
            f"{error.strerror} ({error.filename})",
            "Vérifiez que le disque n’est pas plein (df -h) et que ces fichiers sont à vous.",
        ) from error
    assert image is not None
    return image


def _finder(images: Store, progress: Progress) -> Callable[[str], ImageConfig | None]:
    """Return what finds the images that a build takes from: those that are here first, then those of registries."""
    from . import bases
    from .names import normalise

    def find(name: str) -> ImageConfig | None:
        image = images.get(name)
        if image is None and not bases.is_host(normalise(name)):
            pull(name, progress)
            image = images.get(name)
        return image

    return find


def stored(cluster: Path | None = None) -> tuple[StoredImage, ...]:
    """Return what can be run without fetching it: built in, pulled, loaded, and built by a cluster; by name.

    Parameters
    ----------
    cluster : Path, optional
        The folder of its images; no image of a cluster's own is there without it.
    """
    from . import bases
    from .store import Store

    images = [*_shared()]
    if cluster is not None:
        own = Store(cluster)
        images += [_listed(image.reference, image, "built") for image in own.built()]
        images += [
            _listed(name, image, "host")
            for name in bases.names()
            if (image := own.get(name)) is not None
        ]
    return tuple(sorted(images, key=lambda image: image.name))


def _shared() -> Iterator[StoredImage]:
    from .content.content_store import ContentStore

    store = ContentStore()
    for kept in store.names().values():
        if kept.reference.tag and (image := store.image(kept.reference)) is not None:
            origin: Origin = "pulled" if kept.pulled else "loaded"
            yield _listed(kept.reference.familiar, image, origin)


def _listed(name: str, image: ImageConfig, origin: Origin) -> StoredImage:
    from . import bases

    base = "" if image.built_in else image.labels.get(bases.BASE_NAME_LABEL, "")
    return StoredImage(name, image.image_id, image.size_bytes, base, origin)


def remove(reference: str, cluster: Path | None = None) -> None:
    """Take an image away: a cluster's own, or else a shared one, for all clusters.

    Containers that run on it go on.

    Parameters
    ----------
    reference : str
        Its name.
    cluster : Path, optional
        The folder of a cluster's own images.

    Raises
    ------
    ImageError
        There is none of that name, or it is made of this machine's programs.
    """
    from .content.content_store import ContentStore
    from .store import Store

    tried = f"Supprimer l’image « {reference} »"
    name = _parsed(tried, reference)
    _refuse_host(tried, reference)
    if cluster is not None and Store(cluster).remove(reference):
        return
    if not ContentStore().remove(name):
        raise _absent(tried, reference)


def save(reference: str, archive: Path) -> None:
    """Write a pulled or loaded image into an archive, for `load` on another machine.

    Raises
    ------
    ImageError
        There is none of that name.
    CommandError
        A file of it cannot be read, or there is no place.
    """
    from .content import export
    from .content.content_store import ContentStore

    tried = f"Archiver l’image « {reference} »"
    store = ContentStore()
    name = _parsed(tried, reference)
    image = store.image(name)
    if image is None:
        raise _absent(tried, reference)
    with store.used(image.layers):
        export.save(image, [name.familiar], archive, store.owners)


def _parsed(tried: str, reference: str) -> Reference:
    from .content.references import ReferenceFormatError, parse

    try:
        return parse(reference)
    except ReferenceFormatError as error:
        raise ImageError(
            tried, f"ce n’est pas un nom d’image ({error})", "Écrivez par exemple : nginx:1.29."
        ) from None


def _refuse_host(tried: str, reference: str) -> None:
    """Raise where an image is made of this machine's programs: no registry has it, nobody can take it away."""
    from . import bases
    from .names import normalise

    name = normalise(reference)
    if not bases.is_host(name):
        return
    if bases.find(name) is None:
        raise ImageError(tried, *bases.refusal(name))
    raise ImageError(
        tried,
        "ce sont les programmes de cette machine",
        "Il n’y a rien à en faire : elle est toujours là, et ne prend pas de place.",
    )


def _absent(tried: str, reference: str) -> ImageError:
    return ImageError(
        tried,
        "aucune image de ce nom n’est ici",
        f"« {paths.command()} image list » donne celles qui y sont.",
    )
