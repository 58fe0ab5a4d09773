"""Images from files: what `docker save` and `podman save` write, OCI layouts (a tar or a folder), compressed or not.

(sources: `image-layout.md` of the OCI image specification; `image/tarexport` of moby)
"""

from __future__ import annotations

import asyncio
import bz2
import gzip
import hashlib
import json
import lzma
import posixpath
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from ....errors import ImageError, system
from ....progress import Progress
from . import oci
from .content_store import ContentStore
from .references import Reference, ReferenceFormatError, parse
from .unpacking import Region, UnpackError, add_layers

_LONGEST_DOCUMENT_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_CONTAINERD_NAME = "io.containerd.image.name"
_OCI_NAME = "org.opencontainers.image.ref.name"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class _Files(Protocol):
    """The files of an archive by their names."""

    def region(self, name: str) -> Region | None:
        """Return where a file lies, None where there is none of that name."""


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path.resolve()

    def region(self, name: str) -> Region | None:
        place = (self._path / name).resolve()
        if not place.is_relative_to(self._path) or not place.is_file():
            return None
        return Region(place, 0, place.stat().st_size)


class _Tar:
    def __init__(self, path: Path) -> None:
        self._path = path
        with tarfile.open(path, "r:") as content:
            self._entries = {posixpath.normpath(entry.name): entry for entry in content}

    def region(self, name: str) -> Region | None:
        """Return where a file lies; older engines let layers that are alike be links to one."""
        for _ in range(8):
            entry = self._entries.get(posixpath.normpath(name))
            if entry is None:
                return None
            if entry.issym():
                name = posixpath.join(posixpath.dirname(entry.name), entry.linkname)
            elif entry.islnk():
                name = entry.linkname
            else:
                return Region(self._path, entry.offset_data, entry.size) if entry.isfile() else None
        return None


@dataclass(frozen=True)
class _Content:
    """One image of an archive."""

    names: tuple[Reference, ...]
    target: str
    documents: tuple[bytes, ...]
    layers: tuple[tuple[oci.Layer, Region], ...]


async def load(store: ContentStore, path: Path, progress: Progress) -> tuple[Reference, ...]:
    """Take the images of an archive into the store and return their names.

    Parameters
    ----------
    store : ContentStore
        Where to.
    path : Path
        A file or folder.
    progress : Progress
        Told each layer.

    Raises
    ------
    ImageError
        It is no image, one of another architecture, broken, or the disk is full.
    """
    tried = f"Charger l’image de « {path} »"
    try:
        async with store.adding():
            with tempfile.TemporaryDirectory(prefix="load-", dir=store.folder) as scratch:
                files = await asyncio.to_thread(_opened, path, Path(scratch), tried)
                contents = await asyncio.to_thread(_contents, files, path.name.partition(".")[0])
                for content in contents:
                    await _add(store, content, progress)
    except (_NoImageError, tarfile.TarError) as error:
        raise _refusal(tried, str(error)) from None
    except oci.ImageFormatError as error:
        raise _unfit(tried, str(error)) from None
    except UnpackError as error:
        raise ImageError(tried, str(error), _advice(error.number)) from None
    except OSError as error:
        found = f"{system(error)} ({error.filename or path})"
        raise ImageError(
            tried, found, "Vérifiez le chemin, vos droits et la place sur le disque."
        ) from None
    return tuple(name for content in contents for name in content.names)


class _NoImageError(Exception):
    """What was read is no image, in French."""


def _refusal(tried: str, found: str) -> ImageError:
    return ImageError(
        tried,
        f"ce n’est pas une image : {found}",
        "Écrivez l’archive avec « docker save -o image.tar NOM » ou « podman save -o image.tar NOM ».",
    )


def _unfit(tried: str, words: str) -> ImageError:
    if "no match for platform" in words:
        return ImageError(
            tried,
            f"elle n’a pas d’image pour cette machine (linux/{oci.machine()[0]}) : {words}",
            f"Demandez-la pour cette machine : docker pull --platform linux/{oci.machine()[0]} NOM",
        )
    return _refusal(tried, words)


def _advice(number: int) -> str:
    if number:
        return "Libérez de la place sur le disque (df -h), puis recommencez ; rien n’est resté à moitié."
    return "L’archive est abîmée : écrivez-la de nouveau."


