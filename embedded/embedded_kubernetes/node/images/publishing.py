"""Images given to a registry for several architectures, each as one OCI index: what `docker buildx build --push` does.

Nothing runs and nothing is unpacked: layers of bases go from their registry to the other as they are, and only those
that it lacks; what a Containerfile adds is one layer (see `portable`). The same files give the same digests.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from ... import paths
from ...errors import ImageError, system
from ...progress import Progress
from . import portable
from .content import docker_config, endpoints, oci, registry
from .content.credentials import Credentials
from .content.references import Reference, ReferenceFormatError, parse
from .content.uploading import LocalBlob, RefusedError, Repository
from .portable import PlatformBase, PortableBuild

Platform = tuple[str, str]
"""Architecture and variant, as images name them: ("amd64", ""), ("arm64", "v8")."""

PLATFORMS: Mapping[str, Platform] = {"linux/amd64": ("amd64", ""), "linux/arm64": ("arm64", "v8")}

_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_AT_ONCE = 3


@dataclass(frozen=True)
class Recipe:
    """What an image is made of.

    Attributes
    ----------
    context : Path
        Folder with the Containerfile.
    target : str
        The reference that it shall have: "registre.exemple.fr/cours/vitrine:v1".
    build_args : mapping
        Values for `ARG`.
    step : callable
        Does a `RUN` without the base's programs (see `portable.Step`).
    """

    context: Path
    target: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    step: portable.Step = portable.unstepped


@dataclass(frozen=True)
class PublishedImage:
    """An image that a registry has now.

    Attributes
    ----------
    reference : str
        Its name.
    digest : str
        Of its index: the same content has the same, wherever it was made.
    sent_bytes : int
        What had to be sent; 0 where all of it was there.
    """

    reference: str
    digest: str
    sent_bytes: int

    @property
    def pinned(self) -> str:
        """The reference that no later push changes: `…/vitrine:v1@sha256:…`."""
        return f"{self.reference}@{self.digest}"


def push(
    recipes: Sequence[Recipe],
    progress: Progress,
    *,
    platforms: Sequence[str] = tuple(PLATFORMS),
    credentials: tuple[str, str] | None = None,
) -> tuple[PublishedImage, ...]:
    """Build images without running anything, and give them to their registries.

    Parameters
    ----------
    recipes : sequence of Recipe
        Which ones; what several share is sent once.
    progress : Progress
        Told each image.
    platforms : sequence of str
        Of `PLATFORMS`.
    credentials : (str, str), optional
        Name and password at the targets' registries; otherwise what `docker login` or `podman login` has kept.

    Raises
    ------
    ImageError
        A Containerfile that needs its base's programs, a base that is not to be had for a platform, a registry that is
        away or refuses.
    """
    known = None if credentials is None else Credentials(*credentials)
    return asyncio.run(_push(recipes, progress, platforms, known))


def registries(references: Iterable[str]) -> tuple[str, ...]:
    """Return the registries of some images, each once.

    Raises
    ------
    ImageError
        One is no image's name.
    """
    domains = []
    for reference in references:
        try:
            domains.append(parse(reference).domain)
        except ReferenceFormatError as error:
            raise ImageError(
                f"Lire le nom d’image « {reference} »",
                str(error),
                "Écrivez par exemple : nginx:1.29.",
            ) from None
    return tuple(dict.fromkeys(domains))


def identity(config: Mapping[str, Any], domain: str) -> tuple[str, str] | None:
    """Return name and password that a Docker configuration has for a registry; None where it has none that nodes take.

    Raises
    ------
    ImageError
        They are kept by a program that is not here or fails.
    """
    try:
        known = docker_config.identity(config, domain)
    except docker_config.HelperError as error:
        raise ImageError(
            f"Lire l’identité pour {domain}",
            str(error),
            'Écrivez-la dans un fichier : {"auths": {"REGISTRE": {"username": …, "password": …}}}.',
        ) from None
    return None if known is None or not known.password else (known.username, known.password)


def login_key(domain: str) -> str:
    """Return how a Docker configuration names a registry."""
    return docker_config.key(domain)


async def _push(
    recipes: Sequence[Recipe],
    progress: Progress,
    platforms: Sequence[str],
    known: Credentials | None,
) -> tuple[PublishedImage, ...]:
    published = []
    with TemporaryDirectory(prefix="image-push-") as scratch:
        async with registry.session() as session:
            publisher = _Publisher(session, Path(scratch), platforms, known)
            for number, recipe in enumerate(recipes):
                progress.step(f"Image {recipe.target}", number / len(recipes))
                published.append(await _explained(publisher, recipe))
    return tuple(published)


async def _explained(publisher: _Publisher, recipe: Recipe) -> PublishedImage:
    tried = f"Publier l’image « {recipe.target} »"
    try:
        return await publisher.publish(recipe, parse(recipe.target))
    except ReferenceFormatError as error:
        raise ImageError(
            tried,
            f"ce n’est pas un nom d’image ({error})",
            "Donnez un registre et un chemin en minuscules : registre.exemple.fr/cours.",
        ) from None
    except docker_config.HelperError as error:
        raise ImageError(
            tried,
            f"l’identité gardée par « docker login » ne se lit pas ({error})",
            "Donnez-la vous-même : --username NOM --password-stdin.",
        ) from None
    except (registry.RegistryError, oci.ImageFormatError) as error:
        raise ImageError(tried, *refusal(error, parse(recipe.target).domain)) from None
    except OSError as error:
        raise ImageError(
            tried,
            f"{system(error)} ({error.filename})" if error.filename else system(error),
            "Il faut de la place pour les couches de l’image de base : désignez-en par TMPDIR.",
        ) from None


class _BaseError(registry.RegistryError):
    """An image to build on that cannot be had; the words are a registry's."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name


