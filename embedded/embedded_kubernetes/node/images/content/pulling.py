"""A pull: a name becomes an image of the store, or nothing and the reason."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncGenerator, Callable, Sequence

import aiohttp

from ....errors import ResourceError
from ...cri import ImageConfig
from . import oci
from .content_store import ContentStore
from .credentials import Credentials
from .oci import PullError
from .references import Reference
from .registry import PATIENCE, Patience, Registry, RegistryError
from .unpacking import UnpackError, add_layers

OnBytes = Callable[[int, int], None]
"""Told how many bytes of an image have come, and how many there are."""


async def pull(
    store: ContentStore,
    session: aiohttp.ClientSession,
    reference: Reference,
    credentials: Sequence[Credentials] = (),
    *,
    on_bytes: OnBytes = lambda done, total: None,
    patience: Patience = PATIENCE,
) -> ImageConfig:
    """Have an image as its registry has it now; what is here already is not read again.

    Parameters
    ----------
    store : ContentStore
        Where to.
    session : aiohttp.ClientSession
        From `registry.session`.
    reference : Reference
        Which one.
    credentials : sequence of Credentials
        Identities to try one after the other; none asks as nobody.
    on_bytes : callable
        Told the progress.
    patience : Patience
        How long a registry may be silent.

    Raises
    ------
    PullError
        It cannot be had. Nothing of it is left but whole layers, which the next try does not read again.
    """
    failures: list[PullError] = []
    for identity in credentials or (None,):
        registry = Registry(session, reference, identity, patience)
        try:
            return await _Pull(store, registry, reference, on_bytes).run()
        except PullError as error:
            failures.append(error)
    words = [str(error) for error in failures]
    raise PullError(words[0] if len(words) == 1 else f"[{', '.join(words)}]", failures[-1].number)


class _Pull:
    """One try, as one identity."""

    def __init__(
        self, store: ContentStore, registry: Registry, reference: Reference, on_bytes: OnBytes
    ) -> None:
        self._store = store
        self._registry = registry
        self._reference = reference
        self._on_bytes = on_bytes
        self._done = 0
        self._total = 0

    async def run(self) -> ImageConfig:
        full = self._reference.full
        number = 0
        try:
            try:
                target = await self._registry.resolve()
            except RegistryError as error:
                raise RegistryError(f'failed to resolve reference "{full}": {error}') from None
            async with self._store.adding():
                await self._fetch(target)
                names = (self._reference, self._reference.at(target.digest))
                self._store.put(names, target.digest, pulled=True)
        except (RegistryError, oci.ImageFormatError, UnpackError) as error:
            words = str(error)
            number = error.number if isinstance(error, UnpackError) else 0
        except ResourceError as error:
            words, number = error.found, errno.ENOSPC
        except OSError as error:
            words = f"{error.filename}: {error.strerror}"
            number = error.errno or 0
        else:
            image = self._store.image(self._reference)
            if image is not None:
                return image
            words = f"{full}: not found"
        raise PullError(f'failed to pull and unpack image "{full}": {words}', number)

    async def _fetch(self, target: oci.Descriptor) -> None:
        """Have all parts of an image in the store."""
        document = await self._document(target, "manifest")
        plain = oci.document(document, target.digest)
        kind = oci.kind_of(plain, target.media_type)
        oci.refuse_unknown(kind, target.digest)
        documents = [document]
        if kind in oci.INDEXES:
            chosen = oci.chosen(plain, target.digest)
            documents.append(await self._document(chosen, "manifest"))
            plain = oci.document(documents[-1], chosen.digest)
            oci.refuse_unknown(oci.kind_of(plain, chosen.media_type), chosen.digest)
        manifest = oci.manifest(plain)
        documents.append(await self._document(manifest.config, "config"))
        config = oci.document(documents[-1], manifest.config.digest)
        oci.check_platform(config, target.digest)
        await self._layers(manifest, oci.diff_ids(config, len(manifest.layers)))
        for document in documents:
            await asyncio.to_thread(self._store.keep_blob, document)

    async def _document(self, descriptor: oci.Descriptor, kind: str) -> bytes:
        if not oci.is_digest(descriptor.digest):
            raise oci.ImageFormatError(f"unsupported digest {descriptor.digest!r}")
        kept = self._store.blob(descriptor.digest)
        return await self._registry.document(descriptor, kind) if kept is None else kept

    async def _layers(self, manifest: oci.Manifest, diff_ids: Sequence[str]) -> None:
        layers = [
            oci.Layer(blob, name) for blob, name in zip(manifest.layers, diff_ids, strict=True)
        ]
        for layer in layers:
            if not oci.is_digest(layer.blob.digest):
                raise oci.ImageFormatError(f"unsupported digest {layer.blob.digest!r}")
        missing = {
            layer.diff_id: layer
            for layer in layers
            if not self._store.layer(layer.diff_id).is_dir()
        }
        self._total = sum(layer.blob.size_bytes for layer in missing.values())
        await add_layers(
            self._store,
            [(layer, _Stream(self, layer.blob)) for layer in missing.values()],
            lambda layer: None,
        )

    async def pieces(self, blob: oci.Descriptor) -> AsyncGenerator[bytes, None]:
        """Yield a layer's blob and count it."""
        async with contextlib.aclosing(self._registry.blob(blob)) as pieces:
            async for piece in pieces:
                self._done += len(piece)
                self._on_bytes(self._done, self._total)
                yield piece


class _Stream:
    """One layer's blob, read when it is needed (see `unpacking.Download`)."""

    def __init__(self, pull: _Pull, blob: oci.Descriptor) -> None:
        self._pull = pull
        self._blob = blob

    def pieces(self) -> AsyncGenerator[bytes, None]:
        return self._pull.pieces(self._blob)