async def _add(store: ContentStore, content: _Content, progress: Progress) -> None:
    name = content.names[0].familiar
    total = sum(region.size_bytes for _, region in content.layers) or 1
    done = 0

    def on_layer(layer: oci.Layer) -> None:
        nonlocal done
        done += next(region.size_bytes for other, region in content.layers if other is layer)
        progress.step(f"Image {name}", done / total)

    await add_layers(store, content.layers, on_layer)
    for document in content.documents:
        store.keep_blob(document)
    store.put(content.names, content.target, pulled=False)


# Reading


def _opened(path: Path, scratch: Path, tried: str) -> _Files:
    """Return the files of an archive, inflated into `scratch` where it is compressed."""
    if path.is_dir():
        return _Folder(path)
    if not path.exists():
        raise ImageError(tried, "rien de ce nom n’existe", "Vérifiez le chemin de l’archive.")
    with path.open("rb") as file:
        opener = _opener(file.read(6))
    if opener is not None:
        inflated = scratch / "archive.tar"
        try:
            with opener(path) as source, inflated.open("wb") as target:
                shutil.copyfileobj(source, target, _CHUNK_BYTES)
        except (EOFError, lzma.LZMAError, ValueError, gzip.BadGzipFile) as error:
            raise _NoImageError(f"archive compressée abîmée ({error})") from None
        path = inflated
    try:
        return _Tar(path)
    except tarfile.TarError:
        raise _NoImageError("ni archive tar, ni dossier OCI") from None


def _opener(head: bytes) -> Callable[[Path], IO[bytes]] | None:
    """Return what inflates a file that begins so; None where nothing compresses it."""
    openers: Mapping[bytes, Callable[[Path], Any]] = {
        _GZIP: gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\0": lzma.open,
        _ZSTD: _open_zstandard,
    }
    return next((opener for magic, opener in openers.items() if head.startswith(magic)), None)


def _open_zstandard(path: Path) -> IO[bytes]:
    import zstandard

    opened: IO[bytes] = zstandard.open(path, "rb")
    return opened


def _contents(files: _Files, stem: str) -> list[_Content]:
    """Return the images of an archive: an OCI layout is preferred, its digests are the images' own."""
    legacy = _listed(files)
    if files.region("index.json") is not None:
        index = _json(files, "index.json")
        contents = list(_oci_images(files, index, _tags(legacy), stem))
    elif legacy is not None:
        contents = [_docker_image(files, entry, stem) for entry in legacy]
    else:
        raise _NoImageError("ni manifest.json (docker, podman) ni index.json (OCI) dedans")
    if not contents:
        raise _NoImageError("aucune image dedans")
    return contents


def _listed(files: _Files) -> list[dict[str, Any]] | None:
    """Return what `manifest.json` lists, None where there is none."""
    if files.region("manifest.json") is None:
        return None
    try:
        plain = json.loads(_read(files, "manifest.json"))
    except ValueError:
        plain = None
    if not isinstance(plain, list) or not all(isinstance(entry, dict) for entry in plain):
        raise _NoImageError("son manifest.json est celui d’autre chose")
    return plain


def _tags(legacy: list[dict[str, Any]] | None) -> dict[str, list[str]]:
    """Return the tags by the digits of the image's configuration."""
    return {
        posixpath.basename(str(entry.get("Config", ""))).removesuffix(".json"): list(
            entry.get("RepoTags") or ()
        )
        for entry in legacy or ()
    }


def _oci_images(
    files: _Files, index: dict[str, Any], tags: Mapping[str, list[str]], stem: str
) -> Iterator[_Content]:
    refused: oci.ImageFormatError | None = None
    seen = False
    for entry in index.get("manifests") or ():
        descriptor = oci.Descriptor.of(entry)
        try:
            documents, manifest = _manifest(files, descriptor)
            config = _config(files, manifest, descriptor.digest)
        except oci.ImageFormatError as error:
            refused = error
            continue
        layers = tuple(
            (oci.Layer(blob, diff_id), _needed(files, _blob_name(blob.digest)))
            for blob, diff_id in zip(
                manifest.layers,
                oci.diff_ids(oci.document(config, manifest.config.digest), len(manifest.layers)),
                strict=True,
            )
        )
        said = _annotated(entry, stem) or tags.get(manifest.config.digest.partition(":")[2], [])
        seen = True
        yield _Content(_references(said, stem), descriptor.digest, (*documents, config), layers)
    if refused is not None and not seen:
        raise refused