class _Publisher:
    """What one call knows: the bases that it has read, and which repository has which blob."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        scratch: Path,
        platforms: Sequence[str],
        known: Credentials | None,
    ) -> None:
        self._session = session
        self._scratch = scratch
        self._platforms = {name: PLATFORMS[name] for name in platforms}
        self._known = known
        self._bases: dict[str, dict[str, PlatformBase]] = {}
        self._holders: dict[str, list[Reference]] = {}
        self._targets: list[Reference] = []
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def publish(self, recipe: Recipe, target: Reference) -> PublishedImage:
        """Have one image in its registry."""
        name = self._build(recipe, target, {}).base_name()
        bases = await self._base(name, recipe)
        repository = self._repository(target)
        self._targets.append(target)
        sent, entries = 0, []
        for platform, (architecture, variant) in self._platforms.items():
            build = self._build(recipe, target, {name: bases[platform]})
            with TemporaryDirectory(dir=self._scratch) as scratch:
                blobs, config = await asyncio.to_thread(build.make, Path(scratch))
                path = Path(scratch) / "config.json"
                path.write_bytes(_canonical(config))
                own = [*blobs, LocalBlob.of(path, oci.OCI_CONFIG)]
                sent += await self._have_all(repository, target, bases[platform], own)
            manifest = _manifest(bases[platform].layers, own)
            digest = await repository.put_manifest(manifest, oci.OCI_MANIFEST, _digest(manifest))
            meant = {"architecture": architecture, "os": "linux"}
            meant |= {"variant": variant} if variant else {}
            entries.append(
                {"mediaType": oci.OCI_MANIFEST, "digest": digest, "size": len(manifest)}
                | {"platform": meant}
            )
        index = _canonical({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": entries})
        if await repository.tagged(target.tag) != _digest(index):  # a tag may be immutable
            await repository.put_manifest(index, oci.OCI_INDEX, target.tag)
        return PublishedImage(target.full, _digest(index), sent)

    def _build(
        self, recipe: Recipe, target: Reference, bases: Mapping[str, PlatformBase]
    ) -> PortableBuild:
        def base(name: str) -> PlatformBase:
            if name in bases:
                return bases[name]
            raise ImageError(
                f"Prendre des fichiers de l’image « {name} »",
                "une image faite pour plusieurs architectures ne copie que du dossier de son Containerfile",
                "Construisez-la par « docker buildx build --platform … ».",
            )

        return PortableBuild(recipe.context, target.full, recipe.build_args, base, recipe.step)

    def _repository(self, target: Reference) -> Repository:
        """Return the repository to write, which may take blobs from others of its registry."""
        known = self._known or docker_config.stored(target.domain)
        others = [
            *self._targets,
            *(reference for held in self._holders.values() for reference in held),
        ]
        mounts = dict.fromkeys(other.path for other in others if other.domain == target.domain)
        return Repository(self._session, target, known, tuple(mounts))

    # Bases

    async def _base(self, name: str, recipe: Recipe) -> dict[str, PlatformBase]:
        """Return an image to build on, for each platform; its layers are known to be in its own repository."""
        if name not in self._bases:
            try:
                reference = parse(name)
                known = docker_config.stored(reference.domain)
                source = registry.Registry(self._session, reference, known)
                self._bases[name] = await self._read(name, source)
            except ReferenceFormatError as error:
                raise _BaseError(name, str(error)) from None
            except (registry.RegistryError, oci.ImageFormatError) as error:
                raise _BaseError(name, str(error)) from None
            for base in self._bases[name].values():
                for layer in base.layers:
                    self._holders.setdefault(layer.digest, []).append(reference)
        return self._bases[name]

    async def _read(self, name: str, source: registry.Registry) -> dict[str, PlatformBase]:
        target = await source.resolve()
        plain = oci.document(await source.document(target, "manifest"), target.digest)
        index = plain if oci.kind_of(plain, target.media_type) in oci.INDEXES else None
        bases = {}
        for platform, wanted in self._platforms.items():
            digest = target.digest
            if index is not None:
                chosen = oci.chosen(index, target.digest, wanted)
                digest = chosen.digest
                plain = oci.document(await source.document(chosen, "manifest"), digest)
            manifest = oci.manifest(plain)
            config = oci.document(
                await source.document(manifest.config, "config"), manifest.config.digest
            )
            if config.get("architecture") != wanted[0]:
                raise oci.ImageFormatError(f"no match for platform {platform} in manifest {digest}")
            bases[platform] = PlatformBase(name, config, tuple(map(_as_oci, manifest.layers)))
        return bases

    # Blobs

    async def _have_all(
        self,
        repository: Repository,
        target: Reference,
        base: PlatformBase,
        own: Iterable[LocalBlob],
    ) -> int:
        """Have all blobs of an image in its repository; return how many bytes were sent."""

        def of_base(layer: oci.Descriptor) -> Callable[[], Any]:
            return lambda: self._fetched(base.name, layer)

        def of_file(blob: LocalBlob) -> Callable[[], Any]:
            async def there() -> LocalBlob:
                return blob

            return there

        wanted = [(layer, of_base(layer)) for layer in base.layers]
        wanted += [(blob.descriptor, of_file(blob)) for blob in own]
        tasks = [
            asyncio.create_task(self._have(repository, target, blob, local))
            for blob, local in {blob.digest: (blob, local) for blob, local in wanted}.values()
        ]
        try:
            return sum(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _have(
        self,
        repository: Repository,
        target: Reference,
        blob: oci.Descriptor,
        local: Callable[[], Any],
    ) -> int:
        async with self._places:
            held = self._holders.setdefault(blob.digest, [])
            sent = 0
            if not await repository.has(blob) and not await self._mounted(repository, target, blob):
                await repository.send(await local())
                sent = blob.size_bytes
            held.append(target)
            return sent

    async def _mounted(
        self, repository: Repository, target: Reference, blob: oci.Descriptor
    ) -> bool:
        """Take a blob from another repository of the registry, where this call knows it to be."""
        for other in self._holders[blob.digest]:
            if other.domain == target.domain and other.path != target.path:
                return await repository.mount(blob, other.path)
        return False

    async def _fetched(self, name: str, layer: oci.Descriptor) -> LocalBlob:
        """Return a layer of a base as a file, which is kept for the next repository."""
        path = self._scratch / layer.digest.partition(":")[2]
        if path.exists():
            return LocalBlob(layer, path)
        reference = parse(name)
        source = registry.Registry(self._session, reference, docker_config.stored(reference.domain))
        draft, digest = path.with_suffix(".part"), hashlib.sha256()
        try:
            with draft.open("wb") as file:
                async for piece in source.blob(layer):
                    digest.update(piece)
                    file.write(piece)
        except registry.RegistryError as error:
            raise _BaseError(name, str(error)) from None
        if f"sha256:{digest.hexdigest()}" != layer.digest:
            raise _BaseError(
                name, f"unexpected digest of {layer.digest}: sha256:{digest.hexdigest()}"
            )
        draft.rename(path)
        return LocalBlob(layer, path)


def _as_oci(layer: oci.Descriptor) -> oci.Descriptor:
    """Return a layer by OCI's media type, which an OCI manifest wants; Docker's mean the same."""
    kind = layer.media_type.replace(_DOCKER_LAYER, oci.OCI_LAYER).replace(".gzip", "+gzip")
    return oci.Descriptor(kind, layer.digest, layer.size_bytes)


def _manifest(below: Sequence[oci.Descriptor], own: Sequence[LocalBlob]) -> bytes:
    *layers, config = (blob.descriptor for blob in own)
    return _canonical(
        {
            "schemaVersion": 2,
            "mediaType": oci.OCI_MANIFEST,
            "config": _plain(config),
            "layers": [_plain(layer) for layer in (*below, *layers)],
        }
    )


def _plain(blob: oci.Descriptor) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size_bytes}


def _canonical(plain: Mapping[str, Any]) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def refusal(error: Exception, domain: str) -> tuple[str, str]:
    """Return in French what a registry refused and what to do, for the two last parts of a message.

    Parameters
    ----------
    error : RegistryError or ImageFormatError
        What came of it.
    domain : str
        The registry that was to be written.
    """
    if isinstance(error, _BaseError):
        return _of_base(error)
    unknown = isinstance(error, RefusedError) and error.status == 401
    if unknown or isinstance(error, registry.DeniedError):
        return (
            f"{domain} ne connaît pas cette identité ({error})",
            f"Connectez-vous (« docker login {domain} »), ou donnez --username NOM --password-stdin.",
        )
    if isinstance(error, RefusedError):
        return _of_status(error, domain)
    words = str(error)
    if "failed to verify certificate" in words:
        return (
            f"le certificat de {domain} n’est pas reconnu ({words})",
            "Désignez celui de son autorité : SSL_CERT_FILE=autorite.pem.",
        )
    if "HTTP response to HTTPS" in words:
        return (
            f"{domain} parle HTTP sans TLS, ce qui n’est admis que sur cette machine (127.0.0.1)",
            "Mettez TLS devant ce registre : les nœuds du cluster le demandent aussi.",
        )
    if "failed to fetch" in words:
        return (
            f"{domain} n’a pas donné de jeton pour cette identité ({words})",
            f"Vérifiez le nom et le mot de passe (« docker login {domain} ») ; un jeton d’accès doit permettre "
            "d’écrire.",
        )
    return (
        words,
        f"Vérifiez le nom « {domain} » et le réseau, puis relancez : ce qui est envoyé n’est pas renvoyé.",
    )


def _of_base(error: _BaseError) -> tuple[str, str]:
    if "no match for platform" in str(error):
        return (
            f"l’image de base « {error.name} » n’existe pas pour toutes les architectures demandées ({error})",
            "Prenez une base qui les a, ou demandez moins : --platform linux/amd64.",
        )
    return (
        f"l’image de base « {error.name} » ne vient pas ({error})",
        f"Nommez un miroir de son registre dans {endpoints.variable()}, par exemple "
        f"docker.io=https://miroir.exemple.fr, ou une autre base ({paths.variable('BASE_IMAGE_PYTHON')} …).",
    )


def _of_status(error: RefusedError, domain: str) -> tuple[str, str]:
    said = f" : « {error.message} »" if error.message else ""
    match error.status:
        case 403 if "quota" in error.message.lower() or "exceed" in error.message.lower():
            return (
                f"le quota de {domain} est atteint{said}",
                "Demandez plus de place, ou supprimez-y des images.",
            )
        case 403:
            return (
                f"cette identité n’a pas le droit d’écrire là ({error.status}{said})",
                "Demandez ce droit (Harbor : rôle « Developer » ; GitLab : jeton « write_registry »), ou changez "
                "d’identité (--username NOM --password-stdin).",
            )
        case 404:
            return (
                f"{domain} n’a pas ce dépôt ({error.status}{said})",
                "Créez d’abord le projet qui porte ce chemin (Harbor : projet ; GitLab : groupe/projet), ou corrigez "
                "le chemin.",
            )
        case 413:
            return (
                f"{domain} refuse une couche de cette taille ({error.status}{said})",
                "Un quota ou un serveur devant le registre la limite (nginx : client_max_body_size) : demandez à son "
                "administrateur.",
            )
        case 429:
            return (
                f"{domain} demande d’attendre ({error.status}{said})",
                "Recommencez dans quelques minutes.",
            )
    return (
        f"{domain} refuse : {error}",
        "Montrez ces mots à l’administrateur du registre ; relancez ensuite : ce qui est envoyé n’est pas renvoyé.",
    )