def _annotated(entry: dict[str, Any], stem: str) -> list[str]:
    """Return the name in the annotations of a layout's index; a tag alone is one of the file's own name."""
    annotations = entry.get("annotations") or {}
    name = annotations.get(_CONTAINERD_NAME) or annotations.get(_OCI_NAME)
    if not name:
        return []
    return [name if "/" in name or ":" in name else f"{stem}:{name}"]


def _manifest(files: _Files, descriptor: oci.Descriptor) -> tuple[list[bytes], oci.Manifest]:
    """Return the manifest for this machine, and the documents that lead to it."""
    data = _checked(files, descriptor.digest)
    plain = oci.document(data, descriptor.digest)
    kind = oci.kind_of(plain, descriptor.media_type)
    oci.refuse_unknown(kind, descriptor.digest)
    if kind in oci.INDEXES:
        documents, manifest = _manifest(files, oci.chosen(plain, descriptor.digest))
        return [data, *documents], manifest
    return [data], oci.manifest(plain)


def _config(files: _Files, manifest: oci.Manifest, digest: str) -> bytes:
    data = _checked(files, manifest.config.digest)
    oci.check_platform(oci.document(data, manifest.config.digest), digest)
    return data


def _docker_image(files: _Files, entry: dict[str, Any], stem: str) -> _Content:
    """Return an image of `manifest.json`, with the manifest that a registry would have."""
    config = _read(files, str(entry.get("Config", "")))
    plain = oci.document(config, "config")
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    oci.check_platform(plain, digest)
    names = [str(name) for name in entry.get("Layers") or ()]
    layers = tuple(
        _docker_layer(_needed(files, name), diff_id)
        for name, diff_id in zip(names, oci.diff_ids(plain, len(names)), strict=True)
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": oci.OCI_MANIFEST,
        "config": {"mediaType": oci.OCI_CONFIG, "digest": digest, "size": len(config)},
        "layers": [
            {
                "mediaType": layer.blob.media_type,
                "digest": layer.blob.digest,
                "size": layer.blob.size_bytes,
            }
            for layer, _ in layers
        ],
    }
    document = json.dumps(manifest).encode()
    target = f"sha256:{hashlib.sha256(document).hexdigest()}"
    names = [str(name) for name in entry.get("RepoTags") or ()]
    return _Content(_references(names, stem), target, (document, config), layers)


def _docker_layer(region: Region, diff_id: str) -> tuple[oci.Layer, Region]:
    with region.path.open("rb") as file:
        file.seek(region.offset)
        head = file.read(4)
        compression = {_GZIP: "+gzip", _ZSTD: "+zstd"}
        kind = next((word for magic, word in compression.items() if head.startswith(magic)), "")
        digest = _digest_of(file, region) if kind else diff_id
    blob = oci.Descriptor(f"{oci.OCI_LAYER}{kind}", digest, region.size_bytes)
    return oci.Layer(blob, diff_id), region


def _digest_of(file: IO[bytes], region: Region) -> str:
    digest = hashlib.sha256()
    file.seek(region.offset)
    left = region.size_bytes
    while left and (data := file.read(min(left, _CHUNK_BYTES))):
        digest.update(data)
        left -= len(data)
    return f"sha256:{digest.hexdigest()}"


def _references(names: Iterable[str], stem: str) -> tuple[Reference, ...]:
    """Return the names of an image; one that was saved without any is called as its file."""
    try:
        return tuple(parse(name) for name in names) or (parse(stem.lower()),)
    except ReferenceFormatError as error:
        raise _NoImageError(f"nom d’image impossible ({error})") from None


def _needed(files: _Files, name: str) -> Region:
    region = files.region(name)
    if region is None:
        raise _NoImageError(f"il y manque {name}")
    return region


def _read(files: _Files, name: str) -> bytes:
    region = _needed(files, name)
    if region.size_bytes > _LONGEST_DOCUMENT_BYTES:
        raise _NoImageError(f"{name} n’est pas un document d’image ({region.size_bytes} octets)")
    with region.path.open("rb") as file:
        file.seek(region.offset)
        return file.read(region.size_bytes)


def _json(files: _Files, name: str) -> dict[str, Any]:
    return oci.document(_read(files, name), name)


def _blob_name(digest: str) -> str:
    if not oci.is_digest(digest):
        raise oci.ImageFormatError(f"unsupported digest {digest!r}")
    return f"blobs/sha256/{digest.partition(':')[2]}"


def _checked(files: _Files, digest: str) -> bytes:
    data = _read(files, _blob_name(digest))
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
        raise oci.ImageFormatError(f"unexpected digest, expected {digest}: failed precondition")
    return data
